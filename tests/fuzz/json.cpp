// Promise: what is accepted as JSON is what Boost.JSON accepts; a wanted member's span is that
// member, byte for byte; and what is echoed means the same as what came.
#include "base/bytes.hpp"
#include "base/json_compact.hpp"
#include "base/json_scanner.hpp"

#include "fuzz/fuzz_target.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string>

namespace dispatcher::fuzz {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

std::optional<boost::json::value> judge(std::string_view text) {
  boost::json::parse_options options;
  options.max_depth = kMaxJsonDepth;
  boost::json::error_code error;
  auto value = boost::json::parse({text.data(), text.size()}, error, {}, options);
  if (error) {
    return std::nullopt;
  }
  return value;
}

// A number whose exponent passes every limit is JSON, though Boost.JSON has no value for it.
bool is_json(std::string_view text) {
  boost::json::parse_options options;
  options.max_depth = kMaxJsonDepth;
  boost::json::error_code error;
  (void)boost::json::parse({text.data(), text.size()}, error, {}, options);
  return !error || error == boost::json::error::exponent_overflow;
}

// Escapes of surrogates are JSON to us, as to Python, in pairs or not; Boost.JSON wants pairs. Here
// each stands for the letter A.
std::string without_surrogates(std::string_view text) {
  std::string out{text};
  for (std::size_t at = 0; at + 1 < out.size(); ++at) {
    if (out[at] != '\\') {
      continue;
    }
    ++at;
    const bool is_surrogate =
        at + 4 < out.size() && out[at] == 'u' && (out[at + 1] == 'd' || out[at + 1] == 'D') &&
        std::string_view{"89abcdefABCDEF"}.find(out[at + 2]) != std::string_view::npos;
    if (is_surrogate) {
      out.replace(at + 1, 2, "00");
    }
  }
  return out;
}

// Numbers beyond a double have no value to compare.
bool is_finite(const boost::json::value& value) {
  if (value.is_double()) {
    return std::isfinite(value.get_double());
  }
  if (const auto* array = value.if_array()) {
    return std::all_of(array->begin(), array->end(), is_finite);
  }
  if (const auto* object = value.if_object()) {
    return std::all_of(object->begin(), object->end(),
                       [](const auto& member) { return is_finite(member.value()); });
  }
  return true;
}

// Boost reads a number's last bits differently in different spellings of it.
bool is_same(const boost::json::value& left, const boost::json::value& right) {
  if (left.is_number() && right.is_number()) {
    const auto a = left.to_number<double>();
    const auto b = right.to_number<double>();
    return std::abs(a - b) <= 1e-13 * std::max(std::abs(a), std::abs(b)) + 1e-300;
  }
  if (left.is_array() && right.is_array()) {
    const auto& a = left.get_array();
    const auto& b = right.get_array();
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), is_same);
  }
  if (left.is_object() && right.is_object()) {
    const auto& a = left.get_object();
    const auto& b = right.get_object();
    return a.size() == b.size() && std::all_of(a.begin(), a.end(), [&](const auto& member) {
             const auto* other = b.if_contains(member.key());
             return other != nullptr && is_same(member.value(), *other);
           });
  }
  return left == right;
}

void check_span(std::string_view text, const JsonField& field, const boost::json::value& root) {
  const boost::json::object* object = root.if_object();
  const auto* expected =
      object == nullptr ? nullptr : object->if_contains({field.name.data(), field.name.size()});
  promise(field.value.has_value() == (expected != nullptr), "a wanted member is found");
  if (!field.value) {
    return;
  }
  const std::string_view raw = field.value->raw;
  promise(raw.data() >= text.data() && raw.data() + raw.size() <= text.data() + text.size(),
          "a span lies in its text");
  const auto value = judge(raw);
  promise(value && is_same(*value, *expected), "a span is its member and nothing else");
  const std::string_view space = " \t\r\n";
  promise(space.find(raw.front()) == std::string_view::npos &&
              space.find(raw.back()) == std::string_view::npos,
          "a span has no white space around it");
  if (field.value->kind == JsonKind::string) {
    const auto decoded = decode_json_string(*field.value);
    const auto& judged = value->get_string();
    promise(decoded && *decoded == std::string_view{judged.data(), judged.size()},
            "a string is decoded as Boost decodes it");
  }
}

void check_elements(const JsonValue& array, const boost::json::value& root) {
  if (array.kind != JsonKind::array) {
    return;
  }
  JsonElements elements{array};
  for (const auto& expected : root.get_array()) {
    const auto element = elements.next();
    const auto value = element ? judge(element->raw) : std::nullopt;
    promise(value && is_same(*value, expected), "elements come in order");
  }
  promise(!elements.next(), "elements end");
}

// Of several members of one name the last is the root's.
void check_members(const JsonValue& object, const boost::json::value& root) {
  if (object.kind != JsonKind::object) {
    return;
  }
  boost::json::object read;
  JsonMembers members{object};
  while (const auto member = members.next()) {
    const auto name = decode_json_string(member->name);
    const auto value = judge(member->value.raw);
    promise(name && value, "a member is a name and a value");
    read[*name] = *value;
  }
  promise(is_same(read, root), "members are all of an object");
}

void check_echo(const JsonValue& value, const boost::json::value& root) {
  std::string echo;
  append_compact_json(echo, value.raw);
  const auto echoed = judge(echo);
  promise(echoed && is_same(*echoed, root), "an echo means the same");
  std::string again;
  append_compact_json(again, echo);
  promise(again == echo, "an echo's echo is itself");
}

void check(std::string_view input) {
  std::array fields{JsonField{"payload"}, JsonField{"type"}, JsonField{"\xC3\xA9"}};
  const JsonScan scan = scan_json(input, fields);
  std::string_view text = input;
  if (text.starts_with(kByteOrderMark)) {
    text.remove_prefix(kByteOrderMark.size());
  }
  const auto judged = judge(text);
  if (const auto* fault = std::get_if<JsonFault>(&scan)) {
    promise(!judged && !judge(without_surrogates(text)), "what Boost.JSON accepts is accepted");
    promise((fault->kind == JsonFault::Kind::syntax) == !fault->message.empty(),
            "a fault of syntax has a message");
    promise(fault->offset <= text.size(), "a fault lies in the text");
    return;
  }
  const JsonValue value = std::get<JsonValue>(scan);
  promise(is_valid_utf8(value.raw), "what is accepted is UTF-8");
  std::string echo;
  append_compact_json(echo, value.raw);
  promise(std::holds_alternative<JsonValue>(scan_json(echo)), "an echo is JSON");
  if (!judged) {
    promise(is_json(without_surrogates(text)), "what Boost.JSON refuses is refused");
    return;
  }
  if (!is_finite(*judged)) {
    return;
  }
  for (const JsonField& field : fields) {
    check_span(input, field, *judged);
  }
  check_elements(value, *judged);
  check_members(value, *judged);
  check_echo(value, *judged);
}

const Registration kTarget{"json", check};

}  // namespace
}  // namespace dispatcher::fuzz
