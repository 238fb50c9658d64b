// What is known of each endpoint is right after every step: how much it took, failed, waits for and
// has in review, since when it fails, and how old the oldest event is that waits for it.
#include "conformance/store_suite.hpp"

namespace dispatcher::conformance {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

struct Expected {
  std::int64_t delivered = 0;
  std::int64_t failed = 0;
  std::int64_t waiting = 0;
  std::int64_t review = 0;
};

void expect(const EndpointCounts& counts, const Expected& expected) {
  EXPECT_EQ(counts.delivered, expected.delivered);
  EXPECT_EQ(counts.failed, expected.failed);
  EXPECT_EQ(counts.waiting, expected.waiting);
  EXPECT_EQ(counts.review, expected.review);
}

TEST_P(StoreSuite, the_counts_follow_every_step_of_a_delivery) {
  const auto number = create("ep_1").number;
  const auto other = create("ep_2", EventFilter{{"other"}, {"*"}}).number;
  expect(counts(number), {});
  const auto events = append_events(3);
  expect(counts(number), {.waiting = 3});
  const auto claims = claimed(number, 3);
  expect(counts(number), {.waiting = 3});
  ASSERT_TRUE(settle(claims.at(0), Delivered{}).has_value());
  expect(counts(number), {.delivered = 1, .waiting = 2});
  ASSERT_TRUE(settle(claims.at(1), Again{now(), 1, 0}).has_value());
  expect(counts(number), {.delivered = 1, .failed = 1, .waiting = 2});
  ASSERT_TRUE(settle(claims.at(2), SentToReview{}).has_value());
  expect(counts(number), {.delivered = 1, .failed = 2, .waiting = 1, .review = 1});
  ASSERT_TRUE(release(events[2].id, ReleaseAction::replay).has_value());
  expect(counts(number), {.delivered = 1, .failed = 2, .waiting = 2});
  ASSERT_TRUE(release(events[2].id, ReleaseAction::discard).has_value());
  expect(counts(number), {.delivered = 1, .failed = 2, .waiting = 1});
  ASSERT_TRUE(ack(events[1].id).has_value());
  expect(counts(number), {.delivered = 1, .failed = 2});
  kill_and_reopen();
  expect(counts(number), {.delivered = 1, .failed = 2});
  expect(counts(other), {});
}

TEST_P(StoreSuite, counts_are_answered_for_each_number_asked_in_that_order) {
  const auto first = create("ep_1").number;
  const auto second = create("ep_2", EventFilter{{"other"}, {"*"}}).number;
  (void)append_event();
  const auto answer = run(store().endpoint_counts({second, 77, first, second})).value();
  ASSERT_EQ(answer.size(), 4U);
  EXPECT_EQ(answer[0].number, second);
  EXPECT_EQ(answer[1].number, 77U);
  EXPECT_EQ(answer[2].waiting, 1);
  expect(answer[0], {});
  expect(answer[1], {});
  expect(answer[3], {});
}

TEST_P(StoreSuite, what_is_erased_waits_no_more_but_stays_delivered_or_failed) {
  const auto number = create("ep_1").number;
  const auto events = append_events(3);
  const auto claims = claimed(number, 2);
  ASSERT_TRUE(settle(claims.at(0), Delivered{}).has_value());
  ASSERT_TRUE(settle(claims.at(1), SentToReview{}).has_value());
  for (const Event& event : events) {
    ASSERT_TRUE(run(store().erase(event.id)).has_value());
  }
  expect(counts(number), {.delivered = 1, .failed = 1});
}

TEST_P(StoreSuite, a_backlog_counts_for_its_endpoint_when_it_is_routed) {
  (void)append_events(3);
  const auto number = create("ep_1", {}, EndpointStart::pending).number;
  maintain_all();
  expect(counts(number), {.waiting = 3});
}

TEST_P(StoreSuite, attempts_that_a_consumer_reports_count_for_the_endpoint_they_name) {
  const auto number = create("ep_1").number;
  const Event event = append_event();
  const LeasedEvents leased = lease(1, seconds{60});
  NackRequest request;
  request.error = "status: 503";
  request.attempts.resize(2);
  for (Attempt& attempt : request.attempts) {
    attempt.endpoint_id = "ep_1";
    attempt.started_at = now();
  }
  request.attempts[1].outcome = Outcome::abandoned;
  ASSERT_TRUE(nack(event.id, leased.token, request).has_value());
  expect(counts(number), {.failed = 1, .waiting = 1});
  EXPECT_EQ(counts(number).failing_since, now());
}

TEST_P(StoreSuite, an_endpoint_fails_since_its_first_failure_after_a_success) {
  const auto number = create("ep_1").number;
  (void)append_events(8);
  const auto claims = claimed(number, 8);
  EXPECT_FALSE(counts(number).failing_since);
  ASSERT_TRUE(settle(claims.at(0), Delivered{}).has_value());
  EXPECT_FALSE(counts(number).failing_since);
  advance(seconds{1});
  Settlement abandoned = settlement(claims.at(1), Again{now(), 0, 0});
  abandoned.attempt.outcome = Outcome::abandoned;
  ASSERT_TRUE(run(store().settle(abandoned)).has_value());
  EXPECT_FALSE(counts(number).failing_since);
  advance(seconds{1});
  const WallTime first = now();
  ASSERT_TRUE(settle(claims.at(2), Again{now(), 1, 0}).has_value());
  advance(seconds{1});
  ASSERT_TRUE(settle(claims.at(3), SentToReview{}).has_value());
  EXPECT_EQ(counts(number).failing_since, first);
  abandoned = settlement(claims.at(4), Again{now(), 0, 0});
  abandoned.attempt.outcome = Outcome::abandoned;
  ASSERT_TRUE(run(store().settle(abandoned)).has_value());
  kill_and_reopen();
  EXPECT_EQ(counts(number).failing_since, first);
  ASSERT_TRUE(settle(claims.at(5), Delivered{}).has_value());
  EXPECT_FALSE(counts(number).failing_since);
}

// Settled together, they may be written by one commit.
TEST_P(StoreSuite, of_outcomes_recorded_together_the_last_success_counts) {
  const auto number = create("ep_1").number;
  (void)append_events(30);
  const auto claims = claimed(number, 30);
  ASSERT_TRUE(settle(claims.at(0), SentToReview{}).has_value());
  advance(seconds{1});
  std::vector<boost::asio::awaitable<Result<SettleAnswer>>> calls;
  for (std::size_t i = 1; i < claims.size(); ++i) {
    Settlement one = i == 15 ? settlement(claims[i], Delivered{})
                             : settlement(claims[i], Decision{SentToReview{}});
    one.attempt.started_at += seconds{static_cast<std::int64_t>(i)};
    calls.push_back(store().settle(std::move(one)));
  }
  for (const auto& answer : run_together(std::move(calls))) {
    ASSERT_TRUE(answer.has_value());
  }
  EXPECT_EQ(counts(number).failing_since, now() + seconds{16});
  expect(counts(number), {.delivered = 1, .failed = 29, .review = 29});
}

TEST_P(StoreSuite, the_oldest_that_waits_is_known_through_retries_and_review) {
  const auto number = create("ep_1").number;
  EXPECT_FALSE(counts(number).oldest_waiting);
  std::vector<WallTime> times;
  for (int i = 0; i < 4; ++i) {
    advance(seconds{10});
    times.push_back(now());
    (void)append_event();
  }
  EXPECT_EQ(counts(number).oldest_waiting, times[0]);
  const auto claims = claimed(number, 3);
  EXPECT_EQ(counts(number).oldest_waiting, times[0]);
  ASSERT_TRUE(settle(claims.at(0), SentToReview{}).has_value());
  EXPECT_EQ(counts(number).oldest_waiting, times[1]);
  // It waits for a long time now: later ones are due before it.
  ASSERT_TRUE(settle(claims.at(1), Again{now() + hours{5}, 0, 1}).has_value());
  EXPECT_EQ(counts(number).oldest_waiting, times[1]);
  ASSERT_TRUE(settle(claims.at(2), Delivered{}).has_value());
  EXPECT_EQ(counts(number).oldest_waiting, times[1]);
  advance(hours{5});
  const auto rest = claimed(number, 2);
  ASSERT_TRUE(settle(rest.at(1), Delivered{}).has_value());
  EXPECT_EQ(counts(number).oldest_waiting, times[3]);
  ASSERT_TRUE(settle(rest.at(0), Delivered{}).has_value());
  EXPECT_FALSE(counts(number).oldest_waiting);
}

}  // namespace
}  // namespace dispatcher::conformance
