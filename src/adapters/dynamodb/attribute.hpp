// Attribute values as DynamoDB writes them in JSON: each value under the letter of its type.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html
// Pure.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace dispatcher {

// An answer's object; empty when the text is none. Items nest up to 32 deep, each level in two of
// JSON's.
[[nodiscard]] std::optional<boost::json::object> parse_answer(std::string_view text);

// The member, when it is an object.
[[nodiscard]] const boost::json::object* object_in(const boost::json::object& object,
                                                   std::string_view name);

// An attribute of that type: empty where there is none. Views live as long as the item.
[[nodiscard]] std::optional<std::string_view> string_in(const boost::json::object& item,
                                                        std::string_view name);
[[nodiscard]] std::optional<std::int64_t> whole_number_in(const boost::json::object& item,
                                                          std::string_view name);
[[nodiscard]] const boost::json::object* map_in(const boost::json::object& item,
                                                std::string_view name);

// The value as plain JSON, the same text for the same value: members sorted by their names' bytes,
// numbers as they are stored, sets as arrays, binary as its base64. Empty when it is no attribute
// value.
[[nodiscard]] std::optional<std::string> plain_json(const boost::json::value& attribute);

// `{"S":"…"}`, `{"N":"…"}`
[[nodiscard]] std::string string_attribute(std::string_view text);
[[nodiscard]] std::string number_attribute(std::int64_t number);

}  // namespace dispatcher
