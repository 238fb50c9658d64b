// What consumers report: acknowledgements end an event; reports of failure follow the schedule.
#include "conformance/store_suite.hpp"

#include <algorithm>

namespace dispatcher::conformance {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

Attempt attempt_at(std::string endpoint_id, WallTime at, Outcome outcome) {
  Attempt attempt;
  attempt.endpoint_id = std::move(endpoint_id);
  attempt.started_at = at;
  attempt.duration = milliseconds{7};
  attempt.outcome = outcome;
  attempt.status = outcome == Outcome::delivered ? 200 : 503;
  if (outcome != Outcome::delivered) {
    attempt.error = "status: 503";
  }
  return attempt;
}

NackRequest failure(std::string error) {
  NackRequest request;
  request.error = std::move(error);
  return request;
}

const DeliveryView* find(const EventView& view, std::string_view endpoint_id) {
  const auto found = std::ranges::find(view.deliveries, endpoint_id, &DeliveryView::endpoint_id);
  return found == view.deliveries.end() ? nullptr : &*found;
}

// -- ack

TEST_P(StoreSuite, an_acknowledged_event_is_delivered) {
  const auto endpoint = configure({"https://a.example/"}).at(0).number;
  const Event event = append_event();
  advance(milliseconds{1500});
  const auto answer = ack(event.id);
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->id, event.id);
  EXPECT_EQ(answer->status, EventStatus::delivered);
  EXPECT_EQ(answer->updated_at, now());
  EXPECT_EQ(answer->delivery_latency_ms, 1500);
  EXPECT_TRUE(claimed(endpoint, 1).empty());
  const EventView seen = view(event.id);
  EXPECT_EQ(seen.progress.status, EventStatus::delivered);
  EXPECT_EQ(seen.progress.delivery_latency_ms, 1500);
  EXPECT_EQ(seen.deliveries.at(0).state, DeliveryState::discarded);
}

TEST_P(StoreSuite, a_second_ack_answers_as_the_first_did) {
  const Event event = append_event();
  advance(seconds{1});
  const auto first = ack(event.id);
  advance(seconds{1});
  const auto second = ack(event.id, "some token");
  ASSERT_TRUE(second.has_value());
  EXPECT_EQ(second->updated_at, first->updated_at);
  EXPECT_EQ(second->delivery_latency_ms, first->delivery_latency_ms);
  EXPECT_EQ(summary().delivered, 1);
}

TEST_P(StoreSuite, an_ack_of_what_the_engine_delivered_answers_that) {
  const auto endpoint = configure({"https://a.example/"}).at(0).number;
  const Event event = append_event();
  const auto claims = claimed(endpoint, 1);
  advance(milliseconds{30});
  const WallTime delivered_at = now();
  ASSERT_TRUE(settle(claims.at(0), Delivered{}).has_value());
  advance(seconds{1});
  const auto answer = ack(event.id);
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->updated_at, delivered_at);
  EXPECT_EQ(answer->delivery_latency_ms, 30);
}

TEST_P(StoreSuite, many_acks_are_answered_each) {
  const auto events = append_events(2);
  const LeasedEvents leased = lease(1, seconds{60});
  std::vector<EventId> ids{events[0].id, EventId{}, events[1].id};
  const auto answers = run(store().ack(ids, "another token")).value();
  ASSERT_EQ(answers.size(), 3U);
  EXPECT_EQ(answers[0].error().kind, ErrorKind::conflict);
  EXPECT_EQ(answers[1].error().kind, ErrorKind::not_found);
  ASSERT_TRUE(answers[2].has_value());
  EXPECT_EQ(answers[2]->id, events[1].id);
}

TEST_P(StoreSuite, an_ack_without_a_token_ends_what_another_has_leased) {
  const Event event = append_event();
  const LeasedEvents leased = lease(1, seconds{60});
  EXPECT_TRUE(ack(event.id).has_value());
  EXPECT_TRUE(ack(event.id, leased.token).has_value());
  EXPECT_EQ(nack(event.id, leased.token, {}).error().kind, ErrorKind::refused);
}

