// What claiming promises: oldest due first, nobody else's until it ends, and none after a kill.
#include "conformance/store_suite.hpp"

#include <algorithm>
#include <mutex>
#include <set>

namespace dispatcher::conformance {
namespace {

using std::chrono::seconds;

TEST_P(StoreSuite, claims_are_oldest_due_first_and_no_more_than_asked_for) {
  const auto endpoint = configure({"https://a.example/"}).at(0).number;
  const Event first = append_event();
  advance(seconds{1});
  const Event second = append_event();
  advance(seconds{1});
  const Event third = append_event();
  EXPECT_EQ(ids_of(claimed(endpoint, 2)), ids_of({first, second}));
  EXPECT_EQ(ids_of(claimed(endpoint, 2)), ids_of({third}));
  EXPECT_TRUE(claimed(endpoint, 2).empty());
}

TEST_P(StoreSuite, a_claim_carries_the_event_and_its_progress) {
  const auto endpoint = configure({"https://a.example/"}).at(0).number;
  const Event event = append_event("order.created", "shop", R"({"n": 1.0})");
  auto claims = claimed(endpoint, 1);
  ASSERT_EQ(claims.size(), 1U);
  EXPECT_EQ(claims[0].event->payload, R"({"n": 1.0})");
  EXPECT_EQ(claims[0].event->type, "order.created");
  EXPECT_EQ(claims[0].event->source, "shop");
  EXPECT_EQ(claims[0].event->created_at, event.created_at);
  EXPECT_EQ(claims[0].endpoint, endpoint);
  EXPECT_EQ(claims[0].progress.attempts, 0);
  ASSERT_TRUE(settle(claims[0], Again{now() + seconds{5}, 2, 3}).has_value());
  advance(seconds{5});
  claims = claimed(endpoint, 1);
  ASSERT_EQ(claims.size(), 1U);
  EXPECT_EQ(claims[0].progress.attempts, 1);
  EXPECT_EQ(claims[0].progress.retries_used, 2);
  EXPECT_EQ(claims[0].progress.step, 3);
}

TEST_P(StoreSuite, what_is_not_due_is_not_claimed_and_its_due_time_is_told) {
  const auto endpoint = configure({"https://a.example/"}).at(0).number;
  (void)append_event();
  const auto claims = claimed(endpoint, 1);
  ASSERT_TRUE(settle(claims.at(0), Again{now() + seconds{10}, 1, 0}).has_value());
  advance(seconds{9});
  ClaimAnswer answer = claim(endpoint, 1);
  EXPECT_TRUE(answer.deliveries.empty());
  ASSERT_EQ(answer.lanes.size(), 1U);
  EXPECT_EQ(answer.lanes[0].endpoint, endpoint);
  EXPECT_EQ(answer.lanes[0].next_due, now() + seconds{1});
  advance(seconds{1});
  EXPECT_EQ(claimed(endpoint, 1).size(), 1U);
}

TEST_P(StoreSuite, the_next_due_time_is_that_of_what_is_unclaimed) {
  const auto endpoint = configure({"https://a.example/"}).at(0).number;
  EXPECT_FALSE(claim(endpoint, 1).lanes.at(0).next_due);
  const WallTime due = now();
  (void)append_events(2);
  EXPECT_EQ(claim(endpoint, 1).lanes.at(0).next_due, due);
  EXPECT_FALSE(claim(endpoint, 1).lanes.at(0).next_due);
}

TEST_P(StoreSuite, a_claim_for_no_more_than_nothing_tells_the_due_time) {
  const auto endpoint = configure({"https://a.example/"}).at(0).number;
  const WallTime due = now();
  (void)append_event();
  const ClaimAnswer answer = claim(endpoint, 0);
  EXPECT_TRUE(answer.deliveries.empty());
  EXPECT_EQ(answer.lanes.at(0).next_due, due);
}

TEST_P(StoreSuite, one_claim_serves_several_endpoints_in_the_order_asked) {
  const auto endpoints = configure({"https://a.example/", "https://b.example/"});
  const auto events = append_events(3);
  std::vector<ClaimRequest> requests{{endpoints[1].number, 2}, {endpoints[0].number, 1}};
  const auto answer = run(store().claim(requests, 1'000'000));
  ASSERT_TRUE(answer.has_value());
  ASSERT_EQ(answer->lanes.size(), 2U);
  EXPECT_EQ(answer->lanes[0].endpoint, endpoints[1].number);
  EXPECT_EQ(answer->lanes[1].endpoint, endpoints[0].number);
  EXPECT_EQ(answer->deliveries.size(), 3U);
  EXPECT_EQ(std::ranges::count(answer->deliveries, endpoints[1].number, &ClaimedDelivery::endpoint),
            2);
}

TEST_P(StoreSuite, a_claim_stays_within_its_bytes_but_has_at_least_one) {
  const auto endpoint = configure({"https://a.example/"}).at(0).number;
  const std::string payload = "{\"x\":\"" + std::string(1000, 'x') + "\"}";
  for (int i = 0; i < 4; ++i) {
    (void)append_event("t", "s", payload);
  }
  std::vector<ClaimRequest> requests{{endpoint, 10}};
  const auto tiny = run(store().claim(requests, 1));
  EXPECT_EQ(tiny->deliveries.size(), 1U);
  EXPECT_EQ(tiny->lanes.at(0).next_due, now());
  EXPECT_EQ(run(store().claim(requests, 2500))->deliveries.size(), 2U);
  EXPECT_EQ(run(store().claim(requests, 2500))->deliveries.size(), 1U);
}

TEST_P(StoreSuite, what_is_given_back_is_due_as_before_and_counted_as_nothing) {
  const auto endpoint = configure({"https://a.example/"}).at(0).number;
  const auto events = append_events(3);
  const auto claims = claimed(endpoint, 3);
  ASSERT_TRUE(give_back({claims[1]}).has_value());
  EXPECT_EQ(ids_of(claimed(endpoint, 3)), ids_of({events[1]}));
  EXPECT_EQ(view(events[1].id).progress.delivery_attempts, 0);
  EXPECT_TRUE(give_back({claims[1]}).has_value());  // an ended claim: nothing happens
  EXPECT_TRUE(claimed(endpoint, 3).empty());
}

TEST_P(StoreSuite, a_killed_claimer_holds_nothing) {
  const auto endpoint = configure({"https://a.example/"}).at(0).number;
  const auto events = append_events(3);
  EXPECT_EQ(claimed(endpoint, 3).size(), 3U);
  kill_and_reopen();
  EXPECT_EQ(ids_of(claimed(endpoint, 3)), ids_of(events));
}

TEST_P(StoreSuite, a_token_from_before_a_kill_settles_no_failure) {
  const auto endpoint = configure({"https://a.example/"}).at(0).number;
  const Event event = append_event();
  const auto before = claimed(endpoint, 1);
  kill_and_reopen();
  (void)configure({"https://a.example/"});
  const auto after = claimed(endpoint, 1);
  ASSERT_EQ(after.size(), 1U);
  const auto stale = settle(before.at(0), Again{now() + seconds{60}, 0, 1});
  ASSERT_TRUE(stale.has_error());
  EXPECT_EQ(stale.error().kind, ErrorKind::conflict);
  EXPECT_TRUE(settle(after.at(0), Delivered{}).has_value());
  EXPECT_EQ(view(event.id).progress.status, EventStatus::delivered);
}

TEST_P(StoreSuite, concurrent_claimers_never_share_a_delivery) {
  const auto endpoint = configure({"https://a.example/"}).at(0).number;
  const auto events = append_events(300);
  std::vector<boost::asio::awaitable<Result<ClaimAnswer>>> calls;
  for (int i = 0; i < 50; ++i) {
    std::vector<ClaimRequest> requests{{endpoint, 7}};
    calls.push_back(store().claim(std::move(requests), 1'000'000));
  }
  std::set<EventId> seen;
  std::size_t total = 0;
  for (const auto& answer : run_together(std::move(calls))) {
    ASSERT_TRUE(answer.has_value());
    for (const auto& id : ids_of(answer->deliveries)) {
      seen.insert(id);
      ++total;
    }
  }
  EXPECT_EQ(total, 300U);
  EXPECT_EQ(seen.size(), 300U);
}

TEST_P(StoreSuite, a_claim_is_shown_in_flight) {
  const auto endpoints = configure({"https://a.example/", "https://b.example/"});
  const Event event = append_event();
  ASSERT_EQ(claimed(endpoints[1].number, 1).size(), 1U);
  const EventView seen = view(event.id);
  ASSERT_EQ(seen.deliveries.size(), 2U);
  EXPECT_EQ(seen.deliveries[0].state, DeliveryState::waiting);
  EXPECT_EQ(seen.deliveries[0].next_attempt_at, now());
  EXPECT_EQ(seen.deliveries[1].state, DeliveryState::in_flight);
  EXPECT_FALSE(seen.deliveries[1].next_attempt_at);
  EXPECT_EQ(run(store().figures())->in_flight, 1);
}

TEST_P(StoreSuite, one_that_waits_longer_does_not_hold_up_those_behind_it) {
  const auto endpoint = configure({"https://a.example/"}).at(0).number;
  const auto events = append_events(2);
  const auto claims = claimed(endpoint, 1);
  ASSERT_TRUE(settle(claims.at(0), Again{now() + seconds{300}, 0, 1}).has_value());
  EXPECT_EQ(ids_of(claimed(endpoint, 5)), ids_of({events[1]}));
}

// -- hints

class Hints {
 public:
  explicit Hints(Store& store) : store_(store) {
    store.on_due([this](std::span<const LaneDue> lanes) {
      const std::lock_guard lock{mutex_};
      lanes_.insert(lanes_.end(), lanes.begin(), lanes.end());
    });
  }
  ~Hints() { store_.on_due({}); }
  Hints(const Hints&) = delete;
  Hints& operator=(const Hints&) = delete;

