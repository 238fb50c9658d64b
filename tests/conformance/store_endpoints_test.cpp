// Endpoints of the API: they are kept as they were saved, take their events from the moment that
// they are there, and leave nothing behind but their name when they are removed.
#include "conformance/store_suite.hpp"

#include <algorithm>

namespace dispatcher::conformance {
namespace {

using std::chrono::seconds;

constexpr const char* kA = "https://a.example/a";
constexpr const char* kB = "https://b.example/b";
constexpr const char* kC = "https://c.example/c";

EventFilter filter_of(std::vector<std::string> types, std::vector<std::string> sources = {"*"}) {
  return EventFilter{std::move(types), std::move(sources)};
}

// -- records

TEST_P(StoreSuite, an_endpoint_comes_back_as_it_was_created) {
  advance(seconds{5});
  const WallTime created = now();
  const EndpointRecord made = create("ep_1", filter_of({"z.*", "a", "z.*"}, {"shop", "*"}));
  EXPECT_NE(made.number, kNoEndpoint);
  kill_and_reopen();
  const auto all = endpoints();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].number, made.number);
  EXPECT_EQ(all[0].id, "ep_1");
  EXPECT_EQ(all[0].origin, EndpointOrigin::api);
  EXPECT_EQ(all[0].state, EndpointState::active);
  EXPECT_FALSE(all[0].state_reason);
  EXPECT_EQ(all[0].filter.types, (std::vector<std::string>{"z.*", "a", "z.*"}));
  EXPECT_EQ(all[0].filter.sources, (std::vector<std::string>{"shop", "*"}));
  EXPECT_EQ(all[0].target, "https://ep_1.example");
  EXPECT_EQ(all[0].settings, R"({"concurrency":7})");
  EXPECT_EQ(all[0].sealed, (std::string{"sealed\0content", 14}));
  EXPECT_EQ(all[0].created_at, created);
  EXPECT_EQ(all[0].updated_at, created);
  EXPECT_EQ(all[0].revision, made.revision);
}

TEST_P(StoreSuite, an_id_that_is_taken_is_a_conflict) {
  (void)create("ep_1");
  EndpointRecord again;
  again.id = "ep_1";
  EXPECT_EQ(run(store().create_endpoint(again, EndpointStart::now)).error().kind,
            ErrorKind::conflict);
  ASSERT_TRUE(run(store().remove_endpoint("ep_1", false, tester_note())).has_value());
  EXPECT_EQ(run(store().create_endpoint(again, EndpointStart::now)).error().kind,
            ErrorKind::conflict);
}

TEST_P(StoreSuite, a_saved_endpoint_is_as_it_was_saved) {
  const EndpointRecord made = create("ep_1");
  advance(seconds{5});
  const EndpointRecord saved = change("ep_1", [](EndpointRecord& record) {
    record.state = EndpointState::paused;
    record.state_reason = "a person paused it";
    record.filter = filter_of({"user.*"});
    record.target = "https://new.example";
    record.settings = "{}";
    record.sealed = "other";
  });
  EXPECT_GT(saved.revision, made.revision);
  EXPECT_EQ(saved.created_at, made.created_at);
  EXPECT_EQ(saved.updated_at, now());
  kill_and_reopen();
  const EndpointRecord seen = endpoint("ep_1");
  EXPECT_EQ(seen.number, made.number);
  EXPECT_EQ(seen.state, EndpointState::paused);
  EXPECT_EQ(seen.state_reason, "a person paused it");
  EXPECT_EQ(seen.filter.types, std::vector<std::string>{"user.*"});
  EXPECT_EQ(seen.target, "https://new.example");
  EXPECT_EQ(seen.settings, "{}");
  EXPECT_EQ(seen.sealed, "other");
  EXPECT_EQ(seen.revision, saved.revision);
  EXPECT_TRUE(view(append_event("order.created").id).deliveries.empty());
  EXPECT_EQ(view(append_event("user.created").id).deliveries.size(), 1U);
}

