// What `append` promises: durable, routed in the same commit, byte for byte, once for each
// idempotency key.
#include "conformance/store_suite.hpp"

#include "base/bytes.hpp"

#include <set>

namespace dispatcher::conformance {
namespace {

AppendRequest keyed(Event event, std::string key, std::string_view body) {
  AppendRequest request;
  request.events.push_back(std::move(event));
  request.idempotency = Idempotency{std::move(key), sha256(body)};
  return request;
}

TEST_P(StoreSuite, an_appended_event_is_pending_and_comes_back_as_it_was) {
  const Event event = append_event("order.created", "shop", R"({"n":1})");
  const EventView seen = view(event.id);
  EXPECT_EQ(seen.event.type, "order.created");
  EXPECT_EQ(seen.event.source, "shop");
  EXPECT_EQ(seen.event.created_at, now());
  EXPECT_EQ(seen.progress.status, EventStatus::pending);
  EXPECT_EQ(seen.progress.updated_at, now());
  EXPECT_EQ(seen.progress.delivery_attempts, 0);
  EXPECT_FALSE(seen.progress.last_delivery_attempt);
  EXPECT_FALSE(seen.progress.delivery_latency_ms);
  EXPECT_FALSE(seen.progress.error_message);
  EXPECT_TRUE(seen.deliveries.empty());
}

TEST_P(StoreSuite, payload_type_and_source_come_back_byte_for_byte) {
  const std::string payload =
      "{ \"b\":1.0,\t\"a\":1e3 ,\"big\":12345678901234567890123,\"u\":\"\\u00e9\xC3\xA9\","
      "\"nul\":\"\\u0000\"}";
  const std::string type{"t\0y\"p\xF0\x9F\x98\x80", 9};
  const Event event = append_event(type, "", payload);
  kill_and_reopen();
  const EventView seen = view(event.id);
  EXPECT_EQ(seen.event.payload, payload);
  EXPECT_EQ(seen.event.type, type);
  EXPECT_EQ(seen.event.source, "");
}

TEST_P(StoreSuite, what_append_answered_is_there_after_a_kill) {
  const auto endpoints = configure({"https://a.example/x"});
  const std::vector<Event> events = append_events(50);
  kill_and_reopen();
  for (const Event& event : events) {
    EXPECT_EQ(view(event.id).event.payload, event.payload);
  }
  EXPECT_EQ(configure({"https://a.example/x"}).at(0).number, endpoints.at(0).number);
  EXPECT_EQ(ids_of(claimed(endpoints.at(0).number, 100)), ids_of(events));
}

TEST_P(StoreSuite, a_batch_is_answered_in_order) {
  AppendRequest request;
  for (int i = 0; i < 10; ++i) {
    request.events.push_back(make_event());
  }
  const auto events = request.events;
  const auto answer = run(store().append(std::move(request)));
  ASSERT_TRUE(answer.has_value());
  EXPECT_FALSE(answer->is_replay);
  ASSERT_EQ(answer->events.size(), events.size());
  for (std::size_t i = 0; i < events.size(); ++i) {
    EXPECT_EQ(answer->events[i].id, events[i].id);
    EXPECT_EQ(answer->events[i].created_at, events[i].created_at);
  }
}

TEST_P(StoreSuite, an_event_goes_to_every_endpoint_that_it_matches_and_to_no_other) {
  EventFilter orders;
  orders.types = {"order.*"};
  EventFilter exact;
  exact.types = {"order.created"};
  exact.sources = {"shop"};
  const auto endpoints = configure(
      {"https://a.example/", "https://b.example/", "https://c.example/"}, {{}, orders, exact});
  const Event created = append_event("order.created", "shop");
  const Event paid = append_event("order.paid", "shop");
  const Event other = append_event("user.created", "shop");
  EXPECT_EQ(ids_of(claimed(endpoints[0].number, 10)), ids_of({created, paid, other}));
  EXPECT_EQ(ids_of(claimed(endpoints[1].number, 10)), ids_of({created, paid}));
  EXPECT_EQ(ids_of(claimed(endpoints[2].number, 10)), ids_of({created}));
  EXPECT_EQ(view(created.id).deliveries.size(), 3U);
  EXPECT_EQ(view(other.id).deliveries.size(), 1U);
}

TEST_P(StoreSuite, a_repeated_key_answers_the_first_answer) {
  const Event first = make_event();
  const auto answer = run(store().append(keyed(first, "key-1", "body")));
  ASSERT_TRUE(answer.has_value());
  EXPECT_FALSE(answer->is_replay);
  advance(std::chrono::seconds{10});
  const auto again = run(store().append(keyed(make_event(), "key-1", "body")));
  ASSERT_TRUE(again.has_value());
  EXPECT_TRUE(again->is_replay);
  ASSERT_EQ(again->events.size(), 1U);
  EXPECT_EQ(again->events[0].id, first.id);
  EXPECT_EQ(again->events[0].created_at, first.created_at);
  EXPECT_EQ(summary().total, 1);
}

TEST_P(StoreSuite, a_repeated_key_with_another_body_is_a_conflict) {
  ASSERT_TRUE(run(store().append(keyed(make_event(), "key-1", "body"))).has_value());
  const auto other = run(store().append(keyed(make_event(), "key-1", "another body")));
  ASSERT_TRUE(other.has_error());
  EXPECT_EQ(other.error().kind, ErrorKind::conflict);
  EXPECT_EQ(summary().total, 1);
}

TEST_P(StoreSuite, a_key_outlives_a_kill_and_the_event_that_it_made) {
  const Event first = make_event();
  ASSERT_TRUE(run(store().append(keyed(first, "key-1", "body"))).has_value());
  kill_and_reopen();
  ASSERT_TRUE(run(store().erase(first.id)).has_value());
  const auto again = run(store().append(keyed(make_event(), "key-1", "body")));
  ASSERT_TRUE(again.has_value());
  EXPECT_TRUE(again->is_replay);
  EXPECT_EQ(again->events.at(0).id, first.id);
  EXPECT_EQ(summary().total, 0);
}

TEST_P(StoreSuite, a_key_is_forgotten_after_a_day) {
  ASSERT_TRUE(run(store().append(keyed(make_event(), "key-1", "body"))).has_value());
  advance(std::chrono::hours{24} + std::chrono::seconds{1});
  const Event second = make_event();
  const auto again = run(store().append(keyed(second, "key-1", "another body")));
  ASSERT_TRUE(again.has_value());
  EXPECT_FALSE(again->is_replay);
  EXPECT_EQ(again->events.at(0).id, second.id);
  advance(std::chrono::hours{25});
  maintain_all();
  EXPECT_FALSE(run(store().append(keyed(make_event(), "key-1", "a third")))->is_replay);
}

TEST_P(StoreSuite, a_hundred_concurrent_requests_with_one_key_make_one_event) {
  std::vector<boost::asio::awaitable<Result<AppendAnswer>>> calls;
  for (int i = 0; i < 100; ++i) {
    calls.push_back(store().append(keyed(make_event(), "key-1", "body")));
  }
  const auto answers = run_together(std::move(calls));
  std::set<EventId> ids;
  int originals = 0;
  for (const auto& answer : answers) {
    ASSERT_TRUE(answer.has_value()) << answer.error().message;
    ids.insert(answer->events.at(0).id);
    originals += answer->is_replay ? 0 : 1;
  }
  EXPECT_EQ(ids.size(), 1U);
  EXPECT_EQ(originals, 1);
  EXPECT_EQ(summary().total, 1);
}

TEST_P(StoreSuite, a_batch_with_a_key_is_answered_whole_again) {
  AppendRequest request;
  for (int i = 0; i < 5; ++i) {
    request.events.push_back(make_event());
  }
  const auto events = request.events;
  request.idempotency = Idempotency{"batch", sha256("body")};
  AppendRequest again = request;
  ASSERT_TRUE(run(store().append(std::move(request))).has_value());
  const auto answer = run(store().append(std::move(again)));
  ASSERT_TRUE(answer.has_value());
  EXPECT_TRUE(answer->is_replay);
  ASSERT_EQ(answer->events.size(), 5U);
  EXPECT_EQ(answer->events[4].id, events[4].id);
  EXPECT_EQ(summary().total, 5);
}

TEST_P(StoreSuite, many_concurrent_appends_are_all_there) {
  std::vector<boost::asio::awaitable<Result<AppendAnswer>>> calls;
  std::set<EventId> expected;
  for (int i = 0; i < 500; ++i) {
    AppendRequest request;
    request.events.push_back(make_event());
    expected.insert(request.events[0].id);
    calls.push_back(store().append(std::move(request)));
  }
  for (const auto& answer : run_together(std::move(calls))) {
    ASSERT_TRUE(answer.has_value()) << answer.error().message;
  }
  const auto seen = ids_of(list_all({}));
  EXPECT_EQ(std::set<EventId>(seen.begin(), seen.end()), expected);
  EXPECT_EQ(seen.size(), expected.size());
}

}  // namespace
}  // namespace dispatcher::conformance
