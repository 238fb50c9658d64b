// Promises (ports/endpoint_runtime.hpp): the engine's health and its test events are to be had from
// any executor, before, while and after it stops; a test is outside of all limits and leaves no
// trace.
#include "simulation/engine_world.hpp"

#include "model/signature.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace dispatcher::simulation {
namespace {

using namespace std::chrono_literals;

template <class T>
T asked(EngineWorld& world, boost::asio::awaitable<T> call) {
  std::optional<T> answer;
  world.await(std::move(call), [&answer](T given) { answer = std::move(given); });
  return std::move(*answer);
}

std::string header_of(const HttpRequest& request, std::string_view name) {
  for (const HttpHeader& header : request.headers) {
    if (header.name == name) {
      return header.value;
    }
  }
  return {};
}

// Null where there was none.
boost::asio::awaitable<std::unique_ptr<TestExchange>> test_of(EndpointRuntime& runtime,
                                                              Endpoint endpoint) {
  auto exchange = co_await runtime.test(std::move(endpoint));
  co_return exchange ? std::make_unique<TestExchange>(*std::move(exchange)) : nullptr;
}

TEST(EngineRuntime, health_is_that_of_every_endpoint_in_the_order_of_their_numbers) {
  EngineWorld world;
  for (const std::string host : {"a", "b", "c"}) {
    world.add(host);
  }
  world.http.answers["b.example"] = Answer{500, {}, ""};
  world.start();
  world.ingest("a", 10);
  world.ingest("b", 30);
  world.run_for(10s);
  const auto health = asked(world, world.runtime->health());
  ASSERT_EQ(health.size(), 3U);
  EXPECT_TRUE(std::ranges::is_sorted(health, {}, &EndpointHealth::number));
  EXPECT_EQ(health[0].breaker, BreakerState::closed);
  EXPECT_EQ(health[0].p50, 10ms);
  EXPECT_EQ(health[0].p99, 10ms);
  EXPECT_EQ(health[1].breaker, BreakerState::open);
  EXPECT_EQ(health[1].p50, std::nullopt);
  EXPECT_EQ(health[2].in_flight, 0);
  EXPECT_EQ(health[2].p50, std::nullopt);
}

TEST(EngineRuntime, a_test_is_signed_and_outside_of_all_limits_and_leaves_no_trace) {
  EngineWorld world;
  Endpoint& endpoint = world.add("a", 1);
  endpoint.signing_keys = {{"key", std::nullopt}};
  endpoint.state = EndpointState::paused;
  world.start();
  world.run_for(1s);
  const auto test = asked(world, test_of(*world.runtime, world.endpoints[0]));
  ASSERT_NE(test, nullptr);
  EXPECT_EQ(test->attempt.outcome, Outcome::delivered);
  EXPECT_EQ(test->attempt.number, 1);
  EXPECT_EQ(test->attempt.endpoint_id, "ep_a");
  EXPECT_EQ(test->attempt.response_body, "ok");
  EXPECT_EQ(test->attempt.duration, 10ms);
  EXPECT_EQ(test->answer_headers.at(0).name, "X-Seen");
  EXPECT_NE(test->request.body.find(R"("type":"endpoint.test","source":"dispatcher")"),
            std::string::npos);
  const std::vector<std::string> keys{"key"};
  const std::string id = header_of(test->request, "webhook-id");
  const std::string timestamp = header_of(test->request, "webhook-timestamp");
  const std::string signatures = header_of(test->request, "webhook-signature");
  EXPECT_TRUE(verify_standard(keys, {id, timestamp, signatures}, test->request.body,
                              world.world.clock().wall()));
  EXPECT_TRUE(world.inbox.settled.empty());
  EXPECT_TRUE(world.store.disk().events.empty());
  EXPECT_EQ(world.metrics.count(Metric::events_processed), 0);
  EXPECT_EQ(world.engine->counts().attempted, 0);
}

TEST(EngineRuntime, a_test_shows_a_failure_as_every_attempt_does) {
  EngineWorld world;
  world.add("a");
  world.http.answers["a.example"] = Answer{503, {}, "no"};
  world.start();
  const auto test = asked(world, test_of(*world.runtime, world.endpoints[0]));
  ASSERT_NE(test, nullptr);
  EXPECT_EQ(test->attempt.outcome, Outcome::retryable);
  EXPECT_EQ(test->attempt.status, 503);
  EXPECT_EQ(test->attempt.error, "status: 503");
  EXPECT_EQ(asked(world, world.runtime->health()).at(0).breaker, BreakerState::closed);
}

TEST(EngineRuntime, tests_are_one_of_an_endpoint_and_few_over_all) {
  EngineWorld world;
  for (std::size_t i = 0; i < kMaxTests + 2; ++i) {
    world.add("r" + std::to_string(i));
  }
  world.start();
  world.run_for(1s);
  std::size_t done = 0;
  std::size_t refused = 0;
  const auto test = [&](std::size_t place) {
    boost::asio::co_spawn(
        world.loop, test_of(*world.runtime, world.endpoints[place]),
        [&](const std::exception_ptr& bug, const std::unique_ptr<TestExchange>& exchange) {
          EXPECT_FALSE(bug);
          ++(exchange != nullptr ? done : refused);
        });
  };
  test(0);
  test(0);
  world.run_for(1ms);
  EXPECT_EQ(refused, 1U);
  for (std::size_t i = 1; i < world.endpoints.size(); ++i) {
    test(i);
  }
  world.run_for(1ms);
  EXPECT_EQ(refused, 3U);
  world.run_for(1s);
  EXPECT_EQ(done, kMaxTests);
  EXPECT_EQ(world.http.sent.size(), kMaxTests);
  test(0);
  world.run_for(1s);
  EXPECT_EQ(done, kMaxTests + 1);
}

TEST(EngineRuntime, another_set_of_endpoints_is_the_engines_from_then_on) {
  EngineWorld world;
  world.add("a");
  world.start();
  auto more = world.endpoints;
  more.push_back(more[0]);
  more.back().number = 77;
  world.runtime->set_endpoints(more);
  EXPECT_EQ(asked(world, world.runtime->health()).size(), 2U);
}

TEST(EngineRuntime, once_the_engine_has_ended_calls_are_answered_all_the_same) {
  EngineWorld world;
  world.add("a");
  world.start();
  world.engine->stop();
  world.run_for(1s);
  ASSERT_TRUE(world.has_ended);
  world.runtime->set_endpoints({});
  EXPECT_TRUE(asked(world, world.runtime->health()).empty());
  const auto test = asked(world, test_of(*world.runtime, world.endpoints[0]));
  ASSERT_NE(test, nullptr);
  EXPECT_EQ(test->attempt.outcome, Outcome::abandoned);
  EXPECT_TRUE(world.http.sent.empty());
}

// Callers on their own threads, while the engine's loop runs out: each is answered.
TEST(EngineRuntime, callers_on_other_threads_are_answered_while_the_engine_stops) {
  for (int round = 0; round < 20; ++round) {
    EngineWorld world;
    world.add("a");
    world.start();
    std::atomic<int> answered = 0;
    constexpr int kCallers = 3;
    constexpr int kCalls = 50;
    std::vector<std::thread> callers;
    for (int caller = 0; caller < kCallers; ++caller) {
      callers.emplace_back([&world, &answered] {
        boost::asio::io_context own{1};
        boost::asio::co_spawn(
            own,
            [](EndpointRuntime& runtime, std::atomic<int>& count) -> boost::asio::awaitable<void> {
              for (int call = 0; call < kCalls; ++call) {
                (void)co_await runtime.health();
                ++count;
              }
            }(*world.runtime, answered),
            [](const std::exception_ptr& bug) { EXPECT_FALSE(bug); });
        own.run();
      });
    }
    // The engine stops when a part of the calls has been made. Then its loop runs until it has no
    // work, once, as a service's does; the calls after that find nobody.
    while (answered < kCallers * round) {
      world.loop.poll_one();
    }
    world.engine->stop();
    world.loop.restart();
    world.loop.run();
    for (std::thread& caller : callers) {
      caller.join();
    }
    EXPECT_EQ(answered, kCallers * kCalls);
    EXPECT_TRUE(world.has_ended);
  }
}

}  // namespace
}  // namespace dispatcher::simulation