TEST_P(StoreSuite, of_two_who_save_at_once_the_second_is_told) {
  const EndpointRecord read = create("ep_1");
  (void)change("ep_1", [](EndpointRecord& record) { record.settings = "first"; });
  EndpointRecord second = read;
  second.settings = "second";
  EXPECT_EQ(run(store().save_endpoint(second)).error().kind, ErrorKind::conflict);
  EXPECT_EQ(endpoint("ep_1").settings, "first");
  second.id = "ep_2";
  EXPECT_EQ(run(store().save_endpoint(second)).error().kind, ErrorKind::not_found);
}

TEST_P(StoreSuite, a_created_endpoint_gets_what_comes_or_what_matched_nothing_too) {
  const Event order = append_event("order.created");
  (void)append_event("user.created");
  const auto now_one = create("ep_now", filter_of({"order.*"})).number;
  maintain_all();
  EXPECT_TRUE(claimed(now_one, 10).empty());
  const auto pending_one =
      create("ep_pending", filter_of({"order.*"}), EndpointStart::pending).number;
  const Event later = append_event("order.created");
  maintain_all();
  EXPECT_EQ(ids_of(claimed(now_one, 10)), ids_of({later}));
  EXPECT_EQ(ids_of(claimed(pending_one, 10)), ids_of({order, later}));
}

TEST_P(StoreSuite, a_backlog_waits_for_an_endpoint_that_is_disabled_before_it_is_routed) {
  const Event event = append_event();
  EndpointRecord record = create("ep_late", filter_of({"*"}), EndpointStart::pending);
  record.state = EndpointState::disabled;
  record = run(store().save_endpoint(record)).value();
  maintain_all();
  record.state = EndpointState::active;
  ASSERT_TRUE(run(store().save_endpoint(record)).has_value());
  maintain_all();
  EXPECT_EQ(ids_of(claimed(record.number, 10)), ids_of({event}));
}

TEST_P(StoreSuite, what_came_while_a_url_was_away_is_its_when_it_comes_back) {
  (void)configure({kA});
  (void)configure({});
  const Event event = append_event();
  const auto endpoint = configure({kA}).at(0).number;
  maintain_all();
  EXPECT_EQ(ids_of(claimed(endpoint, 10)), ids_of({event}));
}

TEST_P(StoreSuite, types_and_sources_route_exactly_by_prefix_or_both) {
  (void)create("both", filter_of({"order.created"}, {"shop"}));
  (void)create("type", filter_of({"order.created", "order.paid", "order.created"}));
  (void)create("source", filter_of({"*"}, {"shop", "till"}));
  (void)create("prefix", filter_of({"order.*"}, {"sho*"}));
  (void)create("none", filter_of({}, {}));
  const auto takers = [&](std::string type, std::string source) {
    std::vector<std::string> ids;
    for (const auto& one : view(append_event(std::move(type), std::move(source)).id).deliveries) {
      ids.push_back(one.endpoint_id);
    }
    return ids;
  };
  using Ids = std::vector<std::string>;
  EXPECT_EQ(takers("order.created", "shop"), (Ids{"both", "type", "source", "prefix"}));
  EXPECT_EQ(takers("order.created", "till"), (Ids{"type", "source"}));
  EXPECT_EQ(takers("order.paid", "web"), Ids{"type"});
  EXPECT_EQ(takers("order.lost", "shore"), Ids{"prefix"});
  EXPECT_EQ(takers("", "shop"), Ids{"source"});
  EXPECT_EQ(takers("user", "web"), Ids{});
}

TEST_P(StoreSuite, a_paused_endpoints_events_wait_for_it_and_a_disabled_one_gets_none) {
  const auto number = create("ep_1").number;
  (void)change("ep_1", [](EndpointRecord& record) { record.state = EndpointState::paused; });
  const Event waits = append_event();
  (void)change("ep_1", [](EndpointRecord& record) { record.state = EndpointState::disabled; });
  EXPECT_TRUE(view(append_event().id).deliveries.empty());
  (void)change("ep_1", [](EndpointRecord& record) { record.state = EndpointState::active; });
  EXPECT_EQ(ids_of(claimed(number, 10)), ids_of({waits}));
}

// -- those of the secret