TEST_P(StoreSuite, an_ack_ends_review) {
  const auto endpoint = configure({"https://a.example/"}).at(0).number;
  const Event event = append_event();
  ASSERT_TRUE(settle(claimed(endpoint, 1).at(0), SentToReview{}).has_value());
  EXPECT_EQ(summary().failed, 1);
  ASSERT_TRUE(ack(event.id).has_value());
  EXPECT_EQ(summary().failed, 0);
  EXPECT_EQ(summary().delivered, 1);
  EXPECT_EQ(view(event.id).deliveries.at(0).state, DeliveryState::discarded);
  EXPECT_FALSE(view(event.id).deliveries.at(0).review_reason);
}

TEST_P(StoreSuite, an_ack_keeps_what_was_delivered) {
  const auto endpoints = configure({"https://a.example/", "https://b.example/"});
  const Event event = append_event();
  ASSERT_TRUE(settle(claimed(endpoints[0].number, 1).at(0), Delivered{}).has_value());
  ASSERT_TRUE(ack(event.id).has_value());
  const EventView seen = view(event.id);
  EXPECT_EQ(seen.deliveries.at(0).state, DeliveryState::delivered);
  EXPECT_EQ(seen.deliveries.at(1).state, DeliveryState::discarded);
}

// -- nack

TEST_P(StoreSuite, an_empty_nack_gives_the_event_back_and_counts_nothing) {
  const auto endpoint = configure({"https://a.example/"}).at(0).number;
  const Event event = append_event();
  const LeasedEvents leased = lease(1, seconds{60});
  const auto answer = nack(event.id, leased.token, {});
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->progress.status, EventStatus::pending);
  EXPECT_EQ(answer->progress.delivery_attempts, 0);
  EXPECT_FALSE(answer->progress.error_message);
  const auto claims = claimed(endpoint, 1);
  ASSERT_EQ(claims.size(), 1U);
  EXPECT_EQ(claims[0].progress.step, 0);
}

TEST_P(StoreSuite, a_nack_brings_nothing_forward_that_was_not_due) {
  const auto endpoints = configure({"https://a.example/", "https://b.example/"});
  const Event event = append_event();
  const WallTime later = now() + seconds{300};
  ASSERT_TRUE(settle(claimed(endpoints[0].number, 1).at(0), Again{later, 0, 1}).has_value());
  LeasedEvents leased = lease(1, seconds{60});
  ASSERT_TRUE(nack(event.id, leased.token, {}).has_value());
  EXPECT_EQ(view(event.id).deliveries.at(0).next_attempt_at, later);
  EXPECT_EQ(view(event.id).deliveries.at(1).next_attempt_at, now());
  leased = lease(1, seconds{60});
  NackRequest request = failure("timeout: no answer");
  request.retry_after = seconds{20};
  ASSERT_TRUE(nack(event.id, leased.token, request).has_value());
  EXPECT_EQ(view(event.id).deliveries.at(0).next_attempt_at, later);
  EXPECT_EQ(view(event.id).deliveries.at(1).next_attempt_at, now() + seconds{20});
}

TEST_P(StoreSuite, nacks_with_an_error_follow_the_schedule_and_end_in_review) {
  const Event event = append_event();
  for (const seconds pause : RetryPolicy::default_schedule()) {
    const LeasedEvents leased = lease(1, seconds{60});
    ASSERT_EQ(leased.events.size(), 1U);
    const auto answer = nack(event.id, leased.token, failure("timeout: no answer"));
    ASSERT_TRUE(answer.has_value());
    EXPECT_EQ(answer->progress.error_message, "timeout: no answer");
    advance(pause - seconds{1});
    EXPECT_TRUE(lease(1, seconds{60}).events.empty());
    advance(seconds{1});
  }
  const LeasedEvents leased = lease(1, seconds{60});
  ASSERT_TRUE(nack(event.id, leased.token, failure("timeout: no answer")).has_value());
  advance(std::chrono::hours{48});
  EXPECT_TRUE(lease(1, seconds{60}).events.empty());
  EXPECT_EQ(view(event.id).progress.status, EventStatus::pending);
  EventQuery exhausted;
  exhausted.reason = ReviewReason::exhausted;
  EXPECT_EQ(ids_of(list_all(exhausted)), ids_of({event}));
  EXPECT_EQ(summary().failed, 1);
}

