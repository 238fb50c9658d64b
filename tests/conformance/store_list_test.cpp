// Lists, counts and figures: what they filter, how they page, and that they add up.
#include "conformance/store_suite.hpp"

#include <algorithm>

namespace dispatcher::conformance {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

EventQuery with_status(EventStatus status) {
  EventQuery query;
  query.status = status;
  return query;
}

EventQuery in_state(DeliveryState state) {
  EventQuery query;
  query.state = state;
  return query;
}

std::vector<EventId> reversed(std::vector<EventId> ids) {
  std::ranges::reverse(ids);
  return ids;
}

TEST_P(StoreSuite, a_list_pages_through_all_events_in_either_order) {
  const auto events = append_events(25);
  EventQuery query;
  for (const std::size_t page : {1U, 7U, 25U, 100U}) {
    query.newest_first = true;
    EXPECT_EQ(ids_of(list_all(query, page)), reversed(ids_of(events)));
    query.newest_first = false;
    EXPECT_EQ(ids_of(list_all(query, page)), ids_of(events));
  }
}

TEST_P(StoreSuite, a_page_ends_at_its_bytes_but_has_at_least_one) {
  const auto events = append_events(3);
  const std::size_t size = events[0].payload.size();
  const auto one = run(store().list({}, std::nullopt, 10, 1)).value();
  EXPECT_EQ(one.events.size(), 1U);
  EXPECT_TRUE(one.next);
  const auto two = run(store().list({}, std::nullopt, 10, 2 * size)).value();
  EXPECT_EQ(two.events.size(), 2U);
  const auto rest = run(store().list({}, two.next, 10, 2 * size)).value();
  EXPECT_EQ(ids_of(rest.events), ids_of({events[0]}));
}

TEST_P(StoreSuite, a_list_goes_on_where_it_was_though_events_come_and_go) {
  const auto events = append_events(6);
  const auto first = run(store().list({}, std::nullopt, 2, 1'000'000)).value();
  EXPECT_EQ(ids_of(first.events), ids_of({events[5], events[4]}));
  (void)append_events(3);
  ASSERT_TRUE(run(store().erase(events[4].id)).has_value());
  ASSERT_TRUE(run(store().erase(events[3].id)).has_value());
  const auto second = run(store().list({}, first.next, 2, 1'000'000)).value();
  EXPECT_EQ(ids_of(second.events), ids_of({events[2], events[1]}));
}

TEST_P(StoreSuite, events_are_listed_by_status) {
  const auto events = append_events(5);
  ASSERT_TRUE(ack(events[1].id).has_value());
  ASSERT_TRUE(ack(events[3].id).has_value());
  EXPECT_EQ(ids_of(list_all(with_status(EventStatus::delivered), 1)),
            ids_of({events[3], events[1]}));
  EXPECT_EQ(ids_of(list_all(with_status(EventStatus::pending), 2)),
            ids_of({events[4], events[2], events[0]}));
  EXPECT_TRUE(list_all(with_status(EventStatus::failed)).empty());
  EXPECT_EQ(run(store().count(with_status(EventStatus::delivered))).value(), 2);
  EXPECT_EQ(run(store().count(with_status(EventStatus::pending))).value(), 3);
  EXPECT_EQ(run(store().count({})).value(), 5);
}

TEST_P(StoreSuite, events_are_listed_by_their_deliveries_state) {
  const auto endpoint = configure({"https://a.example/"}).at(0).number;
  const auto events = append_events(5);
  const auto claims = claimed(endpoint, 4);
  ASSERT_TRUE(settle(claims.at(0), Delivered{}).has_value());
  ASSERT_TRUE(settle(claims.at(1), SentToReview{ReviewReason::blocked}).has_value());
  ASSERT_TRUE(ack(events[2].id).has_value());
  EXPECT_EQ(ids_of(list_all(in_state(DeliveryState::delivered))), ids_of({events[0]}));
  EXPECT_EQ(ids_of(list_all(in_state(DeliveryState::review))), ids_of({events[1]}));
  EXPECT_EQ(ids_of(list_all(in_state(DeliveryState::discarded))), ids_of({events[2]}));
  EXPECT_EQ(ids_of(list_all(in_state(DeliveryState::in_flight))), ids_of({events[3]}));
  EXPECT_EQ(ids_of(list_all(in_state(DeliveryState::waiting))), ids_of({events[4]}));
  EXPECT_EQ(run(store().count(in_state(DeliveryState::review))).value(), 1);
}

TEST_P(StoreSuite, an_event_is_listed_once_however_many_of_its_deliveries_match) {
  const auto endpoints = configure({"https://a.example/", "https://b.example/"});
  const auto events = append_events(3);
  for (const Endpoint& endpoint : endpoints) {
    for (const auto& claim : claimed(endpoint.number, 3)) {
      ASSERT_TRUE(settle(claim, SentToReview{ReviewReason::rejected}).has_value());
    }
  }
  for (const std::size_t page : {1U, 2U, 10U}) {
    EXPECT_EQ(ids_of(list_all(in_state(DeliveryState::review), page)), reversed(ids_of(events)));
  }
  EXPECT_EQ(run(store().count(in_state(DeliveryState::review))).value(), 3);
}

TEST_P(StoreSuite, events_are_listed_by_review_reason) {
  const auto endpoint = configure({"https://a.example/"}).at(0).number;
  const auto events = append_events(3);
  const auto claims = claimed(endpoint, 3);
  ASSERT_TRUE(settle(claims.at(0), SentToReview{ReviewReason::rejected}).has_value());
  ASSERT_TRUE(settle(claims.at(1), SentToReview{ReviewReason::exhausted}).has_value());
  EventQuery query;
  query.reason = ReviewReason::exhausted;
  EXPECT_EQ(ids_of(list_all(query)), ids_of({events[1]}));
  query.state = DeliveryState::review;
  EXPECT_EQ(ids_of(list_all(query)), ids_of({events[1]}));
  query.state = DeliveryState::waiting;
  EXPECT_TRUE(list_all(query).empty());
}

TEST_P(StoreSuite, events_are_listed_by_endpoint_and_one_delivery_must_match_all) {
  EventFilter a;
  a.types = {"a", "ab"};
  EventFilter b;
  b.types = {"b", "ab"};
  const auto endpoints = configure({"https://a.example/", "https://b.example/"}, {a, b});
  const Event only_a = append_event("a");
  const Event only_b = append_event("b");
  const Event both = append_event("ab");
  EventQuery query;
  query.endpoint_id = endpoints[0].id;
  EXPECT_EQ(ids_of(list_all(query)), ids_of({both, only_a}));
  for (const auto& claim : claimed(endpoints[1].number, 2)) {
    ASSERT_TRUE(settle(claim, SentToReview{ReviewReason::rejected}).has_value());
  }
  query.state = DeliveryState::review;
  EXPECT_TRUE(list_all(query).empty());
  query.endpoint_id = endpoints[1].id;
  EXPECT_EQ(ids_of(list_all(query)), ids_of({both, only_b}));
  query.endpoint_id = "no such endpoint";
  EXPECT_TRUE(list_all(query).empty());
  EXPECT_EQ(run(store().count(query)).value(), 0);
}

TEST_P(StoreSuite, type_source_and_time_narrow_a_list) {
  const Event first = append_event("a", "x");
  advance(seconds{1});
  const Event second = append_event("a", "y");
  advance(seconds{1});
  const Event third = append_event("b", "x");
  EventQuery query;
  query.type = "a";
  EXPECT_EQ(ids_of(list_all(query)), ids_of({second, first}));
  query.source = "x";
  EXPECT_EQ(ids_of(list_all(query)), ids_of({first}));
  query = {};
  query.from = second.created_at;
  EXPECT_EQ(ids_of(list_all(query)), ids_of({third, second}));
  query.to = second.created_at;
  EXPECT_EQ(ids_of(list_all(query)), ids_of({second}));
  EXPECT_EQ(run(store().count(query)).value(), 1);
  query = with_status(EventStatus::pending);
  query.type = "b";
  EXPECT_EQ(ids_of(list_all(query)), ids_of({third}));
  EXPECT_EQ(run(store().count(query)).value(), 1);
}

TEST_P(StoreSuite, a_needle_among_many_events_is_found) {
  for (int i = 0; i < 9; ++i) {
    (void)append_events(1000);
    if (i == 4) {
      (void)append_event("needle");
    }
  }
  EventQuery query;
  query.type = "needle";
  EXPECT_EQ(list_all(query).size(), 1U);
  EXPECT_EQ(run(store().count(query)).value(), 1);
}

// -- figures

// A read looks at some thousands of events at most: an answer without a next page has walked
// nothing but what was asked for.
TEST_P(StoreSuite, a_few_of_one_endpoint_are_found_at_once_among_many) {
  EventFilter rare;
  rare.types = {"rare"};
  EventFilter usual;
  usual.types = {"usual"};
  const auto numbers = configure({"https://a.example/", "https://b.example/"}, {rare, usual});
  std::vector<EventId> expected;
  for (int round = 0; round < 5; ++round) {
    AppendRequest request;
    request.events.push_back(make_event("rare"));
    expected.push_back(request.events.back().id);
    for (int i = 0; i < 1'000; ++i) {
      request.events.push_back(make_event("usual"));
    }
    ASSERT_TRUE(run(store().append(std::move(request))).has_value());
  }
  const auto expect_at_once = [&](const EventQuery& query, std::vector<EventId> ids) {
    const auto page = run(store().list(query, std::nullopt, 100, 64 * 1024 * 1024)).value();
    EXPECT_EQ(ids_of(page.events), ids);
    EXPECT_FALSE(page.next);
    EXPECT_EQ(run(store().count(query)).value(), static_cast<std::int64_t>(ids.size()));
  };
  EventQuery query;
  query.endpoint_id = numbers[0].id;
  query.newest_first = false;
  query.state = DeliveryState::waiting;
  expect_at_once(query, expected);
  std::vector<boost::asio::awaitable<Result<SettleAnswer>>> calls;
  for (const ClaimedDelivery& claim : claimed(numbers[1].number, 5'000)) {
    calls.push_back(store().settle(settlement(claim, SentToReview{ReviewReason::rejected})));
  }
  for (const auto& answer : run_together(std::move(calls))) {
    ASSERT_TRUE(answer.has_value());
  }
  for (const ClaimedDelivery& claim : claimed(numbers[0].number, 2)) {
    ASSERT_TRUE(settle(claim, SentToReview{ReviewReason::exhausted}).has_value());
  }
  query.state = DeliveryState::review;
  expect_at_once(query, {expected[0], expected[1]});
  query.newest_first = true;
  expect_at_once(query, {expected[1], expected[0]});
  query.state.reset();
  query.reason = ReviewReason::exhausted;
  expect_at_once(query, {expected[1], expected[0]});
  query.type = "usual";
  expect_at_once(query, {});
  query = {};
  query.endpoint_id = numbers[0].id;
  query.state = DeliveryState::waiting;
  expect_at_once(query, {expected[4], expected[3], expected[2]});
}

TEST_P(StoreSuite, the_summary_adds_up_after_every_step) {
  const auto endpoints = configure({"https://a.example/", "https://b.example/"});
  const auto expect = [this](std::int64_t pending, std::int64_t delivered, std::int64_t failed) {
    const Summary seen = summary();
    EXPECT_EQ(seen.pending, pending);
    EXPECT_EQ(seen.delivered, delivered);
    EXPECT_EQ(seen.failed, failed);
    EXPECT_EQ(seen.total, pending + delivered + failed);
  };
  expect(0, 0, 0);
  const auto events = append_events(4);
  expect(4, 0, 0);
  const auto first = claimed(endpoints[0].number, 4);
  ASSERT_TRUE(settle(first.at(0), SentToReview{}).has_value());
  expect(4, 0, 0);  // the other delivery still waits
  const auto second = claimed(endpoints[1].number, 1);
  ASSERT_TRUE(settle(second.at(0), SentToReview{}).has_value());
  expect(3, 0, 1);
  ASSERT_TRUE(settle(first.at(0), Delivered{}).has_value());
  expect(3, 0, 1);
  ASSERT_TRUE(settle(second.at(0), Delivered{}).has_value());
  expect(3, 1, 0);
  ASSERT_TRUE(ack(events[1].id).has_value());
  expect(2, 2, 0);
  ASSERT_TRUE(run(store().erase(events[1].id)).has_value());
  expect(2, 1, 0);
  kill_and_reopen();
  expect(2, 1, 0);
  ASSERT_TRUE(run(store().erase(events[2].id)).has_value());
  expect(1, 1, 0);
}

TEST_P(StoreSuite, the_figures_know_the_last_day_and_the_oldest_that_is_open) {
  const Event oldest = append_event();
  advance(std::chrono::hours{23});
  const Event next = append_event();
  auto figures = run(store().figures()).value();
  EXPECT_EQ(figures.ingested_last_24h, 2);
  EXPECT_EQ(figures.oldest_pending, oldest.created_at);
  ASSERT_TRUE(ack(oldest.id).has_value());
  advance(std::chrono::hours{2});
  figures = run(store().figures()).value();
  EXPECT_EQ(figures.ingested_last_24h, 1);
  EXPECT_EQ(figures.oldest_pending, next.created_at);
  ASSERT_TRUE(ack(next.id).has_value());
  EXPECT_FALSE(run(store().figures())->oldest_pending);
}

TEST_P(StoreSuite, what_is_in_review_is_counted_apart_and_is_not_the_oldest_that_is_pending) {
  const auto first = create("ep_1").number;
  const auto second = create("ep_2").number;
  const auto events = append_events(3);
  const auto expect = [&](std::int64_t in_review, std::optional<WallTime> oldest) {
    const auto figures = run(store().figures()).value();
    EXPECT_EQ(figures.in_review, in_review);
    EXPECT_EQ(figures.oldest_pending, oldest);
  };
  const auto at_first = claimed(first, 3);
  for (const ClaimedDelivery& claim : at_first) {
    ASSERT_TRUE(settle(claim, SentToReview{}).has_value());
  }
  // The other delivery of each waits.
  expect(0, events[0].created_at);
  ASSERT_TRUE(settle(claimed(second, 1).at(0), SentToReview{}).has_value());
  expect(1, events[1].created_at);
  for (const ClaimedDelivery& claim : claimed(second, 2)) {
    ASSERT_TRUE(settle(claim, Delivered{}).has_value());
  }
  expect(3, std::nullopt);
  EXPECT_EQ(summary().failed, 3);
  ASSERT_EQ(release(events[1].id, ReleaseAction::replay, "ep_1").value(), 1);
  expect(2, events[1].created_at);
  kill_and_reopen();
  expect(2, events[1].created_at);
}

TEST_P(StoreSuite, the_oldest_that_is_pending_is_known_behind_very_many_in_review) {
  const auto first = create("ep_1", {{"order.created"}, {"*"}}).number;
  const auto second = create("ep_2", {{"b"}, {"*"}}).number;
  (void)append_events(1'000);
  (void)append_events(200);
  std::vector<boost::asio::awaitable<Result<SettleAnswer>>> calls;
  for (const ClaimedDelivery& claim : claimed(first, 1'200)) {
    calls.push_back(store().settle(settlement(claim, Decision{SentToReview{}})));
  }
  (void)run_together(std::move(calls));
  EXPECT_EQ(run(store().figures())->in_review, 1'200);
  EXPECT_FALSE(run(store().figures())->oldest_pending);
  advance(seconds{10});
  const Event tried = append_event("b");
  advance(seconds{10});
  (void)append_event("b");
  ASSERT_TRUE(settle(claimed(second, 1).at(0), Again{now() + seconds{60}, 1, 0}).has_value());
  EXPECT_EQ(run(store().figures())->oldest_pending, tried.created_at);
  (void)append_event("c");  // matches no endpoint
  EXPECT_EQ(run(store().figures())->oldest_pending, tried.created_at);
}

TEST_P(StoreSuite, latencies_are_within_two_percent_and_forgotten_after_a_day) {
  const auto none = run(store().latency()).value();
  EXPECT_EQ(none.sample_size, 0);
  EXPECT_EQ(none.p50, 0.0);
  for (int i = 1; i <= 100; ++i) {
    const Event event = append_event();
    advance(milliseconds{i * 10});
    ASSERT_TRUE(ack(event.id).has_value());
  }
  const auto seen = run(store().latency()).value();
  EXPECT_EQ(seen.sample_size, 100);
  EXPECT_NEAR(seen.p50, 0.5, 0.5 * 0.02 + 0.011);
  EXPECT_NEAR(seen.p95, 0.95, 0.95 * 0.02 + 0.011);
  EXPECT_NEAR(seen.p99, 0.99, 0.99 * 0.02 + 0.011);
  advance(std::chrono::hours{25});
  EXPECT_EQ(run(store().latency())->sample_size, 0);
}

}  // namespace
}  // namespace dispatcher::conformance