TEST_P(StoreSuite, the_secrets_endpoints_are_among_them_with_their_targets) {
  const auto configured = configure({kA, "https://b.example:8443/b"}, {filter_of({"a"}), {}});
  const auto made = create("ep_1");
  const auto all = endpoints();
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].number, configured[0].number);
  EXPECT_EQ(all[0].id, configured[0].id);
  EXPECT_EQ(all[0].origin, EndpointOrigin::secret);
  EXPECT_EQ(all[0].target, "https://a.example");
  EXPECT_EQ(all[0].filter.types, std::vector<std::string>{"a"});
  EXPECT_EQ(all[1].target, "https://b.example:8443");
  EXPECT_EQ(all[2].number, made.number);
}

TEST_P(StoreSuite, reading_the_same_secret_again_changes_no_endpoint) {
  (void)configure({kA, kB});
  (void)create("ep_1");
  const auto before = endpoints();
  advance(seconds{60});
  (void)configure({kB, kA});
  const auto after = endpoints();
  ASSERT_EQ(after.size(), before.size());
  for (std::size_t i = 0; i < before.size(); ++i) {
    EXPECT_EQ(after[i].revision, before[i].revision);
    EXPECT_EQ(after[i].updated_at, before[i].updated_at);
    EXPECT_EQ(after[i].state, EndpointState::active);
  }
}

TEST_P(StoreSuite, a_paused_endpoint_of_the_secret_still_gets_its_events) {
  const auto configured = configure({kA}, {{}});
  EXPECT_EQ(endpoints()[0].filter.types, std::vector<std::string>{"*"});
  (void)change(configured[0].id,
               [](EndpointRecord& record) { record.state = EndpointState::paused; });
  const Event waits = append_event();
  EXPECT_EQ(view(waits.id).deliveries.at(0).state, DeliveryState::waiting);
}

TEST_P(StoreSuite, a_paused_endpoint_of_the_secret_stays_paused) {
  const auto id = configure({kA, kB})[0].id;
  (void)change(id, [](EndpointRecord& record) {
    record.state = EndpointState::paused;
    record.state_reason = "a person paused it";
  });
  kill_and_reopen();
  EXPECT_EQ(configure({kA, kB})[0].state, EndpointState::paused);
  // Another URL takes its place: it is the same endpoint.
  EXPECT_EQ(configure({kC, kB})[0].state, EndpointState::paused);
  (void)configure({kB});
  EXPECT_EQ(endpoint(id).state, EndpointState::disabled);
  kill_and_reopen();
  EXPECT_EQ(configure({kC, kB})[0].state, EndpointState::paused);
  EXPECT_EQ(endpoint(id).state_reason, "a person paused it");
}

TEST_P(StoreSuite, an_endpoint_whose_url_left_says_so_until_it_comes_back) {
  const auto id = configure({kA, kB})[0].id;
  (void)configure({kB});
  const EndpointRecord left = endpoint(id);
  EXPECT_EQ(left.state, EndpointState::disabled);
  ASSERT_TRUE(left.state_reason);
  EXPECT_NE(left.state_reason->find("URL"), std::string::npos);
  EXPECT_TRUE(view(append_event().id).deliveries.size() == 1);
  // Whoever saves it as it is shown does not disable it for later.
  (void)change(id, [](EndpointRecord& record) { record.settings = "{}"; });
  EXPECT_EQ(configure({kA, kB})[0].state, EndpointState::active);
  EXPECT_EQ(endpoint(id).state, EndpointState::active);
  EXPECT_FALSE(endpoint(id).state_reason);
}

TEST_P(StoreSuite, one_that_is_gone_can_be_paused_for_when_it_comes_back) {
  const auto id = configure({kA, kB})[0].id;
  (void)configure({kB});
  const EndpointRecord saved =
      change(id, [](EndpointRecord& record) { record.state = EndpointState::paused; });
  EXPECT_EQ(saved.state, EndpointState::disabled);
  EXPECT_EQ(configure({kA, kB})[0].state, EndpointState::paused);
}

TEST_P(StoreSuite, the_secrets_endpoints_are_not_removed) {
  const auto id = configure({kA})[0].id;
  EXPECT_EQ(run(store().remove_endpoint(id, true, tester_note())).error().kind, ErrorKind::refused);
  EXPECT_EQ(endpoints().size(), 1U);
}