TEST_P(StoreSuite, a_nack_may_name_its_time) {
  const auto endpoint = configure({"https://a.example/"}).at(0).number;
  const Event event = append_event();
  const LeasedEvents leased = lease(1, seconds{60});
  NackRequest request = failure("status: 503");
  request.retry_after = seconds{17};
  ASSERT_TRUE(nack(event.id, leased.token, request).has_value());
  EXPECT_EQ(view(event.id).deliveries.at(0).next_attempt_at, now() + seconds{17});
  advance(seconds{17});
  EXPECT_EQ(claimed(endpoint, 1).size(), 1U);
}

TEST_P(StoreSuite, a_nack_with_a_reason_sends_to_review) {
  (void)configure({"https://a.example/"});
  const Event event = append_event();
  const LeasedEvents leased = lease(1, seconds{60});
  NackRequest request = failure("status: 404");
  request.reason = ReviewReason::rejected;
  ASSERT_TRUE(nack(event.id, leased.token, request).has_value());
  EXPECT_EQ(view(event.id).deliveries.at(0).state, DeliveryState::review);
  EXPECT_EQ(view(event.id).deliveries.at(0).review_reason, ReviewReason::rejected);
  EXPECT_EQ(summary().failed, 1);
}

TEST_P(StoreSuite, what_consumers_made_of_an_event_without_endpoints_is_shown) {
  const Event event = append_event();
  EXPECT_FALSE(view(event.id).unmatched);
  ASSERT_TRUE(nack(event.id, lease(1, seconds{60}).token, failure("status: 503")).has_value());
  ASSERT_TRUE(view(event.id).unmatched);
  EXPECT_EQ(view(event.id).unmatched->state, DeliveryState::waiting);
  EXPECT_EQ(view(event.id).unmatched->next_attempt_at, now() + minutes{5});
  advance(minutes{5});
  NackRequest request = failure("status: 404");
  request.reason = ReviewReason::rejected;
  ASSERT_TRUE(nack(event.id, lease(1, seconds{60}).token, request).has_value());
  const EventView seen = view(event.id);
  EXPECT_TRUE(seen.deliveries.empty());
  ASSERT_TRUE(seen.unmatched);
  EXPECT_EQ(seen.unmatched->state, DeliveryState::review);
  EXPECT_EQ(seen.unmatched->review_reason, ReviewReason::rejected);
  EXPECT_EQ(seen.unmatched->last_error, "status: 404");
  ASSERT_TRUE(ack(event.id).has_value());
  EXPECT_FALSE(view(event.id).unmatched);
}

TEST_P(StoreSuite, attempts_that_a_nack_reports_go_on_record) {
  const auto endpoints = configure({"https://a.example/"});
  const Event event = append_event();
  ASSERT_TRUE(settle(claimed(endpoints[0].number, 1).at(0), Again{now(), 1, 0}).has_value());
  const LeasedEvents leased = lease(1, seconds{60});
  NackRequest request;
  request.attempts.push_back(attempt_at(endpoints[0].id, now() + seconds{1}, Outcome::retryable));
  request.attempts.push_back(attempt_at(endpoints[0].id, now() + seconds{2}, Outcome::retryable));
  ASSERT_TRUE(nack(event.id, leased.token, request).has_value());
  const auto seen = attempts(event.id);
  ASSERT_EQ(seen.size(), 3U);
  EXPECT_EQ(seen[1].number, 2);
  EXPECT_EQ(seen[2].number, 3);
  EXPECT_EQ(seen[2].endpoint_id, endpoints[0].id);
  EXPECT_EQ(view(event.id).progress.delivery_attempts, 3);
  EXPECT_EQ(view(event.id).progress.last_delivery_attempt, now() + seconds{2});
  EXPECT_EQ(view(event.id).deliveries.at(0).next_attempt_at, now() + minutes{5});
}

