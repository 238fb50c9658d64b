// Promises ("Retries", Breaker): opens at 20 attempts in 60 s of which 95 % failed retryably;
// probes after 30 s, doubling to 10 min, one at a time; a success closes it; a probe that failed
// uses up nothing of its delivery.
#include "model/breaker.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace dispatcher {
namespace {

using namespace std::chrono_literals;
using enum Outcome;

constexpr MonoTime kStart{10'000s};

// So many attempts, one every `gap`, all ending alike. What the last one changed.
BreakerChange record_all(Breaker& breaker, Outcome outcome, int count, MonoTime& now,
                         std::chrono::milliseconds gap = 1ms) {
  BreakerChange last = BreakerChange::none;
  for (int i = 0; i < count; ++i) {
    last = breaker.record(outcome, false, now, 0);
    now += gap;
  }
  return last;
}

struct Part {
  Outcome outcome;
  int count;
  std::chrono::milliseconds gap;
};

struct OpeningCase {
  const char* what;
  std::vector<Part> parts;
  bool opens;
};

TEST(Breaker, opens_when_the_page_says_so) {
  const OpeningCase cases[] = {
      {"19 failures are too few", {{retryable, 19, 1ms}}, false},
      {"20 failures open it", {{retryable, 20, 1ms}}, true},
      {"19 of 20 are 95 %", {{delivered, 1, 1ms}, {retryable, 19, 1ms}}, true},
      {"18 of 20 are not", {{delivered, 2, 1ms}, {retryable, 18, 1ms}}, false},
      {"37 of 39 are not", {{delivered, 2, 1ms}, {retryable, 37, 1ms}}, false},
      {"38 of 40 are", {{delivered, 2, 1ms}, {retryable, 38, 1ms}}, true},
      {"a refusal shows that it answers", {{refused, 2, 1ms}, {retryable, 18, 1ms}}, false},
      {"refusals alone never open it", {{refused, 1000, 1ms}}, false},
      {"what was abandoned counts for nothing", {{abandoned, 9, 1ms}, {retryable, 19, 1ms}}, false},
      {"what was blocked counts for nothing", {{blocked, 9, 1ms}, {retryable, 19, 1ms}}, false},
      {"20 within 57 s open it", {{retryable, 20, 3'000ms}}, true},
      {"20 over 76 s do not", {{retryable, 20, 4'000ms}}, false},
      {"slow failures never open it", {{retryable, 200, 4'000ms}}, false},
      {"successes of a minute ago are forgotten",
       {{delivered, 100, 1ms}, {abandoned, 1, 61'000ms}, {retryable, 20, 1ms}},
       true},
      {"successes of half a minute ago are not",
       {{delivered, 100, 1ms}, {abandoned, 1, 30'000ms}, {retryable, 20, 1ms}},
       false},
  };
  for (const OpeningCase& one : cases) {
    Breaker breaker;
    MonoTime now = kStart;
    for (const Part& part : one.parts) {
      record_all(breaker, part.outcome, part.count, now, part.gap);
    }
    EXPECT_EQ(breaker.state() == BreakerState::open, one.opens) << one.what;
  }
}

Breaker opened(MonoTime now, double jitter = 0) {
  Breaker breaker;
  EXPECT_EQ(breaker.open_at_once(false, now, jitter), BreakerChange::opened);
  return breaker;
}

TEST(Breaker, the_attempt_that_opens_it_says_so_once) {
  Breaker breaker;
  MonoTime now = kStart;
  EXPECT_EQ(record_all(breaker, retryable, 19, now), BreakerChange::none);
  EXPECT_EQ(record_all(breaker, retryable, 1, now), BreakerChange::opened);
  EXPECT_EQ(record_all(breaker, retryable, 30, now), BreakerChange::none);
  EXPECT_EQ(breaker.probe_at(), kStart + 19ms + 30s);
}

TEST(Breaker, probes_after_30_s_doubling_to_10_min) {
  MonoTime now = kStart;
  Breaker breaker = opened(now);
  for (const auto wait : {30s, 60s, 120s, 240s, 480s, 600s, 600s, 600s}) {
    EXPECT_FALSE(breaker.may_begin(now + wait - 1ns)) << wait.count();
    now += wait;
    ASSERT_TRUE(breaker.may_begin(now)) << wait.count();
    EXPECT_TRUE(breaker.begin());
    EXPECT_EQ(breaker.record(retryable, true, now, 0), BreakerChange::probe_failed);
  }
}

TEST(Breaker, jitter_lengthens_a_wait_by_up_to_a_quarter_and_never_past_the_longest) {
  Breaker breaker = opened(kStart, 1);
  EXPECT_EQ(breaker.probe_at(), kStart + 37'500ms);
  MonoTime now = kStart;
  for (int i = 0; i < 8; ++i) {
    now = breaker.probe_at();
    (void)breaker.begin();
    breaker.record(retryable, true, now, 1);
    EXPECT_LE(breaker.probe_at() - now, 10min);
  }
  EXPECT_EQ(breaker.probe_at() - now, 10min);
}

TEST(Breaker, lets_one_probe_through_at_a_time) {
  Breaker breaker = opened(kStart);
  EXPECT_TRUE(breaker.begin());
  EXPECT_EQ(breaker.state(), BreakerState::half_open);
  EXPECT_FALSE(breaker.may_begin(kStart + 1h));
}

struct ProbeCase {
  Outcome outcome;
  BreakerChange change;
  BreakerState state;
};

TEST(Breaker, a_probe_that_was_answered_closes_it) {
  const ProbeCase cases[] = {
      {delivered, BreakerChange::closed, BreakerState::closed},
      {refused, BreakerChange::closed, BreakerState::closed},
      {retryable, BreakerChange::probe_failed, BreakerState::open},
      {abandoned, BreakerChange::none, BreakerState::open},
      {blocked, BreakerChange::none, BreakerState::open},
  };
  for (const ProbeCase& one : cases) {
    Breaker breaker = opened(kStart);
    (void)breaker.begin();
    EXPECT_EQ(breaker.record(one.outcome, true, kStart + 31s, 0), one.change)
        << to_string(one.outcome);
    EXPECT_EQ(breaker.state(), one.state) << to_string(one.outcome);
  }
}

TEST(Breaker, a_probe_that_asked_nobody_is_followed_by_another_at_once) {
  Breaker breaker = opened(kStart);
  (void)breaker.begin();
  breaker.record(abandoned, true, kStart + 31s, 0);
  EXPECT_TRUE(breaker.may_begin(kStart + 31s));
}

TEST(Breaker, what_was_under_way_when_it_opened_moves_it_no_more) {
  Breaker breaker = opened(kStart);
  EXPECT_EQ(breaker.record(delivered, false, kStart + 1s, 0), BreakerChange::none);
  EXPECT_EQ(breaker.state(), BreakerState::open);
  (void)breaker.begin();
  EXPECT_EQ(breaker.record(delivered, false, kStart + 31s, 0), BreakerChange::none);
  EXPECT_EQ(breaker.state(), BreakerState::half_open);
}

TEST(Breaker, closed_again_it_counts_and_waits_anew) {
  MonoTime now = kStart;
  Breaker breaker = opened(now);
  for (int i = 0; i < 3; ++i) {
    now = breaker.probe_at();
    (void)breaker.begin();
    breaker.record(retryable, true, now, 0);
  }
  (void)breaker.begin();
  breaker.record(delivered, true, now, 0);
  EXPECT_EQ(record_all(breaker, retryable, 19, now), BreakerChange::none);
  EXPECT_EQ(record_all(breaker, retryable, 1, now), BreakerChange::opened);
  EXPECT_EQ(breaker.probe_at(), now - 1ms + 30s);
}

TEST(Breaker, one_that_is_gone_opens_it_at_once_and_as_a_probe_for_longer) {
  Breaker breaker = opened(kStart);
  EXPECT_EQ(breaker.open_at_once(false, kStart + 1s, 0), BreakerChange::none);
  EXPECT_EQ(breaker.probe_at(), kStart + 30s);
  (void)breaker.begin();
  EXPECT_EQ(breaker.open_at_once(true, kStart + 30s, 0), BreakerChange::probe_failed);
  EXPECT_EQ(breaker.probe_at(), kStart + 90s);
}

TEST(Breaker, a_probe_that_failed_uses_up_nothing_of_its_delivery) {
  const WallTime now{1'000s};
  RetryPolicy policy;
  for (const DeliveryProgress progress :
       {DeliveryProgress{0, 0, 0}, DeliveryProgress{4, 3, 0}, DeliveryProgress{36, 3, 8}}) {
    Verdict verdict;
    verdict.outcome = retryable;
    const auto decision = decide_probe(verdict, progress, policy, now, 0);
    const auto* again = std::get_if<Again>(&decision);
    ASSERT_NE(again, nullptr);
    EXPECT_EQ(again->retries_used, progress.retries_used);
    EXPECT_EQ(again->step, progress.step);
    EXPECT_EQ(again->at, now + backoff(policy, progress.retries_used + 1, 0));
    verdict.retry_after = 300s;
    EXPECT_EQ(std::get<Again>(decide_probe(verdict, progress, policy, now, 0)).at, now + 300s);
  }
}

TEST(Breaker, a_probe_that_did_not_fail_means_what_every_attempt_means) {
  const WallTime now{1'000s};
  const DeliveryProgress progress{4, 3, 0};
  Verdict verdict;
  verdict.outcome = delivered;
  EXPECT_TRUE(std::holds_alternative<Delivered>(decide_probe(verdict, progress, {}, now, 0)));
  verdict.outcome = refused;
  verdict.review_reason = ReviewReason::redirected;
  EXPECT_EQ(std::get<SentToReview>(decide_probe(verdict, progress, {}, now, 0)).reason,
            ReviewReason::redirected);
  verdict.outcome = abandoned;
  EXPECT_EQ(std::get<Again>(decide_probe(verdict, progress, {}, now, 0)).at, now);
}

}  // namespace
}  // namespace dispatcher
