// Reads back what `to_string` writes of an enumeration.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace dispatcher {

// The one of `values` whose `to_string` is `text`; empty when there is none.
template <class Enum, std::size_t N>
[[nodiscard]] std::optional<Enum> parse_one_of(const std::array<Enum, N>& values,
                                               std::string_view text) {
  for (const Enum value : values) {
    if (to_string(value) == text) {
      return value;
    }
  }
  return std::nullopt;
}

}  // namespace dispatcher