TEST_P(StoreSuite, attempts_at_a_consumers_own_endpoint_go_on_record_under_its_name) {
  const Event event = append_event();
  const LeasedEvents leased = lease(1, seconds{60});
  NackRequest request;
  request.attempts.push_back(attempt_at("theirs", now(), Outcome::retryable));
  ASSERT_TRUE(nack(event.id, leased.token, request).has_value());
  const auto seen = attempts(event.id);
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen[0].endpoint_id, "theirs");
  EXPECT_EQ(seen[0].number, 1);
  const EventView shown = view(event.id);
  const DeliveryView* theirs = find(shown, "theirs");
  ASSERT_NE(theirs, nullptr);
  EXPECT_EQ(theirs->state, DeliveryState::waiting);
  EXPECT_EQ(theirs->attempts, 1);
  EXPECT_EQ(theirs->next_attempt_at, now() + minutes{5});
  EXPECT_EQ(theirs->last_error, "status: 503");
  EXPECT_EQ(shown.progress.delivery_attempts, 1);
}

TEST_P(StoreSuite, an_attempt_given_up_uses_nothing_up) {
  const Event event = append_event();
  const LeasedEvents leased = lease(1, seconds{60});
  NackRequest request;
  request.attempts.push_back(attempt_at("theirs", now(), Outcome::abandoned));
  ASSERT_TRUE(nack(event.id, leased.token, request).has_value());
  EXPECT_EQ(ids_of(lease(1, seconds{60}).events), ids_of({event}));
}

TEST_P(StoreSuite, what_a_nack_delivered_is_delivered_no_more) {
  const auto endpoints = configure({"https://a.example/", "https://b.example/"});
  const Event event = append_event();
  const LeasedEvents leased = lease(1, seconds{60});
  NackRequest request = failure("status: 503");
  request.attempts.push_back(attempt_at(endpoints[0].id, now(), Outcome::delivered));
  request.attempts.push_back(attempt_at(endpoints[1].id, now(), Outcome::retryable));
  request.delivered = {endpoints[0].id};
  ASSERT_TRUE(nack(event.id, leased.token, request).has_value());
  const EventView seen = view(event.id);
  EXPECT_EQ(seen.progress.status, EventStatus::pending);
  EXPECT_EQ(find(seen, endpoints[0].id)->state, DeliveryState::delivered);
  EXPECT_EQ(find(seen, endpoints[1].id)->state, DeliveryState::waiting);
  advance(minutes{5});
  EXPECT_TRUE(claimed(endpoints[0].number, 1).empty());
  EXPECT_EQ(claimed(endpoints[1].number, 1).size(), 1U);
}

TEST_P(StoreSuite, a_nack_that_leaves_nothing_open_delivers_the_event) {
  const auto endpoints = configure({"https://a.example/"});
  const Event event = append_event();
  const LeasedEvents leased = lease(1, seconds{60});
  advance(seconds{2});
  NackRequest request;
  request.delivered = {endpoints[0].id};
  const auto answer = nack(event.id, leased.token, request);
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->progress.status, EventStatus::delivered);
  EXPECT_EQ(answer->progress.delivery_latency_ms, 2000);
  EXPECT_EQ(summary().delivered, 1);
}