// -- removal

TEST_P(StoreSuite, an_endpoint_with_nothing_open_is_removed_at_once) {
  const auto made = create("ep_1");
  const Event event = append_event();
  ASSERT_TRUE(settle(claimed(made.number, 1).at(0), Delivered{}).has_value());
  ASSERT_TRUE(run(store().remove_endpoint("ep_1", false, tester_note())).has_value());
  EXPECT_TRUE(endpoints().empty());
  EXPECT_TRUE(view(append_event().id).deliveries.empty());
  EXPECT_EQ(run(store().remove_endpoint("ep_1", true, tester_note())).error().kind,
            ErrorKind::not_found);
  EXPECT_EQ(run(store().save_endpoint(made)).error().kind, ErrorKind::not_found);
  EXPECT_EQ(run(store().remove_endpoint("ep_2", true, tester_note())).error().kind,
            ErrorKind::not_found);
  kill_and_reopen();
  EXPECT_TRUE(endpoints().empty());
  EXPECT_EQ(view(event.id).deliveries.at(0).endpoint_id, "ep_1");
  EXPECT_EQ(attempts(event.id).at(0).endpoint_id, "ep_1");
  EXPECT_NE(create("ep_2").number, made.number);
}

TEST_P(StoreSuite, what_waits_or_is_in_review_stands_in_the_way_of_a_removal) {
  const auto number = create("ep_1").number;
  (void)append_event();
  const auto remove = [this] { return run(store().remove_endpoint("ep_1", false, {})); };
  EXPECT_EQ(remove().error().kind, ErrorKind::conflict);
  const auto claims = claimed(number, 1);
  EXPECT_EQ(remove().error().kind, ErrorKind::conflict);
  ASSERT_TRUE(settle(claims.at(0), SentToReview{}).has_value());
  EXPECT_EQ(remove().error().kind, ErrorKind::conflict);
  EXPECT_EQ(endpoints().size(), 1U);
  EXPECT_EQ(view(append_event().id).deliveries.size(), 1U);
}

