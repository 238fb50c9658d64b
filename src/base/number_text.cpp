#include "base/number_text.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <limits>

namespace dispatcher {
namespace {

constexpr std::string_view kSpace = " \t\n\r\v\f";

std::string_view trim(std::string_view text) {
  const auto begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) {
    return {};
  }
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

// Digits with single underscores between them, without the underscores.
std::optional<std::string> plain_digits(std::string_view text) {
  std::string digits;
  char before = '_';
  for (const char c : text) {
    if (c == '_' ? before == '_' : c < '0' || c > '9') {
      return std::nullopt;
    }
    if (c != '_') {
      digits.push_back(c);
    }
    before = c;
  }
  if (before == '_') {
    return std::nullopt;
  }
  return digits;
}

std::string_view without_zero_fraction(std::string_view text) {
  const auto point = text.find('.');
  if (point == std::string_view::npos ||
      text.find_first_not_of('0', point + 1) != std::string_view::npos) {
    return text;
  }
  return text.substr(0, point);
}

}  // namespace

void append_float(std::string& out, double number) {
  std::array<char, 64> buffer{};
  const double size = std::fabs(number);
  // Python's limits between the two notations.
  const bool is_plain = size == 0 || (size >= 1e-4 && size < 1e16);
  const auto end =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), number,
                    is_plain ? std::chars_format::fixed : std::chars_format::scientific)
          .ptr;
  const std::string_view text{buffer.data(), static_cast<std::size_t>(end - buffer.data())};
  out += text;
  if (is_plain && text.find('.') == std::string_view::npos) {
    out += ".0";
  }
}

void append_rounded(std::string& out, double number, int decimals) {
  std::array<char, 400> buffer{};
  const int length = std::snprintf(buffer.data(), buffer.size(), "%.*f", decimals, number);
  const auto rounded = parse_float({buffer.data(), static_cast<std::size_t>(length)});
  append_float(out, rounded.value_or(0.0));
}

std::optional<double> parse_float(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(number)) {
    return std::nullopt;
  }
  return number;
}

ParsedInteger parse_integer(std::string_view text) {
  text = trim(text);
  const bool is_negative = text.starts_with('-');
  if (is_negative || text.starts_with('+')) {
    text.remove_prefix(1);
  }
  const auto digits = plain_digits(without_zero_fraction(text));
  if (!digits) {
    return {};
  }
  std::uint64_t size = 0;
  const auto [end, error] = std::from_chars(digits->data(), digits->data() + digits->size(), size);
  constexpr auto kMax = std::numeric_limits<std::int64_t>::max();
  if (error != std::errc{} || size > static_cast<std::uint64_t>(kMax)) {
    size = static_cast<std::uint64_t>(kMax);
  }
  const auto value = static_cast<std::int64_t>(size);
  return {is_negative ? -value : value, true};
}

}  // namespace dispatcher