TEST_P(StoreSuite, a_consumers_partial_success_is_remembered_under_its_endpoints_names) {
  const Event event = append_event();
  const LeasedEvents leased = lease(1, seconds{60});
  NackRequest request = failure("status: 503");
  request.attempts.push_back(attempt_at("first", now(), Outcome::delivered));
  request.attempts.push_back(attempt_at("second", now(), Outcome::retryable));
  request.delivered = {"first"};
  ASSERT_TRUE(nack(event.id, leased.token, request).has_value());
  const EventView seen = view(event.id);
  EXPECT_EQ(seen.progress.status, EventStatus::pending);
  ASSERT_NE(find(seen, "first"), nullptr);
  EXPECT_EQ(find(seen, "first")->state, DeliveryState::delivered);
  EXPECT_EQ(find(seen, "second")->state, DeliveryState::waiting);
  advance(minutes{5});
  const LeasedEvents again = lease(1, seconds{60});
  ASSERT_EQ(ids_of(again.events), ids_of({event}));
  ASSERT_TRUE(ack(event.id, again.token).has_value());
  EXPECT_EQ(find(view(event.id), "second")->state, DeliveryState::discarded);
}

TEST_P(StoreSuite, a_nack_of_what_is_not_there_or_done_is_refused) {
  EXPECT_EQ(nack(EventId{}, "token", {}).error().kind, ErrorKind::not_found);
  const Event event = append_event();
  const LeasedEvents leased = lease(1, seconds{60});
  ASSERT_TRUE(ack(event.id, leased.token).has_value());
  EXPECT_EQ(nack(event.id, leased.token, {}).error().kind, ErrorKind::refused);
}

TEST_P(StoreSuite, a_nack_of_one_who_holds_no_lease_is_refused_and_records_nothing) {
  const auto endpoint = configure({"https://a.example/"}).at(0).number;
  const Event event = append_event();
  NackRequest request = failure("status: 404");
  request.reason = ReviewReason::rejected;
  request.attempts.push_back(attempt_at("theirs", now(), Outcome::refused));
  request.delivered = {"another"};
  const auto refused = [&](std::string token) {
    return nack(event.id, std::move(token), request).error().kind;
  };
  EXPECT_EQ(refused("abc"), ErrorKind::refused);
  EXPECT_EQ(refused(""), ErrorKind::refused);
  const auto claims = claimed(endpoint, 1);
  EXPECT_EQ(refused("abc"), ErrorKind::conflict);  // the engine's is a lease too
  ASSERT_TRUE(settle(claims.at(0), Again{now(), 1, 0}).has_value());
  EXPECT_EQ(refused("abc"), ErrorKind::refused);
  const LeasedEvents first = lease(1, seconds{1});
  ASSERT_TRUE(nack(event.id, first.token, {}).has_value());
  EXPECT_EQ(refused(first.token), ErrorKind::refused);  // it was given back
  const LeasedEvents second = lease(1, seconds{1});
  advance(seconds{2});
  EXPECT_EQ(refused(first.token), ErrorKind::refused);  // expired, but not this one's
  const EventView seen = view(event.id);
  ASSERT_EQ(seen.deliveries.size(), 1U);
  EXPECT_EQ(seen.deliveries[0].state, DeliveryState::waiting);
  EXPECT_EQ(attempts(event.id).size(), 1U);
  // Its holder's it is still.
  EXPECT_TRUE(nack(event.id, second.token, request).has_value());
}

TEST_P(StoreSuite, a_nacked_event_is_hinted_to_its_lane) {
  const auto endpoint = configure({"https://a.example/"}).at(0).number;
  const Event event = append_event();
  const LeasedEvents leased = lease(1, seconds{60});
  EXPECT_EQ(claim(endpoint, 1).lanes.at(0).next_due, now() + seconds{60});
  std::vector<LaneDue> hints;
  store().on_due([&hints](std::span<const LaneDue> lanes) {
    hints.insert(hints.end(), lanes.begin(), lanes.end());
  });
  ASSERT_TRUE(nack(event.id, leased.token, {}).has_value());
  (void)claim(kNoEndpoint + 1000, 0);
  store().on_due({});
  ASSERT_EQ(hints.size(), 1U);
  EXPECT_EQ(hints[0].endpoint, endpoint);
  EXPECT_EQ(hints[0].next_due, now());
}

}  // namespace
}  // namespace dispatcher::conformance
