// What goes with a settlement in one commit: claims for the slot that is free with it, and the end
// of an endpoint that answered 410.
#include "conformance/store_suite.hpp"

namespace dispatcher::conformance {
namespace {

using std::chrono::seconds;

TEST_P(StoreSuite, a_settlement_claims_the_next_and_tells_what_is_due) {
  const auto number = create("ep_1").number;
  const auto events = append_events(4);
  const auto claims = claimed(number, 1);
  const auto answer = settle_and_claim(claims.at(0), Delivered{}, 2);
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(ids_of(answer->next), ids_of({events[1], events[2]}));
  EXPECT_EQ(answer->next[0].event->payload, events[1].payload);
  ASSERT_TRUE(answer->lane);
  EXPECT_EQ(answer->lane->endpoint, number);
  EXPECT_EQ(answer->lane->next_due, now());
  EXPECT_EQ(ids_of(claimed(number, 10)), ids_of({events[3]}));
  const auto last = settle_and_claim(answer->next[0], Delivered{}, 1);
  EXPECT_TRUE(last->next.empty());
  ASSERT_TRUE(last->lane);
  EXPECT_FALSE(last->lane->next_due);
  ASSERT_TRUE(settle(answer->next[1], Delivered{}).has_value());
}

TEST_P(StoreSuite, a_settlement_that_asks_for_nothing_claims_nothing) {
  const auto number = create("ep_1").number;
  (void)append_events(2);
  const auto answer = settle_and_claim(claimed(number, 1).at(0), Delivered{}, 0);
  ASSERT_TRUE(answer.has_value());
  EXPECT_TRUE(answer->next.empty());
  EXPECT_FALSE(answer->lane);
  EXPECT_EQ(claimed(number, 10).size(), 1U);
}

TEST_P(StoreSuite, what_the_settlement_itself_put_off_is_told_too) {
  const auto number = create("ep_1").number;
  (void)append_event();
  const auto answer =
      settle_and_claim(claimed(number, 1).at(0), Again{now() + seconds{7}, 1, 0}, 1);
  EXPECT_TRUE(answer->next.empty());
  ASSERT_TRUE(answer->lane);
  EXPECT_EQ(answer->lane->next_due, now() + seconds{7});
}

TEST_P(StoreSuite, a_settlement_that_is_not_recorded_claims_nothing) {
  const auto number = create("ep_1").number;
  const Event event = append_event();
  (void)append_events(2);
  const auto claims = claimed(number, 1);
  ASSERT_TRUE(ack(event.id).has_value());
  EXPECT_TRUE(settle_and_claim(claims.at(0), SentToReview{}, 1).has_error());
  EXPECT_EQ(claimed(number, 10).size(), 2U);
}

TEST_P(StoreSuite, a_claim_made_with_a_settlement_is_gone_after_a_kill) {
  const auto number = create("ep_1").number;
  (void)append_events(2);
  const auto answer = settle_and_claim(claimed(number, 1).at(0), Delivered{}, 1);
  ASSERT_EQ(answer->next.size(), 1U);
  EXPECT_TRUE(claimed(number, 10).empty());
  kill_and_reopen();
  EXPECT_EQ(claimed(number, 10).size(), 1U);
}

TEST_P(StoreSuite, what_comes_after_a_settlement_said_that_nothing_waits_is_hinted) {
  const auto number = create("ep_1").number;
  (void)append_event();
  const auto answer = settle_and_claim(claimed(number, 1).at(0), Delivered{}, 1);
  EXPECT_FALSE(answer->lane->next_due);
  std::vector<LaneDue> hints;
  store().on_due([&hints](std::span<const LaneDue> lanes) {
    hints.insert(hints.end(), lanes.begin(), lanes.end());
  });
  (void)append_event();
  (void)claim(kNoEndpoint + 1000, 0);
  store().on_due({});
  ASSERT_EQ(hints.size(), 1U);
  EXPECT_EQ(hints[0].endpoint, number);
}

TEST_P(StoreSuite, an_endpoint_that_is_gone_for_good_is_disabled_with_its_last_answer) {
  const EndpointRecord made = create("ep_1");
  (void)append_events(2);
  Settlement gone = settlement(claimed(made.number, 1).at(0), SentToReview{});
  gone.disables_endpoint = "410 Gone";
  gone.claim_next = 1;
  const auto answer = run(store().settle(gone));
  ASSERT_TRUE(answer.has_value());
  EXPECT_TRUE(answer->next.empty());
  EXPECT_FALSE(answer->lane);
  kill_and_reopen();
  const EndpointRecord seen = endpoint("ep_1");
  EXPECT_EQ(seen.state, EndpointState::disabled);
  EXPECT_EQ(seen.state_reason, "410 Gone");
  EXPECT_GT(seen.revision, made.revision);
  EXPECT_EQ(answer->disabled_in, seen.revision);
  EXPECT_EQ(seen.sealed, made.sealed);
  EXPECT_EQ(seen.filter.types, made.filter.types);
  EXPECT_TRUE(view(append_event().id).deliveries.empty());
  EXPECT_EQ(counts(made.number).waiting, 1);
}

TEST_P(StoreSuite, an_answer_disables_no_endpoint_of_the_secret) {
  const auto secret = configure({"https://a.example/"})[0];
  (void)append_event();
  Settlement gone = settlement(claimed(secret.number, 1).at(0), SentToReview{});
  gone.disables_endpoint = "410 Gone";
  const auto answer = run(store().settle(gone));
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->disabled_in, 0);
  EXPECT_EQ(endpoint(secret.id).state, EndpointState::active);
}

TEST_P(StoreSuite, an_answer_disables_its_endpoint_whatever_became_of_the_delivery_meanwhile) {
  for (const bool is_erased : {false, true}) {
    const std::string id = is_erased ? "ep_1" : "ep_2";
    const auto number = create(id).number;
    const Event event = append_event();
    Settlement gone = settlement(claimed(number, 1).at(0), SentToReview{});
    gone.disables_endpoint = "410 Gone";
    if (is_erased) {
      ASSERT_TRUE(run(store().erase(event.id)).has_value());
    } else {
      ASSERT_TRUE(ack(event.id).has_value());
    }
    ASSERT_TRUE(run(store().settle(gone)).has_error());
    kill_and_reopen();
    EXPECT_EQ(endpoint(id).state, EndpointState::disabled) << id;
  }
}

}  // namespace
}  // namespace dispatcher::conformance
