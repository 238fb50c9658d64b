#include "adapters/dynamodb/attribute.hpp"

#include "base/json_scanner.hpp"
#include "base/json_text.hpp"

#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/parse_options.hpp>

#include <algorithm>
#include <charconv>
#include <vector>

namespace dispatcher {
namespace {

using boost::json::array;
using boost::json::object;
using boost::json::value;

constexpr std::size_t kMaxAnswerDepth = 128;

std::string_view view(const boost::json::string& text) {
  return {text.data(), text.size()};
}

const value* attribute_in(const object& item, std::string_view name, std::string_view type) {
  const object* attribute = object_in(item, name);
  return attribute == nullptr ? nullptr : attribute->if_contains({type.data(), type.size()});
}

bool append_plain(std::string& out, const value& attribute);

// DynamoDB's numbers are JSON's too; what else came is no number.
bool append_number(std::string& out, const value& number) {
  if (!number.is_string()) {
    return false;
  }
  const std::string_view text = view(number.get_string());
  const auto scanned = scan_json(text);
  const auto* found = std::get_if<JsonValue>(&scanned);
  if (found == nullptr || found->kind != JsonKind::number || found->raw.size() != text.size()) {
    return false;
  }
  out += text;
  return true;
}

bool append_text(std::string& out, const value& text) {
  if (!text.is_string()) {
    return false;
  }
  append_json_string(out, view(text.get_string()));
  return true;
}

template <class Append>
bool append_elements(std::string& out, const value& elements, Append append) {
  if (!elements.is_array()) {
    return false;
  }
  out += '[';
  bool is_first = true;
  for (const value& element : elements.get_array()) {
    if (!is_first) {
      out += ',';
    }
    is_first = false;
    if (!append(out, element)) {
      return false;
    }
  }
  out += ']';
  return true;
}

// A set has no order of its own.
template <class Append>
bool append_set(std::string& out, const value& set, Append append) {
  const auto is_text = [](const value& element) { return element.is_string(); };
  if (!set.is_array() || !std::all_of(set.get_array().begin(), set.get_array().end(), is_text)) {
    return false;
  }
  array elements = set.get_array();
  std::sort(elements.begin(), elements.end(),
            [](const value& a, const value& b) { return a.get_string() < b.get_string(); });
  return append_elements(out, elements, append);
}

bool append_members(std::string& out, const value& map) {
  if (!map.is_object()) {
    return false;
  }
  std::vector<const boost::json::key_value_pair*> members;
  for (const auto& member : map.get_object()) {
    members.push_back(&member);
  }
  std::sort(members.begin(), members.end(),
            [](const auto* a, const auto* b) { return a->key() < b->key(); });
  out += '{';
  for (const auto* member : members) {
    if (member != members.front()) {
      out += ',';
    }
    append_json_string(out, {member->key().data(), member->key().size()});
    out += ':';
    if (!append_plain(out, member->value())) {
      return false;
    }
  }
  out += '}';
  return true;
}

bool append_boolean(std::string& out, const value& boolean) {
  if (!boolean.is_bool()) {
    return false;
  }
  out += boolean.get_bool() ? "true" : "false";
  return true;
}

bool append_plain(std::string& out, const value& attribute) {
  if (!attribute.is_object() || attribute.get_object().size() != 1) {
    return false;
  }
  const auto& typed = *attribute.get_object().begin();
  const std::string_view type{typed.key().data(), typed.key().size()};
  const value& content = typed.value();
  if (type == "S" || type == "B") {
    return append_text(out, content);
  }
  if (type == "N") {
    return append_number(out, content);
  }
  if (type == "BOOL") {
    return append_boolean(out, content);
  }
  if (type == "M") {
    return append_members(out, content);
  }
  if (type == "L") {
    return append_elements(out, content, append_plain);
  }
  if (type == "SS" || type == "BS") {
    return append_set(out, content, append_text);
  }
  if (type == "NS") {
    return append_set(out, content, append_number);
  }
  if (type == "NULL") {
    out += "null";
    return true;
  }
  return false;
}

}  // namespace

std::optional<object> parse_answer(std::string_view text) {
  boost::json::parse_options options;
  options.max_depth = kMaxAnswerDepth;
  boost::json::error_code error;
  value parsed = boost::json::parse({text.data(), text.size()}, error, {}, options);
  if (error || !parsed.is_object()) {
    return std::nullopt;
  }
  return std::move(parsed.get_object());
}

const object* object_in(const object& outer, std::string_view name) {
  const value* found = outer.if_contains({name.data(), name.size()});
  return found != nullptr && found->is_object() ? &found->get_object() : nullptr;
}

std::optional<std::string_view> string_in(const object& item, std::string_view name) {
  const value* found = attribute_in(item, name, "S");
  return found != nullptr && found->is_string() ? std::optional{view(found->get_string())}
                                                : std::nullopt;
}

std::optional<std::int64_t> whole_number_in(const object& item, std::string_view name) {
  const value* found = attribute_in(item, name, "N");
  if (found == nullptr || !found->is_string()) {
    return std::nullopt;
  }
  const std::string_view text = view(found->get_string());
  std::int64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool is_whole = read.ec == std::errc{} && read.ptr == text.data() + text.size();
  return is_whole ? std::optional{number} : std::nullopt;
}

const object* map_in(const object& item, std::string_view name) {
  const value* found = attribute_in(item, name, "M");
  return found != nullptr && found->is_object() ? &found->get_object() : nullptr;
}

std::optional<std::string> plain_json(const value& attribute) {
  std::string out;
  return append_plain(out, attribute) ? std::optional{std::move(out)} : std::nullopt;
}

std::string string_attribute(std::string_view text) {
  std::string out = R"({"S":)";
  append_json_string(out, text);
  return out + "}";
}

std::string number_attribute(std::int64_t number) {
  return fmt::format(R"({{"N":"{}"}})", number);
}

}  // namespace dispatcher
