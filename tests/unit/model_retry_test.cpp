// Promises checked: waits of 1, 2, 4 s that a jitter only lengthens, Retry-After when it is longer,
// then the long schedule, then review.
#include "model/retry.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace dispatcher {
namespace {

using namespace std::chrono_literals;
using std::chrono::microseconds;

const WallTime kNow = *parse_timestamp("2026-01-01T00:00:00Z");

TEST(Retry, waits_double_up_to_the_maximum) {
  struct Case {
    microseconds base;
    microseconds max;
    int retry;
    microseconds wait;
  };
  const std::vector<Case> cases{
      {1s, 60s, 1, 1s},      {1s, 60s, 2, 2s},   {1s, 60s, 3, 4s},   {1s, 60s, 4, 8s},
      {1s, 60s, 6, 32s},     {1s, 60s, 7, 60s},  {1s, 60s, 8, 60s},  {1s, 60s, 1'000'000, 60s},
      {100ms, 1s, 1, 100ms}, {100ms, 1s, 5, 1s}, {90s, 60s, 1, 60s}, {0s, 60s, 3, 0s},
      {1s, 0s, 2, 0s}};
  for (const Case& c : cases) {
    RetryPolicy policy;
    policy.base = c.base;
    policy.max = c.max;
    EXPECT_EQ(backoff(policy, c.retry, 0.0).count(), c.wait.count()) << c.retry;
  }
}

TEST(Retry, jitter_lengthens_a_wait_by_up_to_a_quarter_and_never_shortens_it) {
  const RetryPolicy policy;
  for (int retry = 1; retry <= 10; ++retry) {
    const auto shortest = backoff(policy, retry, 0.0);
    EXPECT_EQ(backoff(policy, retry, 1.0).count(), shortest.count() * 5 / 4);
    auto last = shortest;
    for (double jitter = 0; jitter <= 1.0; jitter += 0.125) {
      const auto wait = backoff(policy, retry, jitter);
      EXPECT_GE(wait, last);
      EXPECT_LE(wait.count(), shortest.count() * 5 / 4);
      last = wait;
    }
  }
}

Verdict verdict_of(Outcome outcome, std::optional<std::chrono::seconds> retry_after = {},
                   std::optional<ReviewReason> reason = {}) {
  Verdict verdict;
  verdict.outcome = outcome;
  verdict.retry_after = retry_after;
  verdict.review_reason = reason;
  return verdict;
}

std::string text_of(const Decision& decision) {
  if (std::holds_alternative<Delivered>(decision)) {
    return "delivered";
  }
  if (const auto* review = std::get_if<SentToReview>(&decision)) {
    return "review " + std::string{to_string(review->reason)};
  }
  const Again& again = std::get<Again>(decision);
  return "again +" + std::to_string((again.at - kNow).count()) + "us retries " +
         std::to_string(again.retries_used) + " step " + std::to_string(again.step);
}

TEST(Retry, a_decision_follows_from_outcome_and_progress) {
  struct Case {
    Verdict verdict;
    DeliveryProgress progress;
    double jitter;
    std::string_view decision;
  };
  const auto retryable = verdict_of(Outcome::retryable);
  const auto asks = [](std::chrono::seconds wait) { return verdict_of(Outcome::retryable, wait); };
  const auto refused = [](Outcome outcome, std::optional<ReviewReason> reason) {
    return verdict_of(outcome, {}, reason);
  };
  const std::vector<Case> cases{
      // {attempts, retries used, step}
      {verdict_of(Outcome::delivered), {0, 0, 0}, 0, "delivered"},
      {verdict_of(Outcome::delivered), {35, 3, 8}, 1, "delivered"},
      // The short retries.
      {retryable, {0, 0, 0}, 0, "again +1000000us retries 1 step 0"},
      {retryable, {1, 1, 0}, 0, "again +2000000us retries 2 step 0"},
      {retryable, {2, 2, 0}, 0, "again +4000000us retries 3 step 0"},
      {retryable, {0, 0, 0}, 1, "again +1250000us retries 1 step 0"},
      {retryable, {5, 1, 2}, 0.5, "again +2250000us retries 2 step 2"},
      // The long schedule.
      {retryable, {3, 3, 0}, 0, "again +300000000us retries 0 step 1"},
      {retryable, {7, 3, 1}, 0, "again +1800000000us retries 0 step 2"},
      {retryable, {11, 3, 2}, 0, "again +7200000000us retries 0 step 3"},
      {retryable, {15, 3, 3}, 0, "again +18000000000us retries 0 step 4"},
      {retryable, {19, 3, 4}, 0, "again +36000000000us retries 0 step 5"},
      {retryable, {23, 3, 5}, 0, "again +50400000000us retries 0 step 6"},
      {retryable, {27, 3, 6}, 0, "again +72000000000us retries 0 step 7"},
      {retryable, {31, 3, 7}, 0, "again +86400000000us retries 0 step 8"},
      {retryable, {31, 3, 7}, 1, "again +108000000000us retries 0 step 8"},
      {retryable, {35, 3, 8}, 0, "review exhausted"},
      {retryable, {99, 9, 9}, 0, "review exhausted"},
      // Each round has its retries again.
      {retryable, {4, 0, 1}, 0, "again +1000000us retries 1 step 1"},
      {retryable, {32, 0, 8}, 0, "again +1000000us retries 1 step 8"},
      // Retry-After, when it is longer.
      {asks(0s), {0, 0, 0}, 0, "again +1000000us retries 1 step 0"},
      {asks(1s), {0, 0, 0}, 1, "again +1250000us retries 1 step 0"},
      {asks(3s), {0, 0, 0}, 1, "again +3000000us retries 1 step 0"},
      {asks(3s), {2, 2, 0}, 0, "again +4000000us retries 3 step 0"},
      {asks(90s), {0, 0, 0}, 0, "again +90000000us retries 1 step 0"},
      {asks(24h), {1, 1, 0}, 0, "again +86400000000us retries 2 step 0"},
      {asks(60s), {3, 3, 0}, 0, "again +300000000us retries 0 step 1"},
      {asks(600s), {3, 3, 0}, 0, "again +600000000us retries 0 step 1"},
      {asks(24h), {35, 3, 8}, 0, "review exhausted"},
      // A person is needed.
      {refused(Outcome::refused, ReviewReason::rejected), {0, 0, 0}, 0, "review rejected"},
      {refused(Outcome::refused, ReviewReason::redirected), {3, 3, 0}, 0, "review redirected"},
      {refused(Outcome::blocked, ReviewReason::blocked), {0, 0, 0}, 0, "review blocked"},
      // Our own stop uses nothing up.
      {verdict_of(Outcome::abandoned), {0, 0, 0}, 1, "again +0us retries 0 step 0"},
      {verdict_of(Outcome::abandoned), {6, 2, 1}, 1, "again +0us retries 2 step 1"},
      {verdict_of(Outcome::abandoned), {35, 3, 8}, 1, "again +0us retries 3 step 8"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(text_of(decide(c.verdict, c.progress, {}, kNow, c.jitter)), c.decision);
  }
}

TEST(Retry, a_policy_may_have_no_retries_or_no_schedule) {
  RetryPolicy none;
  none.retries = 0;
  none.schedule = {};
  EXPECT_EQ(text_of(decide(verdict_of(Outcome::retryable), {}, none, kNow, 0)), "review exhausted");
  none.schedule = {10s};
  EXPECT_EQ(text_of(decide(verdict_of(Outcome::retryable), {}, none, kNow, 0)),
            "again +10000000us retries 0 step 1");
  EXPECT_EQ(text_of(decide(verdict_of(Outcome::retryable), {1, 0, 1}, none, kNow, 0)),
            "review exhausted");
  RetryPolicy unscheduled;
  unscheduled.schedule = {};
  EXPECT_EQ(text_of(decide(verdict_of(Outcome::retryable), {2, 2, 0}, unscheduled, kNow, 0)),
            "again +4000000us retries 3 step 0");
  EXPECT_EQ(text_of(decide(verdict_of(Outcome::retryable), {3, 3, 0}, unscheduled, kNow, 0)),
            "review exhausted");
}

TEST(Retry, a_delivery_that_never_succeeds_ends_in_review_after_36_attempts) {
  const RetryPolicy policy;
  DeliveryProgress progress;
  WallTime now = kNow;
  while (true) {
    const Decision decision = decide(verdict_of(Outcome::retryable), progress, policy, now, 0);
    ++progress.attempts;
    const auto* again = std::get_if<Again>(&decision);
    if (again == nullptr) {
      break;
    }
    ASSERT_GT(again->at, now);
    now = again->at;
    progress.retries_used = again->retries_used;
    progress.step = again->step;
  }
  EXPECT_EQ(progress.attempts, 9 * 4);
  // The long steps, and 1 + 2 + 4 s in each round.
  EXPECT_EQ(now - kNow, 5min + 30min + 75h + 9 * 7s);
}

}  // namespace
}  // namespace dispatcher
