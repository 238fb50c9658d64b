// Promises: an event may be tried when nobody has it and one of its deliveries is due, or when it
// only lacks its acknowledgement; it is in review when it waits for nothing but a person.
#include "adapters/http_inbox/table_scan.hpp"

#include <gtest/gtest.h>

namespace dispatcher {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;

constexpr WallTime kNow{seconds{1'767'225'600}};
const std::vector<std::string> kTwo{"a", "b"};

TableDelivery of(std::string id, DeliveryState state, std::optional<seconds> due_in = {}) {
  TableDelivery delivery;
  delivery.endpoint_id = std::move(id);
  delivery.state = state;
  if (due_in) {
    delivery.due = kNow + *due_in;
  }
  return delivery;
}

constexpr auto kWaiting = DeliveryState::waiting;
constexpr auto kDelivered = DeliveryState::delivered;
constexpr auto kReview = DeliveryState::review;

TEST(table_entry, what_is_takeable_and_what_is_in_review) {
  struct Case {
    std::string_view name;
    std::vector<TableDelivery> deliveries;
    bool is_takeable;
    bool is_in_review;
  };
  for (const Case& one : {
           Case{"new", {}, true, false},
           Case{"both wait, without a time", {of("a", kWaiting), of("b", kWaiting)}, true, false},
           Case{"one is due now",
                {of("a", kWaiting, seconds{0}), of("b", kWaiting, seconds{1})},
                true,
                false},
           Case{"both are due later",
                {of("a", kWaiting, seconds{1}), of("b", kWaiting, seconds{1})},
                false,
                false},
           Case{"one is due, the other in review",
                {of("a", kReview), of("b", kWaiting, seconds{-1})},
                true,
                false},
           Case{"one is due later, the other in review",
                {of("a", kReview), of("b", kWaiting, seconds{1})},
                false,
                false},
           Case{"one is due later, the other delivered",
                {of("a", kDelivered), of("b", kWaiting, seconds{1})},
                false,
                false},
           Case{"one is delivered, the other unheard of", {of("b", kDelivered)}, true, false},
           Case{"one is in review, the other unheard of", {of("a", kReview)}, true, false},
           Case{"one is due later, the other unheard of",
                {of("a", kWaiting, seconds{1})},
                true,
                false},
           Case{"both are delivered", {of("a", kDelivered), of("b", kDelivered)}, true, false},
           Case{"both are in review", {of("a", kReview), of("b", kReview)}, false, true},
           Case{"one is delivered, the other in review",
                {of("a", kDelivered), of("b", kReview)},
                false,
                true},
           Case{"a time has no part in what is in review",
                {of("a", kReview, seconds{-9}), of("b", kReview, seconds{-9})},
                false,
                true},
           Case{"a URL that is gone counts for nothing",
                {of("a", kDelivered), of("b", kDelivered), of("gone", kReview)},
                true,
                false},
           Case{"nor does what it waits for",
                {of("a", kReview), of("b", kReview), of("gone", kWaiting)},
                false,
                true},
           Case{"a state of the other store's waits",
                {of("a", DeliveryState::in_flight, seconds{1}),
                 of("b", DeliveryState::discarded, seconds{-1})},
                true,
                false},
       }) {
    TableEntry entry;
    entry.deliveries = one.deliveries;
    EXPECT_EQ(!waits_of(entry, kTwo, kNow).empty(), one.is_takeable) << one.name;
    EXPECT_EQ(is_in_review(entry, kTwo), one.is_in_review) << one.name;
  }
}

TEST(table_entry, what_it_waits_for_is_due_since_it_came_or_failed) {
  TableEntry entry;
  entry.key.created_at = "2026-01-01T00:00:00Z";
  const WallTime created = *parse_timestamp(entry.key.created_at);
  const WallTime now = created + seconds{60};
  using Waits = std::vector<TableWait>;
  EXPECT_EQ(waits_of(entry, kTwo, now), (Waits{{0, created}, {1, created}}));
  EXPECT_EQ(waits_of(entry, kTwo, created - seconds{1}),
            (Waits{{0, created - seconds{1}}, {1, created - seconds{1}}}))
      << "another clock's future is now";
  entry.deliveries = {of("a", kWaiting)};
  entry.deliveries[0].due = created + seconds{50};
  EXPECT_EQ(waits_of(entry, kTwo, now), (Waits{{0, created + seconds{50}}, {1, created}}));
  entry.deliveries = {of("a", kDelivered), of("b", kWaiting)};
  EXPECT_EQ(waits_of(entry, kTwo, now), (Waits{{1, created}}));
  entry.deliveries[1].state = kDelivered;
  EXPECT_EQ(waits_of(entry, kTwo, now), (Waits{{2, created}})) << "its acknowledgement";
}

TEST(table_entry, a_lease_that_lives_keeps_it_and_one_that_has_ended_does_not) {
  struct Case {
    microseconds left;
    bool is_takeable;
  };
  for (const Case& one : {Case{seconds{30}, false}, Case{microseconds{1}, false},
                          // As the claim's own condition has it.
                          Case{microseconds{0}, false}, Case{microseconds{-1}, true}}) {
    TableEntry entry;
    entry.lease_until = kNow + one.left;
    EXPECT_EQ(!waits_of(entry, kTwo, kNow).empty(), one.is_takeable) << one.left.count();
    entry.deliveries = {of("a", kDelivered), of("b", kDelivered)};
    EXPECT_EQ(!waits_of(entry, kTwo, kNow).empty(), one.is_takeable) << one.left.count();
    entry.deliveries = {of("a", kReview), of("b", kReview)};
    EXPECT_TRUE(is_in_review(entry, kTwo)) << "a lease changes nothing about that";
  }
}

}  // namespace
}  // namespace dispatcher
