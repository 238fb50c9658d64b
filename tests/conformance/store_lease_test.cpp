// Leases over HTTP: whole events, exclusive against other consumers and the engine, ended by their
// time.
#include "conformance/store_suite.hpp"

#include <algorithm>
#include <set>

namespace dispatcher::conformance {
namespace {

using std::chrono::seconds;

std::vector<bool> renew(Store& store, std::string token, std::vector<EventId> ids,
                        seconds duration) {
  return run(store.renew(std::move(token), std::move(ids), duration)).value();
}

TEST_P(StoreSuite, a_lease_takes_due_events_oldest_first) {
  (void)configure({"https://a.example/"});
  const Event first = append_event();
  advance(seconds{1});
  const Event second = append_event();
  advance(seconds{1});
  const Event third = append_event();
  const LeasedEvents leased = lease(2, seconds{60});
  EXPECT_EQ(ids_of(leased.events), ids_of({first, second}));
  EXPECT_FALSE(leased.token.empty());
  EXPECT_EQ(leased.events.at(0).event.payload, first.payload);
  EXPECT_EQ(leased.events.at(0).progress.status, EventStatus::pending);
  EXPECT_EQ(ids_of(lease(2, seconds{60}).events), ids_of({third}));
  EXPECT_TRUE(lease(2, seconds{60}).events.empty());
}

TEST_P(StoreSuite, an_event_that_matches_no_endpoint_is_leased_too) {
  const Event unrouted = append_event();
  EXPECT_EQ(ids_of(lease(10, seconds{60}).events), ids_of({unrouted}));
}

TEST_P(StoreSuite, a_lease_of_several_endpoints_events_is_in_the_order_of_their_due_times) {
  EventFilter a;
  a.types = {"a"};
  EventFilter b;
  b.types = {"b"};
  (void)configure({"https://a.example/", "https://b.example/"}, {a, b});
  std::vector<EventId> expected;
  for (const char* type : {"b", "a", "none", "a", "b", "none"}) {
    expected.push_back(append_event(type).id);
    advance(seconds{1});
  }
  EXPECT_EQ(ids_of(lease(5, seconds{60}).events),
            std::vector<EventId>(expected.begin(), expected.begin() + 5));
}

TEST_P(StoreSuite, an_event_with_several_deliveries_is_leased_once) {
  const auto endpoints = configure({"https://a.example/", "https://b.example/"});
  const Event event = append_event();
  EXPECT_EQ(ids_of(lease(10, seconds{60}).events), ids_of({event}));
  EXPECT_TRUE(claimed(endpoints[0].number, 1).empty());
  EXPECT_TRUE(claimed(endpoints[1].number, 1).empty());
}

TEST_P(StoreSuite, the_engine_leaves_a_leased_event_alone_until_the_lease_ends) {
  const auto endpoint = configure({"https://a.example/"}).at(0).number;
  const Event event = append_event();
  (void)lease(1, seconds{60});
  const ClaimAnswer answer = claim(endpoint, 1);
  EXPECT_TRUE(answer.deliveries.empty());
  EXPECT_EQ(answer.lanes.at(0).next_due, now() + seconds{60});
  kill_and_reopen();
  EXPECT_TRUE(claimed(endpoint, 1).empty());
  advance(seconds{60});
  EXPECT_EQ(ids_of(claimed(endpoint, 1)), ids_of({event}));
}

TEST_P(StoreSuite, no_event_with_a_delivery_in_flight_is_leased) {
  const auto endpoints = configure({"https://a.example/", "https://b.example/"});
  const auto events = append_events(2);
  const auto claims = claimed(endpoints[0].number, 1);
  EXPECT_EQ(ids_of(lease(10, seconds{60}).events), ids_of({events[1]}));
  ASSERT_TRUE(give_back(claims).has_value());
  EXPECT_EQ(ids_of(lease(10, seconds{60}).events), ids_of({events[0]}));
}

TEST_P(StoreSuite, what_is_due_later_is_not_leased) {
  const auto endpoint = configure({"https://a.example/"}).at(0).number;
  const Event event = append_event();
  ASSERT_TRUE(settle(claimed(endpoint, 1).at(0), Again{now() + seconds{300}, 0, 1}).has_value());
  EXPECT_TRUE(lease(10, seconds{60}).events.empty());
  advance(seconds{300});
  EXPECT_EQ(ids_of(lease(10, seconds{60}).events), ids_of({event}));
}

TEST_P(StoreSuite, a_lease_brings_nothing_forward) {
  const auto endpoints = configure({"https://a.example/", "https://b.example/"});
  (void)append_event();
  ASSERT_TRUE(
      settle(claimed(endpoints[0].number, 1).at(0), Again{now() + seconds{300}, 0, 1}).has_value());
  ASSERT_EQ(lease(1, seconds{60}).events.size(), 1U);
  advance(seconds{60});
  EXPECT_TRUE(claimed(endpoints[0].number, 1).empty());
  EXPECT_EQ(claimed(endpoints[1].number, 1).size(), 1U);
}

TEST_P(StoreSuite, concurrent_consumers_never_share_an_event) {
  (void)configure({"https://a.example/", "https://b.example/"});
  (void)append_events(200);
  std::vector<boost::asio::awaitable<Result<LeasedEvents>>> calls;
  for (int i = 0; i < 40; ++i) {
    LeaseRequest request;
    request.limit = 7;
    calls.push_back(store().lease(request));
  }
  std::set<EventId> seen;
  std::set<std::string> tokens;
  std::size_t total = 0;
  for (const auto& answer : run_together(std::move(calls))) {
    ASSERT_TRUE(answer.has_value());
    tokens.insert(answer->token);
    for (const auto& id : ids_of(answer->events)) {
      seen.insert(id);
      ++total;
    }
  }
  EXPECT_EQ(total, 200U);
  EXPECT_EQ(seen.size(), 200U);
  EXPECT_EQ(tokens.size(), 40U);
}

TEST_P(StoreSuite, an_expired_lease_may_be_taken_by_another) {
  const Event event = append_event();
  const LeasedEvents first = lease(1, seconds{60});
  advance(seconds{59});
  EXPECT_TRUE(lease(1, seconds{60}).events.empty());
  advance(seconds{1});
  const LeasedEvents second = lease(1, seconds{60});
  EXPECT_EQ(ids_of(second.events), ids_of({event}));
  EXPECT_EQ(ack(event.id, first.token).error().kind, ErrorKind::conflict);
  EXPECT_EQ(nack(event.id, first.token, {}).error().kind, ErrorKind::conflict);
  EXPECT_TRUE(ack(event.id, second.token).has_value());
}

TEST_P(StoreSuite, an_expired_lease_that_nobody_took_is_still_its_holders) {
  const auto events = append_events(3);
  const LeasedEvents leased = lease(3, seconds{60});
  advance(seconds{600});
  EXPECT_TRUE(ack(events[0].id, leased.token).has_value());
  EXPECT_TRUE(nack(events[1].id, leased.token, {}).has_value());
  EXPECT_EQ(renew(store(), leased.token, {events[2].id}, seconds{60}), std::vector{true});
  EXPECT_EQ(ids_of(lease(3, seconds{60}).events), ids_of({events[1]}));
}

TEST_P(StoreSuite, the_engine_may_take_what_an_expired_lease_held) {
  const auto endpoint = configure({"https://a.example/"}).at(0).number;
  const Event event = append_event();
  const LeasedEvents leased = lease(1, seconds{60});
  advance(seconds{60});
  const auto claims = claimed(endpoint, 1);
  ASSERT_EQ(claims.size(), 1U);
  EXPECT_EQ(ack(event.id, leased.token).error().kind, ErrorKind::conflict);
  EXPECT_EQ(nack(event.id, leased.token, {}).error().kind, ErrorKind::conflict);
  EXPECT_EQ(renew(store(), leased.token, {event.id}, seconds{60}), std::vector{false});
  EXPECT_TRUE(settle(claims.at(0), Delivered{}).has_value());
}

TEST_P(StoreSuite, what_the_engine_tried_since_is_an_expired_leases_no_more) {
  const auto endpoint = configure({"https://a.example/"}).at(0).number;
  const Event event = append_event();
  const LeasedEvents leased = lease(1, seconds{60});
  advance(seconds{60});
  ASSERT_TRUE(settle(claimed(endpoint, 1).at(0), Again{now(), 1, 0}).has_value());
  EXPECT_EQ(nack(event.id, leased.token, {}).error().kind, ErrorKind::refused);
  EXPECT_EQ(renew(store(), leased.token, {event.id}, seconds{60}), std::vector{false});
}

TEST_P(StoreSuite, a_renewed_lease_lasts_from_now) {
  const auto endpoint = configure({"https://a.example/"}).at(0).number;
  const Event event = append_event();
  const LeasedEvents leased = lease(1, seconds{60});
  advance(seconds{50});
  EXPECT_EQ(renew(store(), leased.token, {event.id}, seconds{60}), std::vector{true});
  advance(seconds{50});
  EXPECT_TRUE(claimed(endpoint, 1).empty());
  EXPECT_TRUE(lease(1, seconds{60}).events.empty());
  // A shorter one ends it sooner.
  EXPECT_EQ(renew(store(), leased.token, {event.id}, seconds{2}), std::vector{true});
  advance(seconds{2});
  EXPECT_EQ(claimed(endpoint, 1).size(), 1U);
}

TEST_P(StoreSuite, renewing_answers_for_each_event) {
  const auto events = append_events(4);
  const LeasedEvents mine = lease(3, seconds{60});
  const LeasedEvents others = lease(1, seconds{60});
  ASSERT_EQ(others.events.size(), 1U);
  ASSERT_TRUE(ack(events[1].id, mine.token).has_value());
  ASSERT_TRUE(run(store().erase(events[2].id)).has_value());
  EXPECT_EQ(renew(store(), mine.token, {events[0].id, events[1].id, events[2].id, events[3].id},
                  seconds{60}),
            (std::vector{true, false, false, false}));
  EXPECT_EQ(renew(store(), "no such token", {events[0].id}, seconds{60}), std::vector{false});
  EXPECT_EQ(renew(store(), "", {events[0].id}, seconds{60}), std::vector{false});
}

TEST_P(StoreSuite, the_inbox_shows_newest_first_and_leaves_out_leased_and_in_flight_ones) {
  EventFilter a;
  a.types = {"a"};
  const auto endpoint = configure({"https://a.example/"}, {a}).at(0).number;
  const Event in_flight = append_event("a");
  ASSERT_EQ(claimed(endpoint, 1).size(), 1U);
  const Event leased = append_event("b");
  ASSERT_EQ(ids_of(lease(1, seconds{60}).events), ids_of({leased}));
  const auto shown = append_events(3);
  const Event done = append_event("c");
  ASSERT_TRUE(ack(done.id).has_value());
  EXPECT_EQ(pending_ids(), ids_of({shown[2], shown[1], shown[0]}));
  EXPECT_EQ(pending_ids(2), ids_of({shown[2], shown[1]}));
  advance(seconds{60});
  EXPECT_EQ(pending_ids(), ids_of({shown[2], shown[1], shown[0], leased}));
}

TEST_P(StoreSuite, the_inbox_has_events_in_review_and_ends_at_its_bytes) {
  const auto endpoint = configure({"https://a.example/"}).at(0).number;
  const auto events = append_events(3);
  ASSERT_TRUE(settle(claimed(endpoint, 1).at(0), SentToReview{}).has_value());
  EXPECT_EQ(pending_ids(), ids_of({events[2], events[1], events[0]}));
  EXPECT_EQ(ids_of(run(store().pending(10, 1)).value()), ids_of({events[2]}));
}

}  // namespace
}  // namespace dispatcher::conformance
