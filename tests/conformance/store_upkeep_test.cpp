// Endpoints that come and go, retention, deletion, and the webhook receiver's log.
#include "conformance/store_suite.hpp"

#include <algorithm>

namespace dispatcher::conformance {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

constexpr const char* kA = "https://a.example/a";
constexpr const char* kB = "https://b.example/b";
constexpr const char* kC = "https://c.example/c";

// -- endpoints

TEST_P(StoreSuite, configuring_the_same_endpoints_again_moves_nothing) {
  const auto first = configure({kA, kB});
  EXPECT_NE(first[0].number, kNoEndpoint);
  EXPECT_NE(first[0].number, first[1].number);
  EXPECT_EQ(first[0].id, secret_endpoint_id(kA));
  const Event event = append_event();
  kill_and_reopen();
  const auto second = configure({kB, kA});
  EXPECT_EQ(second[0].number, first[1].number);
  EXPECT_EQ(second[0].id, first[1].id);
  EXPECT_EQ(second[1].number, first[0].number);
  maintain_all();
  EXPECT_EQ(claimed(first[0].number, 10).size(), 1U);
  EXPECT_EQ(view(event.id).deliveries.size(), 2U);
}

TEST_P(StoreSuite, a_newcomer_in_the_place_of_one_that_left_takes_over_its_events_and_review) {
  const auto before = configure({kA, kB});
  const auto events = append_events(2);
  ASSERT_TRUE(settle(claimed(before[0].number, 1).at(0), SentToReview{}).has_value());
  const auto after = configure({kC, kB});
  EXPECT_EQ(after[0].number, before[0].number);
  EXPECT_EQ(after[0].id, before[0].id);
  EXPECT_EQ(after[1].number, before[1].number);
  maintain_all();
  const auto claims = claimed(after[0].number, 10);
  ASSERT_EQ(claims.size(), 2U);
  EXPECT_EQ(summary().failed, 0);
  const auto released = std::ranges::find_if(
      claims, [&](const ClaimedDelivery& claim) { return claim.event->id == events[0].id; });
  ASSERT_NE(released, claims.end());
  EXPECT_EQ(released->progress.attempts, 1);
  EXPECT_EQ(released->progress.step, 0);
}

TEST_P(StoreSuite, review_that_a_newcomer_takes_over_is_released_in_steps_that_a_kill_interrupts) {
  const auto endpoint = configure({kA}).at(0).number;
  (void)append_events(1'000);
  for (const ClaimedDelivery& claim : claimed(endpoint, 1'000)) {
    ASSERT_TRUE(settle(claim, SentToReview{}).has_value());
  }
  (void)configure({kB});
  EXPECT_EQ(counts(endpoint).review, 1'000);
  EXPECT_TRUE(run(store().maintain({})).value());
  EXPECT_GT(counts(endpoint).waiting, 0);
  EXPECT_GT(counts(endpoint).review, 0);
  kill_and_reopen();
  (void)configure({kB});
  maintain_all();
  EXPECT_EQ(counts(endpoint).waiting, 1'000);
  EXPECT_EQ(counts(endpoint).review, 0);
}

TEST_P(StoreSuite, what_the_newcomer_itself_rejects_stays_in_review) {
  const auto endpoint = configure({kA}).at(0).number;
  const auto events = append_events(3);
  ASSERT_TRUE(settle(claimed(endpoint, 1).at(0), SentToReview{}).has_value());
  (void)configure({kB});
  ASSERT_TRUE(settle(claimed(endpoint, 1).at(0), SentToReview{}).has_value());
  maintain_all();
  EXPECT_EQ(view(events[0].id).deliveries.at(0).state, DeliveryState::waiting);
  EXPECT_EQ(view(events[1].id).deliveries.at(0).state, DeliveryState::review);
  ASSERT_TRUE(settle(claimed(endpoint, 1).at(0), SentToReview{}).has_value());
  maintain_all();
  EXPECT_EQ(view(events[0].id).deliveries.at(0).state, DeliveryState::review);
  // Until another takes its place.
  (void)configure({kC});
  maintain_all();
  EXPECT_EQ(ids_of(claimed(endpoint, 10)), ids_of(events));
}

TEST_P(StoreSuite, what_the_url_before_rejects_after_the_exchange_is_the_newcomer_s_too) {
  const auto endpoint = configure({kA}).at(0).number;
  const auto events = append_events(2);
  const auto in_flight = claimed(endpoint, 1);
  (void)configure({kB});
  maintain_all();
  ASSERT_TRUE(settle(in_flight.at(0), SentToReview{}).has_value());
  EXPECT_EQ(claimed(endpoint, 10).size(), events.size());
}

TEST_P(StoreSuite, review_that_is_released_is_hinted_to_its_lane) {
  const auto endpoint = configure({kA}).at(0).number;
  (void)append_event();
  ASSERT_TRUE(settle(claimed(endpoint, 1).at(0), SentToReview{}).has_value());
  (void)configure({kB});
  EXPECT_FALSE(claim(endpoint, 1).lanes.at(0).next_due);
  std::vector<LaneDue> hints;
  store().on_due([&hints](std::span<const LaneDue> lanes) {
    hints.insert(hints.end(), lanes.begin(), lanes.end());
  });
  maintain_all();
  (void)claim(endpoint, 1);  // when it is answered, what came before has been told
  store().on_due({});
  ASSERT_EQ(hints.size(), 1U);
  EXPECT_EQ(hints[0].endpoint, endpoint);
  EXPECT_EQ(hints[0].next_due, now());
}

TEST_P(StoreSuite, a_url_that_comes_back_after_a_takeover_is_an_endpoint_of_its_own) {
  const auto before = configure({kA});
  ASSERT_EQ(configure({kB}).at(0).number, before[0].number);
  const auto both = configure({kB, kA});
  EXPECT_EQ(both[0].number, before[0].number);
  EXPECT_NE(both[1].number, before[0].number);
  EXPECT_NE(both[1].id, both[0].id);
}

TEST_P(StoreSuite, an_endpoint_that_left_keeps_its_events_and_gets_no_more) {
  const auto endpoints = configure({kA, kB});
  const Event before = append_event();
  (void)configure({kB});
  const Event after = append_event();
  EXPECT_EQ(view(before.id).deliveries.size(), 2U);
  ASSERT_EQ(view(after.id).deliveries.size(), 1U);
  EXPECT_EQ(view(after.id).deliveries[0].endpoint_id, endpoints[1].id);
  const auto back = configure({kA, kB});
  EXPECT_EQ(back[0].number, endpoints[0].number);
  EXPECT_EQ(back[0].state, EndpointState::active);
  EXPECT_EQ(ids_of(claimed(endpoints[0].number, 10)), ids_of({before}));
  EXPECT_EQ(view(append_event().id).deliveries.size(), 2U);
}

TEST_P(StoreSuite, all_may_leave) {
  (void)configure({kA, kB});
  EXPECT_TRUE(configure({}).empty());
  EXPECT_TRUE(view(append_event().id).deliveries.empty());
}

TEST_P(StoreSuite, a_new_endpoint_gets_what_matched_nothing_so_far) {
  EventFilter orders;
  orders.types = {"order.*"};
  const Event order = append_event("order.created");
  const Event user = append_event("user.created");
  const Event done = append_event("order.created");
  ASSERT_TRUE(ack(done.id).has_value());
  const auto endpoint = configure({kA}, {orders}).at(0).number;
  maintain_all();
  EXPECT_EQ(ids_of(claimed(endpoint, 10)), ids_of({order}));
  EXPECT_TRUE(view(user.id).deliveries.empty());
  EXPECT_EQ(summary().pending, 2);
  EXPECT_EQ(ids_of(lease(10, seconds{60}).events), ids_of({user}));
}

TEST_P(StoreSuite, new_endpoints_that_come_together_all_get_the_backlog) {
  const auto events = append_events(3);
  const auto endpoints = configure({kA, kB});
  maintain_all();
  EXPECT_EQ(ids_of(claimed(endpoints[0].number, 10)), ids_of(events));
  EXPECT_EQ(ids_of(claimed(endpoints[1].number, 10)), ids_of(events));
}

TEST_P(StoreSuite, what_matched_an_endpoint_does_not_go_to_a_later_one) {
  (void)configure({kA});
  (void)append_events(3);
  const auto endpoints = configure({kA, kB});
  maintain_all();
  EXPECT_TRUE(claimed(endpoints[1].number, 10).empty());
}

TEST_P(StoreSuite, a_backlog_is_routed_in_steps_that_a_kill_interrupts_and_none_is_routed_twice) {
  std::vector<EventId> expected;
  for (int i = 0; i < 3; ++i) {
    for (const Event& event : append_events(500)) {
      expected.push_back(event.id);
    }
  }
  const auto endpoint = configure({kA}).at(0).number;
  ASSERT_TRUE(run(store().maintain({})).has_value());
  kill_and_reopen();
  (void)configure({kA});
  maintain_all();
  EXPECT_EQ(ids_of(claimed(endpoint, 2000)), expected);
  EXPECT_EQ(summary().pending, 1500);
}

TEST_P(StoreSuite, a_leased_event_of_the_backlog_stays_leased) {
  const Event event = append_event();
  const LeasedEvents leased = lease(1, seconds{60});
  const auto endpoint = configure({kA}).at(0).number;
  maintain_all();
  EXPECT_TRUE(claimed(endpoint, 10).empty());
  advance(seconds{60});
  EXPECT_EQ(ids_of(claimed(endpoint, 10)), ids_of({event}));
}

TEST_P(StoreSuite, a_routed_backlog_is_hinted) {
  (void)append_event();
  const auto endpoint = configure({kA}).at(0).number;
  EXPECT_FALSE(claim(endpoint, 1).lanes.at(0).next_due);
  std::vector<LaneDue> hints;
  store().on_due([&hints](std::span<const LaneDue> lanes) {
    hints.insert(hints.end(), lanes.begin(), lanes.end());
  });
  maintain_all();
  (void)claim(kNoEndpoint + 1000, 0);
  store().on_due({});
  ASSERT_EQ(hints.size(), 1U);
  EXPECT_EQ(hints[0].endpoint, endpoint);
}

TEST_P(StoreSuite, an_endpoint_that_consumers_spoke_of_does_not_get_again_what_it_took) {
  const auto events = append_events(2);
  const LeasedEvents leased = lease(2, seconds{60});
  NackRequest request;
  request.error = "status: 503";
  request.delivered = {secret_endpoint_id(kA)};
  request.retry_after = seconds{1};
  ASSERT_TRUE(nack(events[0].id, leased.token, request).has_value());
  ASSERT_TRUE(nack(events[1].id, leased.token, {}).has_value());
  const auto endpoints = configure({kA, kB});
  EXPECT_EQ(endpoints[0].id, secret_endpoint_id(kA));
  maintain_all();
  advance(seconds{1});
  EXPECT_EQ(ids_of(claimed(endpoints[0].number, 10)), ids_of({events[1]}));
  EXPECT_EQ(claimed(endpoints[1].number, 10).size(), 2U);
}

// -- retention

TEST_P(StoreSuite, done_events_go_when_their_time_is_over_and_others_never) {
  const auto endpoint = configure({kA}).at(0).number;
  const auto events = append_events(4);
  const auto claims = claimed(endpoint, 3);
  ASSERT_TRUE(settle(claims.at(0), Delivered{}).has_value());
  ASSERT_TRUE(settle(claims.at(1), SentToReview{}).has_value());
  RetentionPolicy policy;
  policy.keep_done = hours{24};
  advance(hours{20});
  ASSERT_TRUE(settle(claims.at(2), Delivered{}).has_value());
  maintain_all(policy);
  EXPECT_EQ(summary().total, 4);
  advance(hours{5});
  maintain_all(policy);
  EXPECT_EQ(run(store().event(events[0].id)).error().kind, ErrorKind::not_found);
  EXPECT_EQ(run(store().attempts(events[0].id)).error().kind, ErrorKind::not_found);
  EXPECT_EQ(view(events[2].id).progress.status, EventStatus::delivered);
  advance(hours{24 * 1000});
  maintain_all(policy);
  EXPECT_EQ(ids_of(list_all({})), ids_of({events[3], events[1]}));
  const Summary seen = summary();
  EXPECT_EQ(seen.total, 2);
  EXPECT_EQ(seen.delivered, 0);
  EXPECT_EQ(seen.failed, 1);
  EXPECT_EQ(seen.pending, 1);
}

TEST_P(StoreSuite, past_the_cap_the_oldest_done_events_go) {
  const auto events = append_events(900);
  std::vector<EventId> ids = ids_of(events);
  ids.erase(ids.begin());  // the very oldest stays pending
  ASSERT_TRUE(run(store().ack(ids, std::nullopt)).has_value());
  RetentionPolicy policy;
  policy.max_done = 100;
  maintain_all(policy);
  EXPECT_EQ(summary().delivered, 100);
  EXPECT_EQ(summary().pending, 1);
  EXPECT_EQ(view(events[0].id).progress.status, EventStatus::pending);
  EXPECT_EQ(run(store().event(events[1].id)).error().kind, ErrorKind::not_found);
  EXPECT_EQ(view(events[800].id).progress.status, EventStatus::delivered);
}

// -- deletion

TEST_P(StoreSuite, a_deleted_event_is_gone_from_everywhere) {
  const auto endpoint = configure({kA}).at(0).number;
  const Event event = append_event();
  const Event other = append_event();
  ASSERT_TRUE(settle(claimed(endpoint, 1).at(0), Again{now(), 1, 0}).has_value());
  ASSERT_TRUE(run(store().erase(event.id)).has_value());
  EXPECT_EQ(run(store().event(event.id)).error().kind, ErrorKind::not_found);
  EXPECT_EQ(run(store().attempts(event.id)).error().kind, ErrorKind::not_found);
  EXPECT_EQ(run(store().erase(event.id)).error().kind, ErrorKind::not_found);
  EXPECT_EQ(ack(event.id).error().kind, ErrorKind::not_found);
  EXPECT_EQ(pending_ids(), ids_of({other}));
  EXPECT_EQ(ids_of(list_all({})), ids_of({other}));
  EXPECT_EQ(ids_of(claimed(endpoint, 10)), ids_of({other}));
  kill_and_reopen();
  EXPECT_EQ(run(store().event(event.id)).error().kind, ErrorKind::not_found);
  EXPECT_EQ(summary().total, 1);
}

TEST_P(StoreSuite, the_newest_events_deletion_gives_its_number_to_no_other) {
  const auto endpoint = configure({kA}).at(0).number;
  const Event deleted = append_event();
  const auto claims = claimed(endpoint, 1);
  ASSERT_TRUE(run(store().erase(deleted.id)).has_value());
  const Event next = append_event();
  EXPECT_EQ(settle(claims.at(0), SentToReview{}).error().kind, ErrorKind::not_found);
  EXPECT_EQ(ids_of(claimed(endpoint, 1)), ids_of({next}));
}

// -- the webhook receiver's log

WebhookLogEntry log_entry(std::uint64_t number, WallTime at, std::string payload = "{}") {
  WebhookLogEntry entry;
  entry.id = make_uuid_v7(at, number, number << 8U);
  entry.event_type = "type." + std::to_string(number);
  entry.payload = std::move(payload);
  entry.source_ip = "127.0.0.1";
  entry.timestamp = at;
  entry.request_id = "request-" + std::to_string(number);
  entry.event_id = "evt-" + std::to_string(number);
  return entry;
}

std::vector<WebhookLogEntry> read_log(Store& store, WebhookLogQuery query = {}) {
  return run(store.webhook_log(std::move(query))).value();
}

TEST_P(StoreSuite, the_webhook_log_is_newest_first_and_outlives_a_kill) {
  ASSERT_TRUE(run(store().append_webhook_log(log_entry(1, now(), R"({"a": 1.0})"))).has_value());
  advance(seconds{1});
  ASSERT_TRUE(run(store().append_webhook_log(log_entry(2, now()))).has_value());
  kill_and_reopen();
  const auto seen = read_log(store());
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(seen[0].event_type, "type.2");
  EXPECT_EQ(seen[1].id, log_entry(1, now() - seconds{1}).id);
  EXPECT_EQ(seen[1].payload, R"({"a": 1.0})");
  EXPECT_EQ(seen[1].source_ip, "127.0.0.1");
  EXPECT_EQ(seen[1].timestamp, now() - seconds{1});
  EXPECT_EQ(seen[1].request_id, "request-1");
  EXPECT_EQ(seen[1].event_id, "evt-1");
}

TEST_P(StoreSuite, the_webhook_log_is_filtered_by_type_time_and_text_in_any_case) {
  for (std::uint64_t i = 1; i <= 4; ++i) {
    const std::string payload = i == 3 ? R"({"x":"NeeDle"})" : "{}";
    ASSERT_TRUE(run(store().append_webhook_log(log_entry(i, now(), payload))).has_value());
    advance(seconds{1});
  }
  WebhookLogQuery query;
  query.event_type = "type.2";
  EXPECT_EQ(read_log(store(), query).size(), 1U);
  query = {};
  query.search = "nEEdle";
  ASSERT_EQ(read_log(store(), query).size(), 1U);
  EXPECT_EQ(read_log(store(), query)[0].event_type, "type.3");
  query.search = "TYPE.4";
  EXPECT_EQ(read_log(store(), query).size(), 1U);
  query = {};
  query.from = now() - seconds{3};
  query.to = now() - seconds{2};
  EXPECT_EQ(read_log(store(), query).size(), 2U);
  query = {};
  query.limit = 3;
  EXPECT_EQ(read_log(store(), query).size(), 3U);
}

TEST_P(StoreSuite, the_webhook_log_keeps_the_last_thousand) {
  std::vector<boost::asio::awaitable<Result<void>>> calls;
  for (std::uint64_t i = 1; i <= 1'010; ++i) {
    calls.push_back(store().append_webhook_log(log_entry(i, now())));
  }
  for (const auto& answer : run_together(std::move(calls))) {
    ASSERT_TRUE(answer.has_value());
  }
  WebhookLogQuery query;
  query.limit = 1'000;
  const auto seen = read_log(store(), query);
  ASSERT_EQ(seen.size(), 1'000U);
  EXPECT_EQ(seen.front().event_type, "type.1010");
  EXPECT_EQ(seen.back().event_type, "type.11");
}

TEST_P(StoreSuite, the_webhook_log_keeps_at_most_eight_mebibytes) {
  const std::string payload = "{\"x\":\"" + std::string(1024 * 1024, 'x') + "\"}";
  for (std::uint64_t i = 1; i <= 10; ++i) {
    ASSERT_TRUE(run(store().append_webhook_log(log_entry(i, now(), payload))).has_value());
  }
  kill_and_reopen();
  ASSERT_TRUE(run(store().append_webhook_log(log_entry(11, now(), payload))).has_value());
  const auto seen = read_log(store());
  EXPECT_EQ(seen.size(), 7U);
  EXPECT_EQ(seen.front().event_type, "type.11");
}

}  // namespace
}  // namespace dispatcher::conformance
