// Promises: a lane begins no more than its slots, its rate, its breaker and a 429 allow, and what
// became due is never lost, in whatever order the inbox's answers come.
#include "engine/lane.hpp"

#include <gtest/gtest.h>

namespace dispatcher {
namespace {

using namespace std::chrono_literals;

constexpr WallTime kWall{1'000s};
constexpr MonoTime kMono{5'000s};
constexpr LaneDue kNothing{1, std::nullopt};
constexpr LaneDue kLater{1, kWall + 60s};

Lane lane(int concurrency = 4, std::optional<double> rate = std::nullopt) {
  Endpoint endpoint;
  endpoint.number = 1;
  endpoint.concurrency = concurrency;
  endpoint.rate_per_second = rate;
  Lane made;
  made.rate = RateLimit{rate};
  made.endpoint = std::make_shared<const Endpoint>(std::move(endpoint));
  return made;
}

TEST(Lane, begins_no_more_than_its_free_slots) {
  Lane one = lane(4);
  EXPECT_EQ(one.may_begin(kMono), 4U);
  one.in_flight = 3;
  EXPECT_EQ(one.may_begin(kMono), 1U);
  one.in_flight = 4;
  EXPECT_EQ(one.may_begin(kMono), 0U);
  EXPECT_EQ(one.may_begin(kMono, 1), 1U) << "once its own slot is free";
  one.in_flight = 6;  // its concurrency was lowered meanwhile
  EXPECT_EQ(one.may_begin(kMono, 1), 0U);
}

TEST(Lane, what_is_reserved_is_nobody_elses) {
  Lane one = lane(64, 30.0);
  EXPECT_EQ(one.may_begin(kMono), 3U);
  one.reserved = 2;
  EXPECT_EQ(one.may_begin(kMono), 1U);
  one.reserved = 3;
  EXPECT_EQ(one.may_begin(kMono), 0U);
  EXPECT_GT(one.held_until(kMono), kMono);
}

TEST(Lane, a_429_holds_it_on_the_monotonic_clock) {
  Lane one = lane();
  one.paused_until = kMono + 30s;
  EXPECT_EQ(one.may_begin(kMono + 30s - 1ns), 0U);
  EXPECT_EQ(one.may_begin(kMono + 30s), 4U);
}

TEST(Lane, an_open_breaker_lets_one_probe_through) {
  Lane one = lane();
  one.breaker.open_at_once(false, kMono, 0);
  EXPECT_EQ(one.may_begin(kMono + 29s), 0U);
  EXPECT_EQ(one.may_begin(kMono + 30s), 1U);
  EXPECT_TRUE(one.breaker.begin());
  EXPECT_EQ(one.may_begin(kMono + 31s), 0U);
}

TEST(Lane, what_is_not_active_or_not_there_any_more_begins_nothing) {
  for (const auto state : {EndpointState::paused, EndpointState::disabled}) {
    Lane one = lane();
    Endpoint other = *one.endpoint;
    other.state = state;
    one.endpoint = std::make_shared<const Endpoint>(std::move(other));
    EXPECT_EQ(one.may_begin(kMono), 0U);
  }
  Lane one = lane();
  one.has_left = true;
  EXPECT_EQ(one.may_begin(kMono), 0U);
}

TEST(Lane, a_hint_before_a_question_does_not_outlive_its_answer) {
  Lane one = lane();
  one.hint(kWall);
  const auto question = one.ask();
  one.answer(question, &kNothing);
  EXPECT_EQ(one.next_due, std::nullopt);
}

TEST(Lane, a_hint_during_a_question_outlives_its_answer) {
  Lane one = lane();
  const auto question = one.ask();
  one.hint(kWall + 5s);
  one.hint(kWall + 9s);
  one.answer(question, &kNothing);
  EXPECT_EQ(one.next_due, kWall + 5s);
}

TEST(Lane, a_hint_outlives_answers_that_come_in_another_order) {
  Lane one = lane();
  const auto first = one.ask();
  const auto second = one.ask();
  one.hint(kWall);
  one.answer(second, &kLater);
  EXPECT_EQ(one.next_due, kWall);
  one.answer(first, &kNothing);
  EXPECT_EQ(one.next_due, kWall);
}

TEST(Lane, without_an_answer_what_was_known_stays) {
  Lane one = lane();
  one.hint(kWall + 7s);
  const auto question = one.ask();
  one.answer(question, nullptr);
  EXPECT_EQ(one.next_due, kWall + 7s);
}

// With a question under way at every moment, an old hint must be forgotten all the same: else the
// lane would ask for ever.
TEST(Lane, a_hint_is_forgotten_though_there_is_always_a_question_under_way) {
  Lane one = lane();
  auto under_way = one.ask();
  one.hint(kWall);
  for (int i = 0; i < 3; ++i) {
    const auto next = one.ask();
    one.answer(under_way, &kNothing);
    under_way = next;
  }
  EXPECT_EQ(one.next_due, std::nullopt);
}

}  // namespace
}  // namespace dispatcher
