// UUIDs (RFC 9562). Ours are version 7: they sort by time of creation, so that an index over them
// grows at its end.
#pragma once

#include "base/time.hpp"

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace dispatcher {

struct Uuid {
  std::array<std::uint8_t, 16> bytes{};

  friend auto operator<=>(const Uuid&, const Uuid&) = default;
};

using EventId = Uuid;

// Lower case, with hyphens: 36 characters.
[[nodiscard]] std::string to_string(const Uuid& id);
void append_uuid(std::string& out, const Uuid& id);

// The hyphenated form, in any case; nothing else.
[[nodiscard]] std::optional<Uuid> parse_uuid(std::string_view text);

// Version 7: 48 bits of milliseconds, then 74 bits of the two random words given.
[[nodiscard]] Uuid make_uuid_v7(WallTime now, std::uint64_t random_high, std::uint64_t random_low);

}  // namespace dispatcher

template <>
struct std::hash<dispatcher::Uuid> {
  std::size_t operator()(const dispatcher::Uuid& id) const noexcept {
    // The last eight bytes are random in every version that we meet.
    std::uint64_t low = 0;
    for (int i = 8; i < 16; ++i) {
      low = low << 8U | id.bytes[static_cast<std::size_t>(i)];
    }
    return static_cast<std::size_t>(low);
  }
};
