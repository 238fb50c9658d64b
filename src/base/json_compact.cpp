#include "base/json_compact.hpp"

#include "base/json_string.hpp"
#include "base/number_text.hpp"

#include <algorithm>

namespace dispatcher {
namespace {

constexpr bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
constexpr bool is_number_start(char c) {
  return c == '-' || (c >= '0' && c <= '9');
}

void append_compact_number(std::string& out, std::string_view raw) {
  if (raw.find_first_of(".eE") == std::string_view::npos) {
    out += raw == "-0" ? "0" : raw;
    return;
  }
  if (const auto number = parse_float(raw)) {
    append_float(out, *number);
  } else {
    out += raw;  // beyond a double: Python has no JSON for it either
  }
}

}  // namespace

void append_compact_json(std::string& out, std::string_view raw) {
  std::size_t at = 0;
  while (at < raw.size()) {
    const char c = raw[at];
    if (is_space(c)) {
      ++at;
    } else if (c == '"') {
      const std::size_t end = end_of_json_string(raw, at);
      append_compact_string(out, raw.substr(at, end - at));
      at = end;
    } else if (is_number_start(c)) {
      const std::size_t end = std::min(raw.find_first_not_of("+-.eE0123456789", at), raw.size());
      append_compact_number(out, raw.substr(at, end - at));
      at = end;
    } else {
      out.push_back(c);
      ++at;
    }
  }
}

}  // namespace dispatcher
