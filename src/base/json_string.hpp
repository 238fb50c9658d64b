// The strings of a JSON text that has already been checked: where they end, what they say. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace dispatcher {

// Four hexadecimal digits, in any case.
[[nodiscard]] std::optional<std::uint32_t> parse_hex4(std::string_view digits);

// The position behind the closing quote of the string that opens at `open`.
[[nodiscard]] std::size_t end_of_json_string(std::string_view text, std::size_t open);

// Appends the string (with its quotes) with no more escapes than needed; unchanged when it is not
// Unicode.
void append_compact_string(std::string& out, std::string_view quoted);

// Appends a code point, which is no surrogate, as UTF-8.
void append_utf8(std::string& out, std::uint32_t code_point);

}  // namespace dispatcher
