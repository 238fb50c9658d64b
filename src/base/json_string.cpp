#include "base/json_string.hpp"

#include "base/json_scanner.hpp"
#include "base/json_text.hpp"

namespace dispatcher {
namespace {

constexpr bool is_high_surrogate(std::uint32_t unit) {
  return unit >= 0xD800 && unit <= 0xDBFF;
}
constexpr bool is_low_surrogate(std::uint32_t unit) {
  return unit >= 0xDC00 && unit <= 0xDFFF;
}

char unescape(char escaped) {
  switch (escaped) {
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    default: return escaped;
  }
}

// Takes `uXXXX`, or a pair of such escapes, off the front of `rest`. False for half a pair.
bool take_unicode_escape(std::string& out, std::string_view& rest) {
  const std::uint32_t first = *parse_hex4(rest.substr(1, 4));
  rest.remove_prefix(5);
  if (!is_high_surrogate(first) && !is_low_surrogate(first)) {
    append_utf8(out, first);
    return true;
  }
  if (is_low_surrogate(first) || !rest.starts_with("\\u")) {
    return false;
  }
  const std::uint32_t second = *parse_hex4(rest.substr(2, 4));
  if (!is_low_surrogate(second)) {
    return false;
  }
  rest.remove_prefix(6);
  append_utf8(out, 0x10000 + ((first - 0xD800) << 10U) + (second - 0xDC00));
  return true;
}

}  // namespace

std::optional<std::uint32_t> parse_hex4(std::string_view digits) {
  if (digits.size() != 4) {
    return std::nullopt;
  }
  std::uint32_t value = 0;
  for (const char c : digits) {
    const char lower = static_cast<char>(c | 0x20);
    if (c >= '0' && c <= '9') {
      value = value << 4U | static_cast<std::uint32_t>(c - '0');
    } else if (lower >= 'a' && lower <= 'f') {
      value = value << 4U | static_cast<std::uint32_t>(lower - 'a' + 10);
    } else {
      return std::nullopt;
    }
  }
  return value;
}

std::size_t end_of_json_string(std::string_view text, std::size_t open) {
  std::size_t at = open + 1;
  while (at < text.size() && text[at] != '"') {
    at += text[at] == '\\' ? 2 : 1;
  }
  return at + 1;
}

void append_utf8(std::string& out, std::uint32_t code_point) {
  const auto push = [&](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code_point < 0x80) {
    push(code_point);
  } else if (code_point < 0x800) {
    push(0xC0U | code_point >> 6U);
    push(0x80U | (code_point & 0x3FU));
  } else if (code_point < 0x10000) {
    push(0xE0U | code_point >> 12U);
    push(0x80U | (code_point >> 6U & 0x3FU));
    push(0x80U | (code_point & 0x3FU));
  } else {
    push(0xF0U | code_point >> 18U);
    push(0x80U | (code_point >> 12U & 0x3FU));
    push(0x80U | (code_point >> 6U & 0x3FU));
    push(0x80U | (code_point & 0x3FU));
  }
}

std::optional<std::string> decode_json_string(JsonValue string) {
  std::string_view rest = string.raw.substr(1, string.raw.size() - 2);
  std::string out;
  out.reserve(rest.size());
  while (!rest.empty()) {
    const auto plain = std::min(rest.find('\\'), rest.size());
    out.append(rest.substr(0, plain));
    rest.remove_prefix(plain);
    if (rest.empty()) {
      break;
    }
    rest.remove_prefix(1);
    if (rest.front() != 'u') {
      out.push_back(unescape(rest.front()));
      rest.remove_prefix(1);
    } else if (!take_unicode_escape(out, rest)) {
      return std::nullopt;
    }
  }
  return out;
}

void append_compact_string(std::string& out, std::string_view quoted) {
  if (const auto text = decode_json_string({JsonKind::string, quoted})) {
    append_json_string(out, *text);
  } else {
    out += quoted;
  }
}

}  // namespace dispatcher