TEST_P(StoreSuite, a_removed_endpoints_events_are_discarded_in_steps_that_a_kill_interrupts) {
  const auto number = create("ep_1").number;
  std::vector<EventId> ids;
  for (int i = 0; i < 4; ++i) {
    const auto events = ids_of(append_events(300));
    ids.insert(ids.end(), events.begin(), events.end());
  }
  const auto claims = claimed(number, 2);
  ASSERT_TRUE(settle(claims.at(0), SentToReview{}).has_value());
  ASSERT_TRUE(settle(claims.at(1), Again{now() + seconds{60}, 1, 0}).has_value());
  ASSERT_TRUE(run(store().remove_endpoint("ep_1", true, tester_note())).has_value());
  EXPECT_TRUE(endpoints().empty());
  EXPECT_TRUE(claimed(number, 10).empty());
  EXPECT_TRUE(view(append_event().id).deliveries.empty());
  const auto has_more = run(store().maintain({}));
  EXPECT_TRUE(has_more.value());
  EXPECT_GT(counts(number).waiting, 0);
  EXPECT_LT(counts(number).waiting, 1'200);
  kill_and_reopen();
  maintain_all();
  EXPECT_EQ(counts(number).waiting, 0);
  EXPECT_EQ(counts(number).review, 0);
  const Summary seen = summary();
  EXPECT_EQ(seen.failed, 1'200);
  EXPECT_EQ(seen.pending, 1);
  for (const EventId& id : {ids.front(), ids.back()}) {
    EXPECT_EQ(view(id).progress.status, EventStatus::failed);
    EXPECT_EQ(view(id).deliveries.at(0).state, DeliveryState::discarded);
    const auto released = releases(id);
    ASSERT_EQ(released.size(), 1U);
    EXPECT_EQ(released[0].endpoint_id, "ep_1");
    EXPECT_EQ(released[0].action, ReleaseAction::discard);
    EXPECT_EQ(released[0].note.by, "tester");
    EXPECT_EQ(released[0].note.note, "because");
  }
  EXPECT_FALSE(run(store().maintain({})).value());
}

TEST_P(StoreSuite, what_is_in_flight_when_its_endpoint_is_removed_ends_well) {
  const auto number = create("ep_1").number;
  const auto events = append_events(4);
  const auto claims = claimed(number, 4);
  ASSERT_TRUE(run(store().remove_endpoint("ep_1", true, tester_note())).has_value());
  maintain_all();
  EXPECT_EQ(view(events[0].id).deliveries.at(0).state, DeliveryState::in_flight);
  EXPECT_TRUE(settle(claims.at(0), Delivered{}).has_value());
  EXPECT_TRUE(settle(claims.at(1), Again{now(), 1, 0}).has_value());
  EXPECT_TRUE(settle(claims.at(2), SentToReview{}).has_value());
  EXPECT_TRUE(give_back({claims.at(3)}).has_value());
  maintain_all();
  EXPECT_EQ(view(events[0].id).progress.status, EventStatus::delivered);
  for (std::size_t i = 1; i < events.size(); ++i) {
    EXPECT_EQ(view(events[i].id).progress.status, EventStatus::failed) << i;
    EXPECT_EQ(view(events[i].id).deliveries.at(0).state, DeliveryState::discarded) << i;
    EXPECT_EQ(releases(events[i].id).size(), 1U) << i;
  }
  EXPECT_TRUE(releases(events[0].id).empty());
  EXPECT_TRUE(claimed(number, 10).empty());
  EXPECT_EQ(counts(number).waiting, 0);
}

TEST_P(StoreSuite, the_other_endpoints_of_an_event_go_on_when_one_is_removed) {
  const auto stays = create("stays").number;
  (void)create("goes");
  const Event event = append_event();
  ASSERT_TRUE(run(store().remove_endpoint("goes", true, tester_note())).has_value());
  maintain_all();
  EXPECT_EQ(view(event.id).progress.status, EventStatus::pending);
  ASSERT_TRUE(settle(claimed(stays, 1).at(0), Delivered{}).has_value());
  EXPECT_EQ(view(event.id).progress.status, EventStatus::delivered);
}

// -- very many

TEST_P(StoreSuite, an_event_may_go_to_ten_thousand_endpoints_and_there_are_no_more) {
  constexpr std::size_t kStep = 1'000;
  for (std::size_t made = 0; made < kMaxEndpoints; made += kStep) {
    std::vector<boost::asio::awaitable<Result<EndpointRecord>>> calls;
    for (std::size_t i = made; i < made + kStep; ++i) {
      EndpointRecord record;
      record.id = "ep_" + std::to_string(i);
      calls.push_back(store().create_endpoint(std::move(record), EndpointStart::now));
    }
    for (const auto& answer : run_together(std::move(calls))) {
      ASSERT_TRUE(answer.has_value());
    }
  }
  EndpointRecord one_more;
  one_more.id = "ep_more";
  EXPECT_EQ(run(store().create_endpoint(one_more, EndpointStart::now)).error().kind,
            ErrorKind::refused);
  const Event event = append_event();
  EXPECT_EQ(view(event.id).deliveries.size(), kMaxEndpoints);
  const auto first = endpoint("ep_0").number;
  const auto last = endpoint("ep_9999").number;
  ASSERT_TRUE(settle(claimed(last, 1).at(0), SentToReview{}).has_value());
  ASSERT_TRUE(settle(claimed(first, 1).at(0), Delivered{}).has_value());
  EXPECT_EQ(summary().pending, 1);
  EXPECT_EQ(counts(first).delivered, 1);
  EXPECT_EQ(counts(last).review, 1);
  EXPECT_EQ(release(event.id, ReleaseAction::discard).value(), 9'999);
  EXPECT_EQ(view(event.id).progress.status, EventStatus::delivered);
  EXPECT_EQ(summary().delivered, 1);
  ASSERT_TRUE(run(store().remove_endpoint("ep_5", false, {})).has_value());
  EXPECT_TRUE(run(store().create_endpoint(one_more, EndpointStart::now)).has_value());
}

}  // namespace
}  // namespace dispatcher::conformance
