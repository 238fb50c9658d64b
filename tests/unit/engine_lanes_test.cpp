// Promises ("Isolation", and claiming by endpoint): the slots are shared fairly, one lane's backlog
// costs the others nothing, and what a step costs does not grow with the number of endpoints.
#include "engine/lanes.hpp"

#include <gtest/gtest.h>

#include <map>

namespace dispatcher {
namespace {

using namespace std::chrono_literals;

constexpr Now kNow{WallTime{1'000s}, MonoTime{5'000s}};
const PassLimit kNoLimit;
constexpr std::size_t kSlots = 100;
constexpr Slots kAllFree{kSlots, kSlots};

Now after(std::chrono::nanoseconds duration) {
  return {kNow.wall + std::chrono::floor<std::chrono::microseconds>(duration),
          kNow.mono + duration};
}

Endpoint endpoint(EndpointNumber number, int concurrency = 4) {
  Endpoint made;
  made.number = number;
  made.id = "ep_" + std::to_string(number);
  made.url.host = made.id + ".example";
  made.concurrency = concurrency;
  return made;
}

std::vector<Endpoint> endpoints(EndpointNumber count, int concurrency = 4) {
  std::vector<Endpoint> all;
  for (EndpointNumber number = 1; number <= count; ++number) {
    all.push_back(endpoint(number, concurrency));
  }
  return all;
}

// Lanes, and an inbox that gives each claim all that it asks for.
class LanesTest : public testing::Test {
 protected:
  using Shares = std::map<EndpointNumber, std::size_t>;

  // What each asks for; the claims stay under way.
  Shares ask(Now now, std::size_t free = kSlots, const PassLimit& limit = kNoLimit) {
    Shares shares;
    for (const LaneClaim& claim : lanes.share_out(now, {kSlots, free}, limit)) {
      shares[claim.request.endpoint] = claim.request.max;
      claims.push_back(claim);
    }
    return shares;
  }
  // All claims under way end; `next_due` is what they say of their lanes.
  void answer(Now now, std::optional<WallTime> next_due) {
    for (const LaneClaim& claim : claims) {
      const LaneDue said{claim.request.endpoint, next_due};
      lanes.end_claim(claim, &said);
      lanes.refresh(*lanes.find(claim.request.endpoint), now);
    }
    claims.clear();
  }
  // Asks all that have something due, and hears that nothing more is.
  void find_nothing(Now now) {
    while (!ask(now).empty()) {
      answer(now, std::nullopt);
    }
  }
  void hint(EndpointNumber number, Now now) {
    lanes.find(number)->hint(now.wall);
    lanes.refresh(*lanes.find(number), now);
  }
  template <class Change>
  void change(EndpointNumber number, Now now, Change apply) {
    apply(*lanes.find(number));
    lanes.refresh(*lanes.find(number), now);
  }

