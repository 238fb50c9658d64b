// Promise: whatever DynamoDB answers, an event that is read has a payload that is a JSON object,
// and a delivery that is read can be written and is read back the same; a value is the same plain
// JSON each time. Whatever a payload of the function holds, what it asks for is read or refused.
#include "adapters/dynamodb/attribute.hpp"
#include "adapters/dynamodb/table_item.hpp"

#include "base/json_scanner.hpp"
#include "fuzz/fuzz_target.hpp"
#include "hosts/lambda_payload.hpp"

#include <array>
#include <string>

namespace dispatcher::fuzz {
namespace {

using boost::json::object;
using boost::json::value;

constexpr std::array kOffsets{ClockOffset{}, ClockOffset{90'000'001}, ClockOffset{-90'000'001}};

bool is_kind(std::string_view text, JsonKind kind) {
  const JsonScan scan = scan_json(text);
  const auto* found = std::get_if<JsonValue>(&scan);
  return found != nullptr && found->kind == kind;
}

bool is_json(std::string_view text) {
  return std::holds_alternative<JsonValue>(scan_json(text));
}

// The same members in the other order: DynamoDB's maps have none.
value turned(const value& given) {
  if (given.is_array()) {
    boost::json::array elements;
    for (const value& element : given.get_array()) {
      elements.push_back(turned(element));
    }
    return elements;
  }
  if (!given.is_object()) {
    return given;
  }
  object members;
  const object& all = given.get_object();
  for (auto one = all.end(); one != all.begin();) {
    --one;
    members[one->key()] = turned(one->value());
  }
  return members;
}

void check_value(const value& attribute) {
  const auto plain = plain_json(attribute);
  promise(plain == plain_json(turned(attribute)), "a value is the same JSON each time");
  if (plain) {
    promise(is_json(*plain) && plain->find('\n') == std::string::npos,
            "a value's JSON is valid, and compact");
  }
}

bool is_same(const TableDelivery& a, const TableDelivery& b) {
  return a.endpoint_id == b.endpoint_id && a.state == b.state && a.attempts == b.attempts &&
         a.step == b.step && a.due == b.due && a.reason == b.reason && a.error == b.error;
}

void check_delivery(const TableDelivery& delivery, ClockOffset offset) {
  promise(delivery.attempts >= 0 && delivery.attempts < INT64_MAX && delivery.step >= 0,
          "a count can be gone on from");
  std::string item = R"({"deliveries":{"M":{)";
  std::string key = string_attribute(delivery.endpoint_id);  // `{"S":…}`
  item += key.substr(5, key.size() - 6) + ":" + delivery_attribute(delivery, offset) + "}}}";
  promise(is_kind(item, JsonKind::object), "a delivery is written as JSON");
  const auto parsed = parse_answer(item);
  promise(parsed.has_value(), "what is written is an item's");
  const auto again = deliveries_of(*parsed, offset);
  promise(again.size() == 1 && is_same(again[0], delivery), "what is written is read back");
}

void check_item(const object& item) {
  for (const ClockOffset offset : kOffsets) {
    for (const TableDelivery& delivery : deliveries_of(item, offset)) {
      check_delivery(delivery, offset);
    }
    const auto entry = entry_of(item, offset);
    const auto found = event_of(item, offset);
    promise(entry || !found, "an event has a key");
    if (found) {
      // In a body it stands between others.
      promise(is_kind(found->event->payload, JsonKind::object) &&
                  is_json("[" + found->event->payload + "]"),
              "a payload is a JSON object");
    } else {
      promise(found.error().kind == ErrorKind::invalid, "what cannot be sent is invalid");
    }
  }
}

void check_items(const object& answer) {
  check_item(answer);
  for (const std::string_view name : {"Attributes", "Item"}) {
    if (const object* item = object_in(answer, name)) {
      check_item(*item);
    }
  }
  const value* items = answer.if_contains("Items");
  if (items == nullptr || !items->is_array()) {
    return;
  }
  for (const value& item : items->get_array()) {
    if (item.is_object()) {
      check_item(item.get_object());
    }
  }
}

void check_order(std::string_view input) {
  const auto order = read_order(input);
  if (!order) {
    promise(order.error().kind == ErrorKind::invalid, "what cannot be asked for is invalid");
    return;
  }
  const auto* stream = std::get_if<StreamOrder>(&*order);
  if (stream == nullptr) {
    return;
  }
  std::vector<std::string> numbers;
  for (const StreamOrder::Inserted& one : stream->inserted) {
    promise(parse_uuid(one.key.id) && parse_timestamp(one.key.created_at), "a key is an event's");
    promise(!one.sequence_number.empty(), "a record has its place");
    numbers.push_back(one.sequence_number);
  }
  promise(is_kind(stream_answer(numbers), JsonKind::object), "a stream's answer is JSON");
}

void check(std::string_view input) {
  check_order(input);
  promise(is_kind(function_answer(input), JsonKind::object) || !is_json(input),
          "an answer with JSON in it is JSON");
  if (const auto answer = parse_answer(input)) {
    check_value(*answer);
    for (const auto& member : *answer) {
      check_value(member.value());
    }
    check_items(*answer);
  }
}

const Registration kTarget{"table", check};

}  // namespace
}  // namespace dispatcher::fuzz