  [[nodiscard]] std::vector<LaneDue> all() const {
    const std::lock_guard lock{mutex_};
    return lanes_;
  }

 private:
  Store& store_;
  mutable std::mutex mutex_;
  std::vector<LaneDue> lanes_;
};

TEST_P(StoreSuite, an_append_hints_a_lane_that_was_told_nothing_waits) {
  const auto endpoint = configure({"https://a.example/"}).at(0).number;
  Hints hints{store()};
  EXPECT_FALSE(claim(endpoint, 1).lanes.at(0).next_due);
  (void)append_event();
  (void)claim(kNoEndpoint + 1000, 0);  // the hint of a commit comes before the next answer
  const auto seen = hints.all();
  ASSERT_GE(seen.size(), 1U);
  EXPECT_EQ(seen.back().endpoint, endpoint);
  ASSERT_TRUE(seen.back().next_due);
  EXPECT_LE(*seen.back().next_due, now());
}

TEST_P(StoreSuite, what_is_given_back_or_retried_sooner_than_told_is_hinted) {
  const auto endpoint = configure({"https://a.example/"}).at(0).number;
  Hints hints{store()};
  (void)append_events(2);
  const auto claims = claimed(endpoint, 2);
  EXPECT_FALSE(claim(endpoint, 1).lanes.at(0).next_due);
  const std::size_t before = hints.all().size();
  ASSERT_TRUE(settle(claims.at(0), Again{now() + seconds{30}, 1, 0}).has_value());
  (void)claim(kNoEndpoint + 1000, 0);
  ASSERT_EQ(hints.all().size(), before + 1);
  EXPECT_EQ(hints.all().back().next_due, now() + seconds{30});
  ASSERT_TRUE(give_back({claims.at(1)}).has_value());
  (void)claim(kNoEndpoint + 1000, 0);
  ASSERT_EQ(hints.all().size(), before + 2);
  EXPECT_EQ(hints.all().back().next_due, now());
}

}  // namespace
}  // namespace dispatcher::conformance
