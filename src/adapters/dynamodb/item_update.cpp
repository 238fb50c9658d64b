#include "adapters/dynamodb/item_update.hpp"

#include "adapters/dynamodb/attribute.hpp"
#include "base/json_text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace dispatcher {
namespace {

// Numbered: a name in an item may have letters that no placeholder may have.
std::string placeholder(std::size_t index) {
  return fmt::format("#n{}", index + 1);
}

void join(std::string& list, std::string_view separator, std::string_view item) {
  if (!list.empty()) {
    list += separator;
  }
  list += item;
}

}  // namespace

std::string open_key(const EventKey& key) {
  return R"({"id":)" + string_attribute(key.id) + R"(,"created_at":)" +
         string_attribute(key.created_at);
}

std::string ItemUpdate::name(std::string_view attribute) {
  const auto found = std::find(names_.begin(), names_.end(), attribute);
  const auto index = static_cast<std::size_t>(found - names_.begin());
  if (found == names_.end()) {
    names_.emplace_back(attribute);
  }
  return placeholder(index);
}

std::string ItemUpdate::value(std::string attribute_value) {
  values_.push_back(std::move(attribute_value));
  return fmt::format(":v{}", values_.size());
}

void ItemUpdate::set(std::string_view path, std::string_view operand) {
  join(set_, ", ", fmt::format("{} = {}", path, operand));
}

void ItemUpdate::remove(std::string_view path) {
  join(remove_, ", ", path);
}

void ItemUpdate::require(std::string_view condition) {
  join(condition_, " AND ", condition);
}

std::string ItemUpdate::input(std::string_view table, bool wants_new) const {
  std::string expression;
  if (!set_.empty()) {
    expression += "SET " + set_;
  }
  if (!remove_.empty()) {
    join(expression, " ", "REMOVE " + remove_);
  }
  std::string out = R"({"TableName":)";
  append_json_string(out, table);
  out += R"(,"Key":)" + open_key(key_) + R"(},"UpdateExpression":)";
  append_json_string(out, expression);
  out += R"(,"ConditionExpression":)";
  append_json_string(out, condition_);
  out += R"(,"ExpressionAttributeNames":{)";
  for (std::size_t i = 0; i < names_.size(); ++i) {
    out += fmt::format(R"({}"{}":)", i == 0 ? "" : ",", placeholder(i));
    append_json_string(out, names_[i]);
  }
  out += '}';
  if (!values_.empty()) {
    out += R"(,"ExpressionAttributeValues":{)";
    for (std::size_t i = 0; i < values_.size(); ++i) {
      out += fmt::format(R"({}":v{}":{})", i == 0 ? "" : ",", i + 1, values_[i]);
    }
    out += '}';
  }
  out += wants_new ? R"(,"ReturnValues":"ALL_NEW")" : "";
  return out + R"(,"ReturnValuesOnConditionCheckFailure":"ALL_OLD"})";
}

}  // namespace dispatcher
