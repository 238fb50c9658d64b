// Promises: an event's item is read as what the original or we have put there, its times by the
// local clock; a delivery that is written is read back the same, due not before it was asked for;
// an item that cannot be sent says what it lacks.
#include "adapters/dynamodb/table_item.hpp"

#include "adapters/dynamodb/attribute.hpp"

#include <gtest/gtest.h>

#include <fmt/format.h>

#include <map>
#include <vector>

namespace dispatcher {
namespace {

using boost::json::object;
using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::string_view kId = "550e8400-e29b-41d4-a716-446655440000";
constexpr std::string_view kCreated = "2026-01-01T00:00:00.123456Z";
constexpr WallTime kNow{seconds{1'767'225'600}};  // 2026-01-01T00:00:00Z
const std::vector<ClockOffset> kOffsets{ClockOffset{}, seconds{90}, -hours{3}, microseconds{1},
                                        microseconds{-1}};

using Attributes = std::map<std::string, std::string, std::less<>>;

// As the original writes one.
Attributes item() {
  return {{"id", string_attribute(kId)},
          {"created_at", string_attribute(kCreated)},
          {"type", string_attribute("user.created")},
          {"source", string_attribute("web")},
          {"status", string_attribute("pending")},
          {"payload", R"({"M":{"b":{"N":"1"},"a":{"L":[]}}})"}};
}

object parsed(const Attributes& attributes) {
  std::string text = "{";
  for (const auto& [name, value] : attributes) {
    text += fmt::format(R"({}"{}":{})", text.size() == 1 ? "" : ",", name, value);
  }
  auto answer = parse_answer(text + "}");
  EXPECT_TRUE(answer) << text;
  return std::move(answer).value_or(object{});
}

Attributes with_delivery(std::string_view fields) {
  Attributes attributes = item();
  attributes["deliveries"] = fmt::format(R"({{"M":{{"ep-1":{}}}}})", fields);
  return attributes;
}

std::vector<TableDelivery> read_back(const TableDelivery& delivery, ClockOffset offset) {
  return deliveries_of(parsed(with_delivery(delivery_attribute(delivery, offset))), offset);
}

// -- deliveries

TEST(table_delivery, each_member_is_under_its_name) {
  TableDelivery delivery;
  delivery.endpoint_id = "ep-1";
  delivery.state = DeliveryState::review;
  delivery.attempts = 6;
  delivery.step = 2;
  delivery.due = kNow;
  delivery.reason = ReviewReason::exhausted;
  delivery.error = "status: 500 \"no\"";
  EXPECT_EQ(delivery_attribute(delivery, ClockOffset{}),
            R"({"M":{"state":{"S":"review"},"attempts":{"N":"6"},"step":{"N":"2"},)"
            R"("due":{"N":"1767225600000"},"reason":{"S":"exhausted"},)"
            R"("error":{"S":"status: 500 \"no\""}}})");
}

TEST(table_delivery, an_absent_value_is_an_absent_member) {
  TableDelivery delivery;
  delivery.endpoint_id = "ep-1";
  EXPECT_EQ(delivery_attribute(delivery, ClockOffset{}),
            R"({"M":{"state":{"S":"waiting"},"attempts":{"N":"0"},"step":{"N":"0"}}})");
  const auto read = read_back(delivery, ClockOffset{});
  ASSERT_EQ(read.size(), 1U);
  EXPECT_EQ(read[0].due, std::nullopt);
  EXPECT_EQ(read[0].reason, std::nullopt);
  EXPECT_EQ(read[0].error, "");
}

TEST(table_delivery, what_is_written_is_read_back) {
  for (const ClockOffset offset : kOffsets) {
    for (const DeliveryState state :
         {DeliveryState::waiting, DeliveryState::delivered, DeliveryState::review}) {
      for (const auto reason :
           {std::optional<ReviewReason>{}, std::optional{ReviewReason::rejected},
            std::optional{ReviewReason::redirected}, std::optional{ReviewReason::blocked},
            std::optional{ReviewReason::exhausted}}) {
        TableDelivery delivery;
        delivery.endpoint_id = "ep-1";
        delivery.state = state;
        delivery.attempts = 41;
        delivery.step = 3;
        delivery.due = kNow + offset;
        delivery.reason = reason;
        delivery.error = "connect: näh\n";
        const auto read = read_back(delivery, offset);
        ASSERT_EQ(read.size(), 1U);
        EXPECT_EQ(read[0].endpoint_id, delivery.endpoint_id);
        EXPECT_EQ(read[0].state, delivery.state);
        EXPECT_EQ(read[0].attempts, delivery.attempts);
        EXPECT_EQ(read[0].step, delivery.step);
        EXPECT_EQ(read[0].due, delivery.due) << offset.count();
        EXPECT_EQ(read[0].reason, delivery.reason);
        EXPECT_EQ(read[0].error, delivery.error);
      }
    }
  }
}

TEST(table_delivery, it_is_not_due_before_the_time_asked_for_nor_a_millisecond_after_it) {
  for (const ClockOffset offset : kOffsets) {
    for (const int micros : {0, 1, 499, 500, 999}) {
      TableDelivery delivery;
      delivery.due = kNow + microseconds{micros};
      const auto due = read_back(delivery, offset).at(0).due;
      ASSERT_TRUE(due);
      EXPECT_GE(*due, *delivery.due) << micros << ' ' << offset.count();
      EXPECT_LT(*due, *delivery.due + milliseconds{1}) << micros << ' ' << offset.count();
    }
  }
}

TEST(table_delivery, the_table_s_clock_is_ours_without_the_offset) {
  // Ours is 90 s ahead, or behind.
  EXPECT_EQ(table_millis(kNow, seconds{90}), 1'767'225'510'000);
  EXPECT_EQ(table_millis(kNow, seconds{-90}), 1'767'225'690'000);
  const auto read =
      deliveries_of(parsed(with_delivery(R"({"M":{"due":{"N":"1767225600000"}}})")), seconds{90});
  EXPECT_EQ(read.at(0).due, kNow + seconds{90});
}

TEST(table_delivery, odd_ones_wait_and_are_tried) {
  for (const std::string_view fields :
       {R"({"M":{}})", R"({"M":{"state":{"S":"asleep"}}})", R"({"M":{"state":{"N":"1"}}})",
        R"({"M":{"attempts":{"N":"-4"},"step":{"N":"-1"},"due":{"S":"1"}}})",
        R"({"M":{"attempts":{"N":"1.5"},"step":{"S":"2"},"due":{"NULL":true},"reason":7}})",
        R"({"M":{"reason":{"S":"bored"},"error":{"N":"1"}}})"}) {
    const auto read = deliveries_of(parsed(with_delivery(fields)), ClockOffset{});
    ASSERT_EQ(read.size(), 1U) << fields;
    EXPECT_EQ(read[0].state, DeliveryState::waiting) << fields;
    EXPECT_EQ(read[0].attempts, 0) << fields;
    EXPECT_EQ(read[0].step, 0) << fields;
    EXPECT_EQ(read[0].due, std::nullopt) << fields;
    EXPECT_EQ(read[0].reason, std::nullopt) << fields;
    EXPECT_EQ(read[0].error, "") << fields;
  }
}

TEST(table_delivery, numbers_past_all_sense_can_still_be_counted_on_from) {
  const auto read =
      deliveries_of(parsed(with_delivery(R"({"M":{"attempts":{"N":"9223372036854775807"},)"
                                         R"("step":{"N":"9223372036854775807"},)"
                                         R"("due":{"N":"9223372036854775807"}}})")),
                    hours{24});
  ASSERT_EQ(read.size(), 1U);
  EXPECT_LT(read[0].attempts, INT64_MAX);
  EXPECT_EQ(read[0].step, 1000);
  EXPECT_EQ(format_timestamp(*read[0].due - hours{24}), "9999-12-31T23:59:59.999000Z");
  const auto early = deliveries_of(
      parsed(with_delivery(R"({"M":{"due":{"N":"-9223372036854775808"}}})")), ClockOffset{});
  EXPECT_EQ(early.at(0).due, WallTime{});
}

TEST(table_delivery, what_is_no_map_is_none) {
  for (const std::string_view deliveries :
       {R"({"S":"a"})", R"({"L":[]})", R"({"M":{}})", R"({"M":{"ep-1":{"S":"delivered"}}})",
        R"({"M":{"ep-1":7}})", R"({"NULL":true})", "7"}) {
    Attributes attributes = item();
    attributes["deliveries"] = deliveries;
    EXPECT_TRUE(deliveries_of(parsed(attributes), ClockOffset{}).empty()) << deliveries;
  }
  EXPECT_TRUE(deliveries_of(parsed(item()), ClockOffset{}).empty());
}

// -- entries

TEST(table_entry, it_has_its_key_as_it_is_stored_and_its_times_by_our_clock) {
  Attributes attributes = with_delivery(R"({"M":{"state":{"S":"delivered"}}})");
  attributes["id"] = string_attribute("550E8400-E29B-41D4-A716-446655440000");
  attributes["created_at"] = string_attribute("2026-01-01T00:00:00+00:00");
  attributes["lease_until"] = number_attribute(1'767'225'600'500);
  attributes["ttl"] = number_attribute(1'767'225'600);
  for (const ClockOffset offset : kOffsets) {
    const auto entry = entry_of(parsed(attributes), offset);
    ASSERT_TRUE(entry);
    EXPECT_EQ(entry->key.id, "550E8400-E29B-41D4-A716-446655440000");
    EXPECT_EQ(entry->key.created_at, "2026-01-01T00:00:00+00:00");
    EXPECT_EQ(entry->lease_until, kNow + milliseconds{500} + offset);
    EXPECT_EQ(entry->expires_at, kNow + offset);
    ASSERT_EQ(entry->deliveries.size(), 1U);
    EXPECT_EQ(entry->deliveries[0].state, DeliveryState::delivered);
  }
}

TEST(table_entry, what_the_item_lacks_it_lacks) {
  const auto entry = entry_of(parsed(item()), ClockOffset{});
  ASSERT_TRUE(entry);
  EXPECT_EQ(entry->lease_until, std::nullopt);
  EXPECT_EQ(entry->expires_at, std::nullopt);
  EXPECT_TRUE(entry->deliveries.empty());
}

TEST(table_entry, a_ttl_that_is_no_time_to_come_or_past_is_none) {
  for (const std::string_view ttl : {"0", "-1", "1.5", "253402300800", "9223372036854775807"}) {
    Attributes attributes = item();
    attributes["ttl"] = fmt::format(R"({{"N":"{}"}})", ttl);
    EXPECT_EQ(entry_of(parsed(attributes), ClockOffset{})->expires_at, std::nullopt) << ttl;
  }
}

TEST(table_entry, a_key_that_is_no_event_s_is_none) {
  struct Case {
    std::string_view name;
    std::string_view value;
  };
  for (const Case& one :
       {Case{"id", R"({"S":"user-7"})"}, Case{"id", R"({"N":"7"})"}, Case{"id", R"({"S":""})"},
        Case{"created_at", R"({"S":"yesterday"})"}, Case{"created_at", R"({"N":"1767225600"})"},
        Case{"created_at", R"({"S":""})"}}) {
    Attributes attributes = item();
    attributes[std::string{one.name}] = one.value;
    EXPECT_FALSE(entry_of(parsed(attributes), ClockOffset{})) << one.name << one.value;
    attributes.erase(std::string{one.name});
    EXPECT_FALSE(entry_of(parsed(attributes), ClockOffset{})) << one.name;
  }
}

// -- events

TEST(table_event, it_is_what_was_ingested) {
  const auto found = event_of(parsed(item()), ClockOffset{});
  ASSERT_TRUE(found);
  EXPECT_EQ(to_string(found->event->id), kId);
  EXPECT_EQ(found->event->type, "user.created");
  EXPECT_EQ(found->event->source, "web");
  EXPECT_EQ(found->event->payload, R"({"a":[],"b":1})");
  EXPECT_EQ(format_timestamp(found->event->created_at), kCreated);
  EXPECT_TRUE(found->deliveries.empty());
}

TEST(table_event, when_it_was_created_is_no_time_of_the_table_s_clock) {
  const auto found = event_of(parsed(item()), hours{5});
  EXPECT_EQ(format_timestamp(found.value().event->created_at), kCreated);
}

TEST(table_event, its_deliveries_come_with_it) {
  const auto found =
      event_of(parsed(with_delivery(R"({"M":{"attempts":{"N":"2"},"due":{"N":"1767225600000"}}})")),
               seconds{7});
  ASSERT_TRUE(found);
  ASSERT_EQ(found->deliveries.size(), 1U);
  EXPECT_EQ(found->deliveries[0].endpoint_id, "ep-1");
  EXPECT_EQ(found->deliveries[0].attempts, 2);
  EXPECT_EQ(found->deliveries[0].due, kNow + seconds{7});
}

TEST(table_event, its_payload_is_the_text_ingested_before_anything_made_of_it) {
  struct Case {
    std::string_view raw;
    std::string_view payload;
    std::string_view sent;
  };
  const std::string_view map = R"({"M":{"a":{"N":"1"}}})";
  const std::string_view text = R"({"S":"{ \"t\" : 1.0 }"})";
  for (const Case& one : {
           Case{R"({"S":"{ \"r\" : 1e2 }"})", map, R"({ "r" : 1e2 })"},
           Case{R"({"S":"{ \"r\" : 1e2 }"})", text, R"({ "r" : 1e2 })"},
           Case{"", map, R"({"a":1})"},
           Case{"", text, R"({ "t" : 1.0 })"},
           Case{R"({"S":"[1]"})", map, R"({"a":1})"},
           Case{R"({"S":"{"})", text, R"({ "t" : 1.0 })"},
           Case{R"({"S":""})", map, R"({"a":1})"},
           Case{R"({"N":"1"})", map, R"({"a":1})"},
           Case{"", R"({"M":{}})", "{}"},
       }) {
    Attributes attributes = item();
    if (!one.raw.empty()) {
      attributes["payload_raw"] = one.raw;
    }
    attributes["payload"] = one.payload;
    const auto found = event_of(parsed(attributes), ClockOffset{});
    ASSERT_TRUE(found) << one.raw << one.payload;
    EXPECT_EQ(found->event->payload, one.sent) << one.raw << one.payload;
  }
}

// What stands around it would stand in the middle of a body.
TEST(table_event, its_payload_is_the_object_without_what_stands_around_it) {
  Attributes attributes = item();
  attributes["payload_raw"] = R"({"S":"\ufeff\r\n {\"a\": 1}\n"})";
  EXPECT_EQ(event_of(parsed(attributes), ClockOffset{}).value().event->payload, R"({"a": 1})");
}

TEST(table_event, what_cannot_be_sent_says_what_it_lacks) {
  struct Case {
    std::string_view name;
    std::string_view value;
    std::string_view lack;
  };
  for (const Case& one :
       {Case{"type", "", "type"}, Case{"type", R"({"N":"1"})", "type"},
        Case{"source", "", "source"}, Case{"source", R"({"NULL":true})", "source"},
        Case{"payload", "", "payload"}, Case{"payload", R"({"S":"text"})", "payload"},
        Case{"payload", R"({"L":[]})", "payload"},
        Case{"payload", R"({"M":{"a":{"X":"1"}}})", "payload"},
        Case{"payload", R"({"M":{"a":{"N":"1 "}}})", "payload"},
        Case{"id", R"({"S":"7"})", "id and created_at"},
        Case{"created_at", R"({"S":"7"})", "id and created_at"}}) {
    Attributes attributes = item();
    attributes.erase(std::string{one.name});
    if (!one.value.empty()) {
      attributes[std::string{one.name}] = one.value;
    }
    const auto found = event_of(parsed(attributes), ClockOffset{});
    ASSERT_FALSE(found) << one.name << one.value;
    EXPECT_EQ(found.error().kind, ErrorKind::invalid);
    EXPECT_EQ(found.error().message, fmt::format("the item has no {} that can be sent", one.lack));
  }
}

}  // namespace
}  // namespace dispatcher
