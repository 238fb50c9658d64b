// What settling promises: one durable write for the attempt, the delivery and the event; success is
// terminal; anything else needs the token.
#include "conformance/store_suite.hpp"

namespace dispatcher::conformance {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST_P(StoreSuite, a_delivered_event_is_delivered_after_a_kill_and_claimed_no_more) {
  const auto endpoint = configure({"https://a.example/"}).at(0).number;
  const Event event = append_event();
  const auto claims = claimed(endpoint, 1);
  advance(milliseconds{250});
  ASSERT_TRUE(settle(claims.at(0), Delivered{}).has_value());
  kill_and_reopen();
  const EventView seen = view(event.id);
  EXPECT_EQ(seen.progress.status, EventStatus::delivered);
  EXPECT_EQ(seen.progress.updated_at, now());
  EXPECT_EQ(seen.progress.delivery_attempts, 1);
  EXPECT_EQ(seen.progress.last_delivery_attempt, now());
  EXPECT_EQ(seen.progress.delivery_latency_ms, 250);
  EXPECT_FALSE(seen.progress.error_message);
  ASSERT_EQ(seen.deliveries.size(), 1U);
  EXPECT_EQ(seen.deliveries[0].endpoint_id, secret_endpoint_id("https://a.example/"));
  EXPECT_EQ(seen.deliveries[0].state, DeliveryState::delivered);
  EXPECT_EQ(seen.deliveries[0].attempts, 1);
  EXPECT_EQ(seen.deliveries[0].last_status, 200);
  EXPECT_EQ(seen.deliveries[0].delivered_at, now());
  EXPECT_FALSE(seen.deliveries[0].next_attempt_at);
  EXPECT_TRUE(claimed(endpoint, 1).empty());
}

TEST_P(StoreSuite, a_retryable_failure_waits_until_its_time) {
  const auto endpoint = configure({"https://a.example/"}).at(0).number;
  const Event event = append_event();
  const auto claims = claimed(endpoint, 1);
  const WallTime again_at = now() + seconds{300};
  ASSERT_TRUE(settle(claims.at(0), Again{again_at, 0, 1}).has_value());
  kill_and_reopen();
  const EventView seen = view(event.id);
  EXPECT_EQ(seen.progress.status, EventStatus::pending);
  EXPECT_EQ(seen.progress.delivery_attempts, 1);
  EXPECT_EQ(seen.progress.error_message, "status: 503");
  EXPECT_FALSE(seen.progress.delivery_latency_ms);
  EXPECT_EQ(seen.deliveries.at(0).state, DeliveryState::waiting);
  EXPECT_EQ(seen.deliveries.at(0).next_attempt_at, again_at);
  EXPECT_EQ(seen.deliveries.at(0).last_status, 503);
}

TEST_P(StoreSuite, what_goes_to_review_waits_for_a_person) {
  const auto endpoint = configure({"https://a.example/"}).at(0).number;
  const Event event = append_event();
  const auto claims = claimed(endpoint, 1);
  ASSERT_TRUE(settle(claims.at(0), SentToReview{ReviewReason::redirected}).has_value());
  advance(std::chrono::hours{24 * 400});
  maintain_all();
  kill_and_reopen();
  EXPECT_FALSE(claim(endpoint, 1).lanes.at(0).next_due);
  const EventView seen = view(event.id);
  EXPECT_EQ(seen.progress.status, EventStatus::pending);
  EXPECT_EQ(seen.deliveries.at(0).state, DeliveryState::review);
  EXPECT_EQ(seen.deliveries.at(0).review_reason, ReviewReason::redirected);
  EXPECT_FALSE(seen.deliveries.at(0).next_attempt_at);
}

TEST_P(StoreSuite, every_attempt_is_on_record_oldest_first) {
  const auto endpoint = configure({"https://a.example/"}).at(0).number;
  const Event event = append_event();
  auto claims = claimed(endpoint, 1);
  Settlement first = settlement(claims.at(0), Again{now() + seconds{1}, 1, 0});
  first.attempt.response_body = std::string{"\xFF\x00 not text", 11};
  ASSERT_TRUE(run(store().settle(first)).has_value());
  advance(seconds{1});
  claims = claimed(endpoint, 1);
  ASSERT_TRUE(settle(claims.at(0), Delivered{}).has_value());
  const auto seen = attempts(event.id);
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(seen[0].number, 1);
  EXPECT_EQ(seen[0].endpoint_id, secret_endpoint_id("https://a.example/"));
  EXPECT_EQ(seen[0].outcome, Outcome::retryable);
  EXPECT_EQ(seen[0].status, 503);
  EXPECT_EQ(seen[0].error, "status: 503");
  EXPECT_EQ(seen[0].duration, milliseconds{5});
  EXPECT_EQ(seen[0].started_at, now() - seconds{1});
  EXPECT_EQ(seen[0].response_body, first.attempt.response_body);
  EXPECT_EQ(seen[0].remote_address, "127.0.0.1:8443");
  EXPECT_EQ(seen[1].number, 2);
  EXPECT_EQ(seen[1].outcome, Outcome::delivered);
  EXPECT_EQ(seen[1].status, 200);
  EXPECT_FALSE(seen[1].error);
}

TEST_P(StoreSuite, an_event_is_delivered_when_all_of_its_deliveries_are) {
  const auto endpoints = configure({"https://a.example/", "https://b.example/"});
  const Event event = append_event();
  const auto first = claimed(endpoints[0].number, 1);
  const auto second = claimed(endpoints[1].number, 1);
  advance(milliseconds{100});
  ASSERT_TRUE(settle(first.at(0), Delivered{}).has_value());
  EXPECT_EQ(view(event.id).progress.status, EventStatus::pending);
  EXPECT_EQ(view(event.id).progress.delivery_latency_ms, 100);
  advance(milliseconds{400});
  ASSERT_TRUE(settle(second.at(0), Delivered{}).has_value());
  const EventView seen = view(event.id);
  EXPECT_EQ(seen.progress.status, EventStatus::delivered);
  EXPECT_EQ(seen.progress.delivery_attempts, 2);
  EXPECT_EQ(seen.progress.delivery_latency_ms, 500);
}

TEST_P(StoreSuite, the_latest_error_is_shown_until_its_delivery_succeeds) {
  const auto endpoints = configure({"https://a.example/", "https://b.example/"});
  const Event event = append_event();
  const auto first = claimed(endpoints[0].number, 1);
  const auto second = claimed(endpoints[1].number, 1);
  Settlement failure = settlement(first.at(0), Again{now(), 1, 0});
  failure.attempt.error = "timeout: no answer";
  ASSERT_TRUE(run(store().settle(failure)).has_value());
  advance(seconds{1});
  failure = settlement(second.at(0), Again{now(), 1, 0});
  failure.attempt.error = "connect: refused";
  ASSERT_TRUE(run(store().settle(failure)).has_value());
  EXPECT_EQ(view(event.id).progress.error_message, "connect: refused");
  EXPECT_EQ(view(event.id).progress.last_delivery_attempt, now());
  const auto again = claimed(endpoints[1].number, 1);
  ASSERT_TRUE(settle(again.at(0), Delivered{}).has_value());
  EXPECT_EQ(view(event.id).progress.error_message, "timeout: no answer");
}

TEST_P(StoreSuite, a_success_is_recorded_without_a_token_that_holds) {
  const auto endpoint = configure({"https://a.example/"}).at(0).number;
  const Event event = append_event();
  const auto claims = claimed(endpoint, 1);
  ASSERT_TRUE(give_back(claims).has_value());
  ASSERT_TRUE(settle(claims.at(0), Delivered{}).has_value());
  EXPECT_EQ(view(event.id).progress.status, EventStatus::delivered);
  EXPECT_TRUE(claimed(endpoint, 1).empty());
}

TEST_P(StoreSuite, a_success_ends_review_too) {
  const auto endpoint = configure({"https://a.example/"}).at(0).number;
  const Event event = append_event();
  const auto first = claimed(endpoint, 1);
  ASSERT_TRUE(give_back(first).has_value());
  const auto second = claimed(endpoint, 1);
  ASSERT_TRUE(settle(second.at(0), SentToReview{ReviewReason::rejected}).has_value());
  ASSERT_TRUE(settle(first.at(0), Delivered{}).has_value());
  EXPECT_EQ(view(event.id).progress.status, EventStatus::delivered);
  EXPECT_EQ(summary().failed, 0);
  EXPECT_EQ(summary().delivered, 1);
}

TEST_P(StoreSuite, a_second_success_is_no_error_and_counts_no_event_twice) {
  const auto endpoint = configure({"https://a.example/"}).at(0).number;
  const Event event = append_event();
  const auto claims = claimed(endpoint, 1);
  ASSERT_TRUE(settle(claims.at(0), Delivered{}).has_value());
  EXPECT_TRUE(settle(claims.at(0), Delivered{}).has_value());
  EXPECT_EQ(summary().delivered, 1);
  EXPECT_EQ(run(store().latency())->sample_size, 1);
  EXPECT_EQ(view(event.id).progress.status, EventStatus::delivered);
}

TEST_P(StoreSuite, a_failure_without_the_token_changes_nothing_but_the_record) {
  const auto endpoint = configure({"https://a.example/"}).at(0).number;
  const Event event = append_event();
  const auto stale = claimed(endpoint, 1);
  ASSERT_TRUE(give_back(stale).has_value());
  for (const Decision& decision :
       {Decision{Again{now() + seconds{60}, 0, 5}}, Decision{SentToReview{}}}) {
    const auto answer = settle(stale.at(0), decision);
    ASSERT_TRUE(answer.has_error());
    EXPECT_EQ(answer.error().kind, ErrorKind::conflict);
  }
  EXPECT_EQ(attempts(event.id).size(), 2U);
  EXPECT_EQ(view(event.id).deliveries.at(0).state, DeliveryState::waiting);
  const auto holder = claimed(endpoint, 1);
  ASSERT_EQ(holder.size(), 1U);
  EXPECT_EQ(holder[0].progress.step, 0);
}

TEST_P(StoreSuite, a_failure_after_a_success_changes_nothing_but_the_record) {
  const auto endpoint = configure({"https://a.example/"}).at(0).number;
  const Event event = append_event();
  const auto stale = claimed(endpoint, 1);
  ASSERT_TRUE(give_back(stale).has_value());
  const auto holder = claimed(endpoint, 1);
  ASSERT_TRUE(settle(stale.at(0), Delivered{}).has_value());
  const auto answer = settle(holder.at(0), Again{now() + seconds{1}, 1, 0});
  ASSERT_TRUE(answer.has_error());
  EXPECT_EQ(answer.error().kind, ErrorKind::conflict);
  EXPECT_EQ(view(event.id).progress.status, EventStatus::delivered);
  EXPECT_EQ(attempts(event.id).size(), 2U);
}

TEST_P(StoreSuite, nothing_revives_an_event_deleted_in_flight) {
  const auto endpoint = configure({"https://a.example/"}).at(0).number;
  const Event event = append_event();
  const auto claims = claimed(endpoint, 1);
  ASSERT_TRUE(run(store().erase(event.id)).has_value());
  for (const Decision& decision :
       {Decision{Delivered{}}, Decision{Again{now(), 1, 0}}, Decision{SentToReview{}}}) {
    const auto answer = settle(claims.at(0), decision);
    ASSERT_TRUE(answer.has_error());
    EXPECT_EQ(answer.error().kind, ErrorKind::not_found);
  }
  EXPECT_EQ(run(store().event(event.id)).error().kind, ErrorKind::not_found);
  EXPECT_EQ(summary().total, 0);
  EXPECT_EQ(run(store().figures())->in_flight, 0);
}

TEST_P(StoreSuite, an_attempt_in_flight_when_a_consumer_acknowledges_is_recorded_alone) {
  const auto endpoint = configure({"https://a.example/"}).at(0).number;
  for (const Decision& decision :
       {Decision{Delivered{}}, Decision{Again{now(), 1, 0}}, Decision{SentToReview{}}}) {
    const Event event = append_event();
    const auto claims = claimed(endpoint, 1);
    ASSERT_TRUE(ack(event.id).has_value());
    const EventView before = view(event.id);
    const auto answer = settle(claims.at(0), decision);
    ASSERT_TRUE(answer.has_error());
    EXPECT_EQ(answer.error().kind, ErrorKind::conflict);
    const EventView after = view(event.id);
    EXPECT_EQ(after.progress.status, EventStatus::delivered);
    EXPECT_EQ(after.progress.updated_at, before.progress.updated_at);
    EXPECT_EQ(after.deliveries.at(0).state, DeliveryState::discarded);
    EXPECT_EQ(after.progress.delivery_attempts, 1);
    EXPECT_EQ(attempts(event.id).size(), 1U);
  }
  EXPECT_EQ(run(store().figures())->in_flight, 0);
}

}  // namespace
}  // namespace dispatcher::conformance