  Lanes lanes;
  std::vector<LaneClaim> claims;
};

TEST_F(LanesTest, a_lane_that_is_new_finds_out_what_is_due) {
  lanes.set_endpoints({endpoint(1, 4), endpoint(2, 9)}, kNow);
  EXPECT_EQ(ask(kNow), (Shares{{1, 4}, {2, 9}}));
  EXPECT_EQ(ask(kNow), Shares{}) << "while its claim is under way it asks for no more";
}

TEST_F(LanesTest, the_overall_limit_is_shared_evenly) {
  lanes.set_endpoints({endpoint(1, 100), endpoint(2, 100), endpoint(3, 1)}, kNow);
  const auto shares = ask(kNow);
  EXPECT_EQ(shares.at(3), 1U);
  EXPECT_GE(shares.at(1), 20U);
  EXPECT_EQ(shares.at(1), shares.at(2));
}

TEST_F(LanesTest, when_the_limit_does_not_suffice_for_all_each_has_its_turn) {
  lanes.set_endpoints(endpoints(3), kNow);
  Shares turns;
  for (int i = 0; i < 9; ++i) {
    for (const auto& [number, share] : ask(kNow, 1)) {
      turns[number] += share;
    }
    answer(kNow, kNow.wall);
  }
  EXPECT_EQ(turns, (Shares{{1, 3}, {2, 3}, {3, 3}}));
}

TEST_F(LanesTest, the_one_event_of_a_lane_is_next_though_another_has_ten_thousand) {
  lanes.set_endpoints({endpoint(1, 1'000), endpoint(2)}, kNow);
  lanes.find(2)->next_due.reset();
  lanes.refresh(*lanes.find(2), kNow);
  EXPECT_EQ(ask(kNow), (Shares{{1, 50}}));
  lanes.find(1)->in_flight = 50;
  answer(kNow, kNow.wall);
  EXPECT_EQ(ask(kNow, 50), Shares{});
  EXPECT_EQ(lanes.next_ready(kNow, {kSlots, 50}, kNoLimit, true), std::nullopt);
  EXPECT_EQ(lanes.held_by_first(kNow), 50U);
  hint(2, kNow);
  EXPECT_EQ(lanes.held_by_first(kNow), 0U);
  EXPECT_EQ(lanes.next_ready(kNow, {kSlots, 50}, kNoLimit, true), kNow.mono);
  EXPECT_EQ(ask(kNow, 50), (Shares{{2, 4}}));
}

TEST_F(LanesTest, who_holds_the_fewest_slots_is_next_and_of_those_who_waits_longest) {
  lanes.set_endpoints(endpoints(4, 64), kNow);
  change(1, kNow, [](Lane& lane) { lane.in_flight = 2; });
  change(2, kNow, [](Lane& lane) { lane.in_flight = 1; });
  const auto next = [this] {
    const auto claim = lanes.share_out(kNow, {kSlots, 1}, kNoLimit);
    const EndpointNumber number = claim.empty() ? kNoEndpoint : claim.front().request.endpoint;
    claims.insert(claims.end(), claim.begin(), claim.end());
    return number;
  };
  EXPECT_EQ(next(), 3);
  EXPECT_EQ(next(), 4);
  EXPECT_EQ(next(), kNoEndpoint) << "the last free slot is for one that holds none";
  change(1, kNow, [](Lane& lane) { lane.in_flight = 0; });
  EXPECT_EQ(next(), 1);
  answer(kNow, kNow.wall);
  EXPECT_EQ(next(), 3);
}

TEST_F(LanesTest, a_hint_does_not_cost_a_lane_its_turn) {
  lanes.set_endpoints(endpoints(3), kNow);
  for (int i = 0; i < 100; ++i) {
    hint(1, kNow);
  }
  EXPECT_EQ(ask(kNow, 1), (Shares{{1, 1}}));
}

TEST_F(LanesTest, a_lane_with_nothing_due_asks_for_nothing_until_it_is) {
  lanes.set_endpoints({endpoint(1)}, kNow);
  ask(kNow);
  answer(kNow, kNow.wall + 5s);
  EXPECT_EQ(ask(kNow), Shares{});
  EXPECT_EQ(lanes.next_ready(kNow, kAllFree, kNoLimit, true), kNow.mono + 5s);
  EXPECT_EQ(ask(after(5s)).size(), 1U);
}

TEST_F(LanesTest, a_due_time_goes_by_the_wall_clock_even_when_it_jumps) {
  lanes.set_endpoints({endpoint(1)}, kNow);
  ask(kNow);
  answer(kNow, kNow.wall + 1h);
  const Now jumped{kNow.wall + 24h, kNow.mono + 1s};
  EXPECT_EQ(ask(jumped).size(), 1U);
}

TEST_F(LanesTest, a_429_and_a_breaker_hold_a_lane_whatever_the_wall_clock_does) {
  lanes.set_endpoints(endpoints(2), kNow);
  change(1, kNow, [](Lane& lane) { lane.paused_until = kNow.mono + 30s; });
  change(2, kNow, [](Lane& lane) { lane.breaker.open_at_once(false, kNow.mono, 0); });
  const Now forward{kNow.wall + 24h, kNow.mono + 29s};
  EXPECT_EQ(ask(forward), Shares{});
  EXPECT_EQ(lanes.next_ready(forward, kAllFree, kNoLimit, true), kNow.mono + 30s);
  const Now back{kNow.wall + 1s, kNow.mono + 30s};
  EXPECT_EQ(ask(back), (Shares{{1, 4}, {2, 1}}));
}

TEST_F(LanesTest, an_open_breaker_is_no_reason_for_a_pass_to_wait) {
  lanes.set_endpoints({endpoint(1)}, kNow);
  change(1, kNow, [](Lane& lane) { lane.breaker.open_at_once(false, kNow.mono, 0); });
  EXPECT_EQ(lanes.next_ready(kNow, kAllFree, kNoLimit, false), std::nullopt);
  EXPECT_EQ(lanes.next_ready(kNow, kAllFree, kNoLimit, true), kNow.mono + 30s);
}

TEST_F(LanesTest, a_lane_asks_for_no_more_than_its_rate_and_waits_for_the_next_token) {
  Endpoint slow = endpoint(1, 64);
  slow.rate_per_second = 30;
  lanes.set_endpoints({slow}, kNow);
  EXPECT_EQ(ask(kNow), (Shares{{1, 3}}));
  for (int i = 0; i < 3; ++i) {
    lanes.find(1)->rate.take(kNow.mono);
  }
  answer(kNow, kNow.wall);
  EXPECT_EQ(ask(kNow), Shares{});
  EXPECT_EQ(lanes.rate_waits(), 1);
  const auto next = lanes.next_ready(kNow, kAllFree, kNoLimit, true);
  EXPECT_EQ(next, lanes.find(1)->rate.available_at(1, kNow.mono));
  EXPECT_EQ(ask(after(*next - kNow.mono)), (Shares{{1, 1}}));
}

TEST_F(LanesTest, paused_and_disabled_endpoints_ask_for_nothing_and_go_on_when_they_are_active) {
  for (const auto state : {EndpointState::paused, EndpointState::disabled}) {
    Endpoint stopped = endpoint(1);
    stopped.state = state;
    lanes.set_endpoints({stopped}, kNow);
    hint(1, kNow);
    EXPECT_EQ(ask(kNow), Shares{});
    EXPECT_EQ(lanes.next_ready(kNow, kAllFree, kNoLimit, true), std::nullopt);
    lanes.set_endpoints({endpoint(1)}, kNow);
    EXPECT_EQ(ask(kNow), (Shares{{1, 4}}));
    answer(kNow, std::nullopt);
  }
}

TEST_F(LanesTest, another_set_makes_only_those_ask_that_are_new) {
  lanes.set_endpoints(endpoints(3), kNow);
  find_nothing(kNow);
  auto others = endpoints(4);
  others[1].concurrency = 7;
  others[1].headers = {{"X-New", "1"}};
  lanes.set_endpoints(others, kNow);
  EXPECT_EQ(ask(kNow), (Shares{{4, 4}}));
  answer(kNow, std::nullopt);
  hint(2, kNow);
  EXPECT_EQ(ask(kNow), (Shares{{2, 7}}));
}

TEST_F(LanesTest, a_lane_that_stays_keeps_what_it_knows_of_its_receiver) {
  lanes.set_endpoints({endpoint(1)}, kNow);
  change(1, kNow, [](Lane& lane) {
    lane.paused_until = kNow.mono + 30s;
    lane.breaker.open_at_once(false, kNow.mono, 0);
    lane.latency = std::make_unique<LatencyHistogram>();
  });
  Endpoint changed = endpoint(1);
  changed.concurrency = 9;
  lanes.set_endpoints({changed}, kNow);
  EXPECT_EQ(lanes.find(1)->breaker.state(), BreakerState::open);
  EXPECT_EQ(lanes.find(1)->paused_until, kNow.mono + 30s);
  EXPECT_NE(lanes.find(1)->latency, nullptr);
  changed.url.target = "/elsewhere";
  lanes.set_endpoints({changed}, kNow);
  EXPECT_EQ(lanes.find(1)->breaker.state(), BreakerState::closed);
  EXPECT_EQ(ask(kNow), (Shares{{1, 9}})) << "of another receiver nothing is known";
}

TEST_F(LanesTest, an_endpoint_that_left_claims_nothing_more_and_ends_with_its_last_delivery) {
  lanes.set_endpoints(endpoints(2), kNow);
  find_nothing(kNow);
  lanes.find(1)->in_flight = 1;
  lanes.set_endpoints({endpoint(2)}, kNow);
  ASSERT_NE(lanes.find(1), nullptr);
  hint(1, kNow);
  EXPECT_EQ(ask(kNow), Shares{});
  lanes.find(1)->in_flight = 0;
  lanes.refresh(*lanes.find(1), kNow);
  EXPECT_EQ(lanes.find(1), nullptr);
}

TEST_F(LanesTest, an_endpoint_that_left_during_a_claim_ends_with_it) {
  lanes.set_endpoints({endpoint(1)}, kNow);
  ask(kNow);
  lanes.set_endpoints({}, kNow);
  ASSERT_NE(lanes.find(1), nullptr);
  answer(kNow, kNow.wall);
  EXPECT_EQ(lanes.find(1), nullptr);
}

TEST_F(LanesTest, a_claim_that_failed_is_asked_for_again) {
  lanes.set_endpoints({endpoint(1)}, kNow);
  for (const LaneClaim& claim : lanes.share_out(kNow, kAllFree, kNoLimit)) {
    lanes.end_claim(claim, nullptr);
    lanes.refresh(*lanes.find(1), kNow);
  }
  EXPECT_EQ(ask(kNow), (Shares{{1, 4}}));
}

TEST_F(LanesTest, what_a_pass_has_no_time_for_is_left_out) {
  Endpoint slow = endpoint(1);
  slow.timeout = 30s;
  Endpoint quick = endpoint(2);
  quick.timeout = 2s;
  lanes.set_endpoints({slow, quick}, kNow);
  const PassLimit limit{kNow.mono - 50s, kNow.mono + 15s};
  EXPECT_EQ(ask(kNow, kSlots, limit), (Shares{{2, 4}}));
  answer(kNow, kNow.wall + 7s);
  EXPECT_EQ(lanes.next_ready(kNow, kAllFree, limit, true), kNow.mono + 7s);
  const Now late = after(9s);
  EXPECT_EQ(lanes.next_ready(late, kAllFree, limit, true), std::nullopt);
}

// Ten thousand lanes of which 64 are busy: the others are not looked at. A walk over all of them
// for each of the million steps would not end within the test's time.
TEST_F(LanesTest, ten_thousand_lanes_cost_no_more_than_the_busy_ones) {
  lanes.set_endpoints(endpoints(10'000), kNow);
  find_nothing(kNow);
  for (EndpointNumber number = 1; number <= 64; ++number) {
    hint(number, kNow);
  }
  std::size_t asked = 0;
  for (int i = 0; i < 20'000; ++i) {
    asked += ask(kNow, 16).size();
    answer(kNow, kNow.wall);
    (void)lanes.next_ready(kNow, kAllFree, kNoLimit, true);
  }
  EXPECT_EQ(asked, 20'000U * 16U);
}

}  // namespace
}  // namespace dispatcher
