#include "api/text.hpp"

#include "base/bytes.hpp"
#include "base/json_string.hpp"

#include <algorithm>

namespace dispatcher {
namespace {

int hex_value(char digit) {
  if (digit >= '0' && digit <= '9') {
    return digit - '0';
  }
  const char lower = static_cast<char>(digit | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

std::string decode_escapes(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      out.push_back(' ');
      continue;
    }
    const bool has_digits = text[i] == '%' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 &&
                            hex_value(text[i + 2]) >= 0;
    if (!has_digits) {
      out.push_back(text[i]);
      continue;
    }
    out.push_back(static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2])));
    i += 2;
  }
  return to_valid_utf8(std::move(out));
}

// How many bytes the character at the front has; 0 when it is not UTF-8.
std::size_t valid_prefix(std::string_view text) {
  for (std::size_t length = 1; length <= std::min<std::size_t>(4, text.size()); ++length) {
    if (is_valid_utf8(text.substr(0, length))) {
      return length;
    }
  }
  return 0;
}

// A quoted or plain value, taken off the front of `rest`.
std::string take_parameter_value(std::string_view& rest) {
  std::string value;
  if (!rest.starts_with('"')) {
    const auto end = std::min(rest.find(';'), rest.size());
    value = trim_space(rest.substr(0, end));
    rest.remove_prefix(end);
    return value;
  }
  std::size_t at = 1;
  while (at < rest.size() && rest[at] != '"') {
    at += rest[at] == '\\' && at + 1 < rest.size() ? 1 : 0;
    value.push_back(rest[at++]);
  }
  rest.remove_prefix(std::min(rest.find(';', at), rest.size()));
  return value;
}

}  // namespace

std::string percent_decode(std::string_view text) {
  return decode_escapes(text, false);
}

std::string decode_form_text(std::string_view text) {
  return decode_escapes(text, true);
}

std::string to_valid_utf8(std::string text) {
  if (is_valid_utf8(text)) {
    return text;
  }
  std::string out;
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t length = valid_prefix(rest);
    if (length == 0) {
      append_utf8(out, 0xFFFD);
    } else {
      out.append(rest.substr(0, length));
    }
    rest.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out;
}

std::string latin1_to_utf8(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  for (const char c : bytes) {
    append_utf8(out, static_cast<unsigned char>(c));
  }
  return out;
}

std::string to_lower_ascii(std::string_view text) {
  std::string out{text};
  std::transform(out.begin(), out.end(), out.begin(), lower);
  return out;
}

bool equals_ignoring_case(std::string_view left, std::string_view right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](char a, char b) { return lower(a) == lower(b); });
}

std::string_view trim_space(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) {
    return {};
  }
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

std::size_t count_characters(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }));
}

std::string_view cut_text(std::string_view text, std::size_t max_bytes) {
  if (text.size() <= max_bytes) {
    return text;
  }
  while (max_bytes > 0 && (static_cast<unsigned char>(text[max_bytes]) & 0xC0U) == 0x80U) {
    --max_bytes;
  }
  return text.substr(0, max_bytes);
}

NamedValues parse_urlencoded(std::string_view text) {
  NamedValues values;
  while (!text.empty()) {
    const auto end = std::min(text.find('&'), text.size());
    const std::string_view pair = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (pair.empty()) {
      continue;
    }
    const auto equals = std::min(pair.find('='), pair.size());
    const std::string_view value = pair.substr(std::min(equals + 1, pair.size()));
    values.emplace_back(decode_form_text(pair.substr(0, equals)), decode_form_text(value));
  }
  return values;
}

const std::string* Query::find(std::string_view name) const {
  const auto found = std::find_if(values_.rbegin(), values_.rend(),
                                  [&](const auto& pair) { return pair.first == name; });
  return found == values_.rend() ? nullptr : &found->second;
}

const std::string* Query::find_filled(std::string_view name) const {
  const std::string* value = find(name);
  return value != nullptr && value->empty() ? nullptr : value;
}

bool MediaType::is(std::string_view wanted_type, std::string_view wanted_subtype) const {
  return type == wanted_type && subtype == wanted_subtype;
}

bool MediaType::is_json() const {
  return type == "application" && (subtype == "json" || subtype.ends_with("+json"));
}

const std::string* MediaType::parameter(std::string_view name) const {
  for (const auto& [known, value] : parameters) {
    if (known == name) {
      return &value;
    }
  }
  return nullptr;
}

MediaType parse_media_type(std::string_view text) {
  MediaType media;
  const auto end = std::min(text.find(';'), text.size());
  const std::string essence = to_lower_ascii(trim_space(text.substr(0, end)));
  const auto slash = essence.find('/');
  if (slash != std::string::npos && essence.find('/', slash + 1) == std::string::npos) {
    media.type = essence.substr(0, slash);
    media.subtype = essence.substr(slash + 1);
  }
  media.parameters = parse_parameters(text.substr(std::min(end + 1, text.size())));
  return media;
}

std::vector<std::pair<std::string, std::string>> parse_parameters(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> parameters;
  while (!text.empty()) {
    const auto end = std::min(text.find_first_of("=;"), text.size());
    std::string name = to_lower_ascii(trim_space(text.substr(0, end)));
    const bool has_value = end < text.size() && text[end] == '=';
    text.remove_prefix(has_value ? end + 1 : end);
    std::string value = has_value ? take_parameter_value(text) : std::string{};
    if (!name.empty()) {
      parameters.emplace_back(std::move(name), std::move(value));
    }
    if (text.starts_with(';')) {
      text.remove_prefix(1);
    }
  }
  return parameters;
}

}  // namespace dispatcher
