// Numbers as the clients of the original API, written in Python, read and print them. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace dispatcher {

// The shortest text that reads back as the same double, always with a point or an exponent: `0.0`,
// `99.5`, `1e-05`. It must be finite.
void append_float(std::string& out, double number);

// Rounded to so many decimals, half to even on the exact value, then as append_float.
void append_rounded(std::string& out, double number, int decimals);

// A finite double; empty for anything else.
[[nodiscard]] std::optional<double> parse_float(std::string_view text);

// A whole number as a query has it: white space around it, a sign, single underscores between
// digits and a fraction of zeros are allowed. `text_is_number` tells a number that does not fit
// (which is given as the nearest that does) from what is none.
struct ParsedInteger {
  std::int64_t value = 0;
  bool text_is_number = false;
};
[[nodiscard]] ParsedInteger parse_integer(std::string_view text);

}  // namespace dispatcher
