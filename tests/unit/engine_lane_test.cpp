// Promises: claims are no more than an endpoint's free slots, fair over endpoints within the
// overall limit, and a hint that comes while a claim is under way is never lost.
#include "engine/lane.hpp"

#include <gtest/gtest.h>

#include <map>

namespace dispatcher {
namespace {

using namespace std::chrono_literals;

constexpr WallTime kNow{1'000s};
constexpr auto kAlways = [](const Lane&) { return true; };

Endpoint endpoint(EndpointNumber number, int concurrency = 4) {
  Endpoint made;
  made.number = number;
  made.id = "ep_" + std::to_string(number);
  made.concurrency = concurrency;
  return made;
}

std::map<EndpointNumber, std::size_t> as_map(const std::vector<ClaimRequest>& requests) {
  std::map<EndpointNumber, std::size_t> out;
  for (const ClaimRequest& request : requests) {
    out[request.endpoint] = request.max;
  }
  return out;
}

TEST(Lane, a_lane_asks_for_no_more_than_its_free_slots) {
  Lanes lanes;
  lanes.set_endpoints({endpoint(1, 4), endpoint(2, 9)});
  lanes.find(1)->in_flight = 3;
  EXPECT_EQ(as_map(lanes.share_out(kNow, 100, kAlways)),
            (std::map<EndpointNumber, std::size_t>{{1, 1}, {2, 9}}));
  lanes.find(1)->in_flight = 4;
  EXPECT_EQ(as_map(lanes.share_out(kNow, 100, kAlways)),
            (std::map<EndpointNumber, std::size_t>{{2, 9}}));
}

TEST(Lane, the_overall_limit_is_shared_evenly) {
  Lanes lanes;
  lanes.set_endpoints({endpoint(1, 100), endpoint(2, 100), endpoint(3, 1)});
  const auto shares = as_map(lanes.share_out(kNow, 11, kAlways));
  std::size_t sum = 0;
  for (const auto& [number, share] : shares) {
    sum += share;
    EXPECT_LE(share, 7U) << number;
  }
  EXPECT_LE(sum, 11U);
  EXPECT_EQ(shares.at(3), 1U);
  EXPECT_GE(shares.at(1), 4U);
  EXPECT_GE(shares.at(2), 4U);
}

TEST(Lane, when_the_limit_does_not_suffice_for_all_each_has_its_turn) {
  Lanes lanes;
  lanes.set_endpoints({endpoint(1), endpoint(2), endpoint(3)});
  std::map<EndpointNumber, int> turns;
  for (int i = 0; i < 9; ++i) {
    for (const auto& request : lanes.share_out(kNow, 1, kAlways)) {
      ++turns[request.endpoint];
    }
  }
  EXPECT_EQ(turns, (std::map<EndpointNumber, int>{{1, 3}, {2, 3}, {3, 3}}));
}

TEST(Lane, a_lane_with_nothing_due_asks_for_nothing) {
  Lanes lanes;
  lanes.set_endpoints({endpoint(1)});
  const LaneDue later{1, kNow + 5s};
  (void)lanes.share_out(kNow, 10, kAlways);
  lanes.note_claimed({&later, 1});
  EXPECT_TRUE(lanes.share_out(kNow, 10, kAlways).empty());
  EXPECT_EQ(lanes.next_ready(kAlways), kNow + 5s);
  EXPECT_EQ(lanes.share_out(kNow + 5s, 10, kAlways).size(), 1U);
}

TEST(Lane, a_hint_during_a_claim_outlives_the_claims_answer) {
  Lanes lanes;
  lanes.set_endpoints({endpoint(1)});
  (void)lanes.share_out(kNow, 10, kAlways);
  lanes.find(1)->hint(kNow);
  const LaneDue nothing{1, std::nullopt};
  lanes.note_claimed({&nothing, 1});
  EXPECT_EQ(lanes.share_out(kNow, 10, kAlways).size(), 1U);
}

TEST(Lane, a_hint_before_a_claim_does_not_outlive_it) {
  Lanes lanes;
  lanes.set_endpoints({endpoint(1)});
  lanes.find(1)->hint(kNow);
  (void)lanes.share_out(kNow, 10, kAlways);
  const LaneDue nothing{1, std::nullopt};
  lanes.note_claimed({&nothing, 1});
  EXPECT_TRUE(lanes.share_out(kNow, 10, kAlways).empty());
}

TEST(Lane, a_retry_after_pauses_the_whole_endpoint) {
  Lanes lanes;
  lanes.set_endpoints({endpoint(1)});
  lanes.find(1)->paused_until = kNow + 30s;
  EXPECT_TRUE(lanes.share_out(kNow, 10, kAlways).empty());
  EXPECT_EQ(lanes.next_ready(kAlways), kNow + 30s);
  EXPECT_EQ(lanes.share_out(kNow + 30s, 10, kAlways).size(), 1U);
}

TEST(Lane, an_endpoint_that_left_claims_nothing_more_and_ends_with_its_last_delivery) {
  Lanes lanes;
  lanes.set_endpoints({endpoint(1), endpoint(2)});
  lanes.find(1)->in_flight = 1;
  lanes.set_endpoints({endpoint(2)});
  EXPECT_EQ(as_map(lanes.share_out(kNow, 10, kAlways)).count(1), 0U);
  ASSERT_NE(lanes.find(1), nullptr);
  lanes.find(1)->in_flight = 0;
  lanes.set_endpoints({endpoint(2)});
  EXPECT_EQ(lanes.find(1), nullptr);
}

TEST(Lane, a_paused_endpoint_asks_for_nothing) {
  Lanes lanes;
  Endpoint paused = endpoint(1);
  paused.state = EndpointState::paused;
  lanes.set_endpoints({paused});
  EXPECT_TRUE(lanes.share_out(kNow, 10, kAlways).empty());
  EXPECT_EQ(lanes.next_ready(kAlways), std::nullopt);
}

}  // namespace
}  // namespace dispatcher
