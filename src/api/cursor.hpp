// Where a list goes on: a position in it, opaque to clients. Pure.
#pragma once

#include "api/faults.hpp"
#include "api/text.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace dispatcher {

// Belongs to one direction: the same position means other items in the other.
[[nodiscard]] std::string encode_cursor(std::int64_t position, bool newest_first);

// The position of the query's `cursor`; empty for none. One that is not ours is a fault.
[[nodiscard]] std::optional<std::int64_t> read_cursor(const Query& query, bool newest_first,
                                                      Faults& faults);

// Empty when it is none of ours, or of the other direction.
[[nodiscard]] std::optional<std::int64_t> decode_cursor(std::string_view text, bool newest_first);

}  // namespace dispatcher
