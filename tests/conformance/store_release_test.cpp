// Replay and discard: what a person releases waits again or is over for good, once, with who did it
// and why; and everything that is counted follows.
#include "conformance/store_suite.hpp"

#include <algorithm>

namespace dispatcher::conformance {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

constexpr auto kReplay = ReleaseAction::replay;
constexpr auto kDiscard = ReleaseAction::discard;

// -- replay of one event

TEST_P(StoreSuite, a_replayed_delivery_waits_again_and_its_attempts_count_on) {
  const auto number = create("ep_1").number;
  const Event event = append_event();
  ASSERT_TRUE(settle(claimed(number, 1).at(0), Again{now() + hours{1}, 2, 3}).has_value());
  advance(hours{1});
  ASSERT_TRUE(settle(claimed(number, 1).at(0), Delivered{}).has_value());
  EXPECT_EQ(summary().delivered, 1);
  advance(seconds{10});
  const auto released = release(event.id, kReplay);
  ASSERT_TRUE(released.has_value());
  EXPECT_EQ(*released, 1);
  const EventView waiting = view(event.id);
  EXPECT_EQ(waiting.progress.status, EventStatus::pending);
  EXPECT_FALSE(waiting.progress.delivery_latency_ms);
  EXPECT_EQ(waiting.progress.updated_at, now());
  EXPECT_EQ(waiting.deliveries.at(0).state, DeliveryState::waiting);
  EXPECT_EQ(waiting.deliveries.at(0).next_attempt_at, now());
  EXPECT_FALSE(waiting.deliveries.at(0).delivered_at);
  EXPECT_EQ(summary().delivered, 0);
  EXPECT_EQ(summary().pending, 1);
  kill_and_reopen();
  const auto claims = claimed(number, 1);
  ASSERT_EQ(claims.size(), 1U);
  EXPECT_EQ(claims[0].progress.attempts, 2);
  EXPECT_EQ(claims[0].progress.retries_used, 0);
  EXPECT_EQ(claims[0].progress.step, 0);
  ASSERT_TRUE(settle(claims[0], Delivered{}).has_value());
  EXPECT_EQ(attempts(event.id).back().number, 3);
  EXPECT_EQ(summary().delivered, 1);
}

TEST_P(StoreSuite, who_released_what_and_why_is_kept_and_erased_with_the_event) {
  const auto number = create("ep_1").number;
  const Event event = append_event();
  EXPECT_TRUE(releases(event.id).empty());
  ASSERT_TRUE(settle(claimed(number, 1).at(0), SentToReview{}).has_value());
  advance(seconds{1});
  const WallTime first = now();
  ASSERT_TRUE(
      run(store().release(event.id, "ep_1", kReplay, {"ann", "they are back"})).has_value());
  advance(seconds{1});
  ASSERT_TRUE(run(store().release(event.id, {}, kDiscard, {"bob", ""})).has_value());
  kill_and_reopen();
  const auto seen = releases(event.id);
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(seen[0].endpoint_id, "ep_1");
  EXPECT_EQ(seen[0].action, kReplay);
  EXPECT_EQ(seen[0].at, first);
  EXPECT_EQ(seen[0].note.by, "ann");
  EXPECT_EQ(seen[0].note.note, "they are back");
  EXPECT_EQ(seen[1].action, kDiscard);
  EXPECT_EQ(seen[1].note.by, "bob");
  ASSERT_TRUE(run(store().erase(event.id)).has_value());
  EXPECT_EQ(run(store().releases(event.id)).error().kind, ErrorKind::not_found);
  EXPECT_EQ(release(event.id, kReplay).error().kind, ErrorKind::not_found);
}

TEST_P(StoreSuite, what_waits_or_is_in_flight_is_not_replayed) {
  const auto number = create("ep_1").number;
  const auto events = append_events(2);
  const auto claims = claimed(number, 1);
  const auto id = claims.at(0).event->id;
  EXPECT_EQ(release(id, kReplay).value(), 0);
  EXPECT_EQ(release(events[1].id, kReplay).value(), 0);
  EXPECT_TRUE(releases(id).empty());
  EXPECT_TRUE(settle(claims.at(0), Again{now() + seconds{30}, 1, 0}).has_value());
  EXPECT_EQ(release(id, kReplay).value(), 0);
  EXPECT_EQ(view(id).deliveries.at(0).next_attempt_at, now() + seconds{30});
}

TEST_P(StoreSuite, of_several_deliveries_the_one_named_or_all_that_ended_are_replayed) {
  const auto first = create("ep_1").number;
  const auto second = create("ep_2").number;
  (void)create("ep_3");
  const Event event = append_event();
  const Event other = append_event("other");
  ASSERT_TRUE(settle(claimed(first, 1).at(0), Delivered{}).has_value());
  ASSERT_TRUE(settle(claimed(second, 1).at(0), SentToReview{}).has_value());
  EXPECT_EQ(release(event.id, kReplay, "ep_3").value(), 0);
  EXPECT_EQ(release(event.id, kReplay, "ep_1").value(), 1);
  EXPECT_EQ(view(event.id).deliveries.at(1).state, DeliveryState::review);
  EXPECT_EQ(release(event.id, kReplay).value(), 1);
  EXPECT_EQ(claimed(second, 2).size(), 2U);
  EXPECT_EQ(release(event.id, kReplay, "ep_4").error().kind, ErrorKind::not_found);
  (void)create("ep_4");
  EXPECT_EQ(release(other.id, kReplay, "ep_4").error().kind, ErrorKind::not_found);
}

TEST_P(StoreSuite, what_a_consumer_acknowledged_is_replayed_for_consumers_and_endpoints) {
  const Event unrouted = append_event();
  ASSERT_TRUE(ack(unrouted.id).has_value());
  const auto number = create("ep_1").number;
  const Event event = append_event();
  const LeasedEvents leased = lease(1, seconds{60});
  ASSERT_TRUE(ack(event.id, leased.token).has_value());
  EXPECT_EQ(release(event.id, kReplay).value(), 1);
  EXPECT_EQ(ids_of(claimed(number, 10)), ids_of({event}));
  EXPECT_EQ(release(unrouted.id, kReplay).value(), 1);
  EXPECT_EQ(releases(unrouted.id).at(0).endpoint_id, "");
  EXPECT_EQ(ids_of(lease(10, seconds{60}).events), ids_of({unrouted}));
}

TEST_P(StoreSuite, a_replay_leaves_a_leased_event_to_its_consumer) {
  const auto first = create("ep_1").number;
  const auto second = create("ep_2").number;
  const Event event = append_event();
  ASSERT_TRUE(settle(claimed(first, 1).at(0), SentToReview{}).has_value());
  const LeasedEvents leased = lease(1, seconds{60});
  ASSERT_EQ(leased.events.size(), 1U);
  EXPECT_EQ(release(event.id, kReplay).value(), 1);
  EXPECT_TRUE(claimed(first, 1).empty());
  EXPECT_TRUE(claimed(second, 1).empty());
  advance(seconds{60});
  EXPECT_EQ(claimed(first, 1).size(), 1U);
  EXPECT_EQ(claimed(second, 1).size(), 1U);
}

TEST_P(StoreSuite, a_replay_for_a_disabled_endpoint_waits_and_for_a_removed_one_is_none) {
  const auto number = create("ep_1").number;
  const Event event = append_event();
  ASSERT_TRUE(settle(claimed(number, 1).at(0), Delivered{}).has_value());
  (void)change("ep_1", [](EndpointRecord& record) { record.state = EndpointState::disabled; });
  EXPECT_EQ(release(event.id, kReplay).value(), 1);
  EXPECT_EQ(counts(number).waiting, 1);
  EXPECT_EQ(release(event.id, kDiscard).value(), 1);
  ASSERT_TRUE(run(store().remove_endpoint("ep_1", false, {})).has_value());
  EXPECT_EQ(release(event.id, kReplay).value(), 0);
  EXPECT_EQ(release(event.id, kReplay, "ep_1").error().kind, ErrorKind::not_found);
  EXPECT_EQ(view(event.id).progress.status, EventStatus::failed);
}

TEST_P(StoreSuite, an_old_token_settles_nothing_of_a_replay_but_a_success) {
  const auto number = create("ep_1").number;
  const Event event = append_event();
  const auto stale = claimed(number, 1);
  ASSERT_TRUE(ack(event.id).has_value());
  ASSERT_TRUE(settle(stale.at(0), SentToReview{}).has_error());
  ASSERT_EQ(release(event.id, kReplay).value(), 1);
  EXPECT_EQ(settle(stale.at(0), SentToReview{}).error().kind, ErrorKind::conflict);
  EXPECT_EQ(view(event.id).deliveries.at(0).state, DeliveryState::waiting);
}

TEST_P(StoreSuite, a_replay_is_hinted_to_its_lane) {
  const auto number = create("ep_1").number;
  const Event event = append_event();
  ASSERT_TRUE(settle(claimed(number, 1).at(0), SentToReview{}).has_value());
  EXPECT_FALSE(claim(number, 1).lanes.at(0).next_due);
  std::vector<LaneDue> hints;
  store().on_due([&hints](std::span<const LaneDue> lanes) {
    hints.insert(hints.end(), lanes.begin(), lanes.end());
  });
  ASSERT_EQ(release(event.id, kReplay).value(), 1);
  (void)claim(kNoEndpoint + 1000, 0);
  store().on_due({});
  ASSERT_EQ(hints.size(), 1U);
  EXPECT_EQ(hints[0].endpoint, number);
  EXPECT_EQ(hints[0].next_due, now());
}

// -- discard of one event

TEST_P(StoreSuite, an_event_whose_deliveries_were_all_discarded_has_failed) {
  const auto first = create("ep_1").number;
  (void)create("ep_2");
  const Event event = append_event();
  ASSERT_TRUE(settle(claimed(first, 1).at(0), SentToReview{}).has_value());
  EXPECT_EQ(release(event.id, kDiscard, "ep_1").value(), 1);
  EXPECT_EQ(view(event.id).progress.status, EventStatus::pending);
  EXPECT_EQ(release(event.id, kDiscard).value(), 1);
  EXPECT_EQ(view(event.id).progress.status, EventStatus::failed);
  EXPECT_EQ(summary().failed, 1);
  EXPECT_EQ(release(event.id, kDiscard).value(), 0);
  EXPECT_TRUE(claimed(first, 10).empty());
  EXPECT_EQ(release(event.id, kReplay, "ep_1").value(), 1);
  EXPECT_EQ(summary().pending, 1);
}

TEST_P(StoreSuite, an_event_is_delivered_when_some_were_and_the_rest_is_discarded) {
  const auto first = create("ep_1").number;
  (void)create("ep_2");
  const Event event = append_event();
  ASSERT_TRUE(settle(claimed(first, 1).at(0), Delivered{}).has_value());
  EXPECT_EQ(release(event.id, kDiscard).value(), 1);
  EXPECT_EQ(view(event.id).progress.status, EventStatus::delivered);
  EXPECT_EQ(view(event.id).deliveries.at(0).state, DeliveryState::delivered);
  EXPECT_EQ(summary().delivered, 1);
}

TEST_P(StoreSuite, what_is_in_flight_is_not_discarded) {
  const auto number = create("ep_1").number;
  const Event event = append_event();
  const auto claims = claimed(number, 1);
  EXPECT_EQ(release(event.id, kDiscard).value(), 0);
  EXPECT_TRUE(settle(claims.at(0), Delivered{}).has_value());
  EXPECT_EQ(view(event.id).progress.status, EventStatus::delivered);
}

TEST_P(StoreSuite, an_event_that_matched_no_endpoint_can_be_discarded) {
  const Event event = append_event();
  EXPECT_EQ(release(event.id, kDiscard).value(), 1);
  EXPECT_EQ(view(event.id).progress.status, EventStatus::failed);
  EXPECT_TRUE(pending_ids().empty());
}

TEST_P(StoreSuite, a_consumer_may_have_what_a_person_discarded_under_its_lease) {
  (void)create("ep_1");
  const Event event = append_event();
  const LeasedEvents leased = lease(1, seconds{60});
  EXPECT_EQ(release(event.id, kDiscard).value(), 1);
  EXPECT_EQ(nack(event.id, leased.token, {}).error().kind, ErrorKind::refused);
  ASSERT_TRUE(ack(event.id, leased.token).has_value());
  EXPECT_EQ(view(event.id).progress.status, EventStatus::delivered);
}

// -- by filter

TEST_P(StoreSuite, a_release_by_filter_takes_the_deliveries_that_match_and_no_others) {
  const auto first = create("ep_1").number;
  const auto second = create("ep_2").number;
  const auto events = append_events(4);
  const auto at_first = claimed(first, 4);
  const auto at_second = claimed(second, 4);
  for (std::size_t i = 0; i < 4; ++i) {
    const auto reason = i < 2 ? ReviewReason::rejected : ReviewReason::exhausted;
    ASSERT_TRUE(settle(at_first.at(i), SentToReview{reason}).has_value());
    ASSERT_TRUE(settle(at_second.at(i), SentToReview{ReviewReason::blocked}).has_value());
  }
  EventQuery query;
  query.state = DeliveryState::review;
  query.endpoint_id = "ep_1";
  query.reason = ReviewReason::rejected;
  const ReleaseStep rejected = release_all(query, kReplay, 1);
  EXPECT_EQ(rejected.matched, 2);
  EXPECT_EQ(rejected.released, 2);
  EXPECT_EQ(ids_of(claimed(first, 10)), ids_of({events[0], events[1]}));
  EXPECT_TRUE(claimed(second, 10).empty());
  query.endpoint_id.reset();
  query.reason.reset();
  const ReleaseStep rest = release_all(query, kDiscard);
  EXPECT_EQ(rest.matched, 4);
  EXPECT_EQ(rest.released, 6);
  EXPECT_EQ(summary().failed, 2);
  EXPECT_EQ(summary().pending, 2);
}

TEST_P(StoreSuite, a_trial_counts_what_a_release_would_touch_and_touches_nothing) {
  const auto first = create("ep_1").number;
  const auto second = create("ep_2").number;
  const auto gone = create("ep_3").number;
  const auto events = append_events(3);
  ASSERT_TRUE(settle(claimed(first, 3).at(0), SentToReview{}).has_value());
  ASSERT_TRUE(settle(claimed(second, 1).at(0), Delivered{}).has_value());
  for (const ClaimedDelivery& claim : claimed(gone, 3)) {
    ASSERT_TRUE(settle(claim, Delivered{}).has_value());
  }
  ASSERT_TRUE(run(store().remove_endpoint("ep_3", false, {})).has_value());
  EventQuery query;
  query.type = events[0].type;
  const auto tried = [&](ReleaseAction action) {
    return run(store().try_release_step(query, {}, 100, action)).value();
  };
  // In flight are two of ep_1; two of ep_2 wait; to ep_3 nothing can be sent again.
  EXPECT_EQ(tried(kReplay).matched, 3);
  EXPECT_EQ(tried(kReplay).released, 2);
  EXPECT_EQ(tried(kDiscard).released, 3);
  query.state = DeliveryState::waiting;
  EXPECT_EQ(tried(kReplay).matched, 2);
  EXPECT_EQ(tried(kReplay).released, 0);
  query.state.reset();
  EXPECT_TRUE(releases(events[0].id).empty());
  EXPECT_EQ(counts(first).review, 1);
  EXPECT_EQ(release_all(query, kReplay).released, 2);
}

TEST_P(StoreSuite, a_release_is_narrowed_by_type_source_and_time) {
  const auto number = create("ep_1").number;
  const Event early = append_event("a", "x");
  advance(seconds{10});
  const Event late = append_event("a", "x");
  (void)append_event("b", "x");
  (void)append_event("a", "y");
  const auto claims = claimed(number, 10);
  for (const ClaimedDelivery& claim : claims) {
    ASSERT_TRUE(settle(claim, Delivered{}).has_value());
  }
  EventQuery query;
  query.type = "a";
  query.source = "x";
  query.from = now();
  query.status = EventStatus::delivered;
  const ReleaseStep step = release_all(query, kReplay);
  EXPECT_EQ(step.matched, 1);
  EXPECT_EQ(step.released, 1);
  EXPECT_EQ(ids_of(claimed(number, 10)), ids_of({late}));
  EXPECT_EQ(view(early.id).progress.status, EventStatus::delivered);
  query.endpoint_id = "ep_unknown";
  EXPECT_EQ(release_all(query, kReplay).matched, 0);
}

TEST_P(StoreSuite, a_release_goes_oldest_first_in_steps_and_ends_though_events_come) {
  const auto number = create("ep_1").number;
  const auto events = append_events(30);
  EventQuery query;
  query.endpoint_id = "ep_1";
  query.newest_first = true;
  std::optional<std::int64_t> after;
  std::int64_t released = 0;
  int steps = 0;
  do {
    const auto step = run(store().release_step(query, after, 4, kDiscard, tester_note())).value();
    released += step.released;
    after = step.next;
    (void)append_events(8);
    if (steps == 0) {
      EXPECT_EQ(view(events[3].id).progress.status, EventStatus::failed);
      EXPECT_EQ(view(events[4].id).progress.status, EventStatus::pending);
    }
    ASSERT_LT(++steps, 12);
  } while (after);
  EXPECT_EQ(released, 30);
  EXPECT_EQ(counts(number).waiting, steps * 8);
}

TEST_P(StoreSuite, one_release_of_many_events_is_many_short_steps) {
  const auto number = create("ep_1").number;
  for (int i = 0; i < 10; ++i) {
    (void)append_events(500);
  }
  EventQuery query;
  query.state = DeliveryState::waiting;
  query.endpoint_id = "ep_1";
  const ReleaseStep all = release_all(query, kDiscard, 1'000);
  EXPECT_EQ(all.matched, 5'000);
  EXPECT_EQ(all.released, 5'000);
  EXPECT_EQ(counts(number).waiting, 0);
  EXPECT_EQ(summary().failed, 5'000);
}

}  // namespace
}  // namespace dispatcher::conformance
