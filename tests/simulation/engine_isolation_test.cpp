// Promises ("Isolation", "Retries", the outcome table's 410): one endpoint's backlog, failures and
// refusals cost the others nothing; claims come with the commits where they may; an operator reads
// in the log what happened to an endpoint, once, and never its path.
#include "simulation/engine_world.hpp"

#include <gtest/gtest.h>

namespace dispatcher::simulation {
namespace {

using namespace std::chrono_literals;

TEST(EngineIsolation, a_backlog_is_delivered_with_the_claims_of_its_commits) {
  EngineWorld world;
  world.add("a", 4);
  world.start();
  world.ingest("a", 400);
  world.run_for(10s);
  EXPECT_EQ(world.http.sent_to("a.example"), 400U);
  EXPECT_LE(world.inbox.claims, 10U) << "else each delivery costs a claim of its own";
  EXPECT_EQ(world.inbox.given_back, 0U);
}

TEST(EngineIsolation, one_event_goes_out_at_once_beside_ten_thousand_of_another) {
  EngineWorld world{16};
  world.add("a", 64);
  world.add("b", 4);
  world.start();
  world.ingest("a", 1'000);
  world.run_for(100ms);
  ASSERT_EQ(world.engine->in_flight(), 8U) << "A holds all that it may";
  const MonoTime asked = world.world.clock().monotonic();
  world.ingest("b", 1);
  world.run_for(100ms);
  const auto b = std::ranges::find(world.http.sent, std::string{"b.example"},
                                   &std::pair<std::string, MonoTime>::first);
  ASSERT_NE(b, world.http.sent.end());
  EXPECT_EQ(b->second, asked) << "in a slot that A left free";
}

// Endpoints s0, s1, … that take 30 s for each request, with more waiting than they have slots for.
void add_slow(EngineWorld& world, int count, int concurrency = 64) {
  for (int i = 0; i < count; ++i) {
    const std::string name = "s" + std::to_string(i);
    world.add(name, concurrency);
    world.http.takes_at[name + ".example"] = 30s;
  }
}

// The longest of ten events of `a`, a second apart, from their ingest to their request.
std::chrono::nanoseconds longest_wait(EngineWorld& world) {
  std::chrono::nanoseconds longest{};
  for (int i = 0; i < 10; ++i) {
    const std::size_t before = world.http.sent.size();
    const MonoTime asked = world.world.clock().monotonic();
    world.ingest("a", 1);
    world.run_for(1s);
    const auto sent = std::find_if(world.http.sent.begin() + static_cast<std::ptrdiff_t>(before),
                                   world.http.sent.end(),
                                   [](const auto& one) { return one.first == "a.example"; });
    const MonoTime at = sent == world.http.sent.end() ? MonoTime::max() : sent->second;
    longest = std::max<std::chrono::nanoseconds>(longest, at - asked);
  }
  return longest;
}

TEST(EngineIsolation, twenty_slow_endpoints_that_came_first_cost_another_nothing) {
  EngineWorld world{1'024};
  world.add("a");
  add_slow(world, 20);
  world.start();
  for (int i = 0; i < 20; ++i) {
    world.ingest("s" + std::to_string(i), 200);
  }
  world.run_for(1s);
  EXPECT_GE(world.engine->in_flight(), 700U);
  EXPECT_LE(longest_wait(world), 1ms);
  world.run_for(25s);
  EXPECT_LE(longest_wait(world), 1ms) << "when their first attempts ended, too";
  EXPECT_GE(world.engine->in_flight(), 700U);
}

TEST(EngineIsolation, a_slow_endpoint_with_slots_for_all_costs_another_nothing) {
  EngineWorld world{1'024};
  world.add("a");
  add_slow(world, 1, 65'536);
  world.start();
  world.ingest("s0", 2'000);
  world.run_for(1s);
  EXPECT_EQ(world.engine->in_flight(), 512U);
  EXPECT_LE(longest_wait(world), 1ms);
  world.run_for(25s);
  EXPECT_LE(longest_wait(world), 1ms);
  EXPECT_EQ(world.engine->in_flight(), 512U);
}

TEST(EngineIsolation, a_thousand_slow_endpoints_with_a_slot_each_leave_some_for_another) {
  EngineWorld world{1'024};
  world.add("a");
  add_slow(world, 1'000);
  world.start();
  world.run_for(1s);
  for (int i = 0; i < 1'000; ++i) {
    world.ingest("s" + std::to_string(i), 2);
  }
  // Those that came first hold more until their attempts end.
  world.run_for(60s);
  EXPECT_LE(longest_wait(world), 1ms);
}

TEST(EngineIsolation, an_endpoint_that_is_alone_reaches_its_concurrency) {
  EngineWorld world{100};
  world.add("a", 50);
  world.start();
  world.ingest("a", 1'000);
  world.run_for(5ms);
  EXPECT_EQ(world.engine->in_flight(), 50U);
  world.run_for(100ms);
  EXPECT_EQ(world.engine->in_flight(), 50U);
  world.run_for(110ms);
  EXPECT_EQ(world.http.sent.size(), 1'000U) << "twenty rounds of 10 ms";
}

TEST(EngineIsolation, all_that_have_something_due_share_the_slots) {
  EngineWorld world{8};
  for (const std::string host : {"a", "b", "c", "d"}) {
    world.add(host, 8);
  }
  world.start();
  for (const std::string host : {"a", "b", "c", "d"}) {
    world.ingest(host, 100);
  }
  world.run_for(200ms);
  for (const std::string host : {"a", "b", "c", "d"}) {
    EXPECT_GE(world.http.sent_to(host + ".example"), 22U) << host;
    EXPECT_LE(world.http.sent_to(host + ".example"), 34U) << host;
  }
}

TEST(EngineIsolation, a_retry_is_made_when_it_is_due_while_another_endpoint_hangs) {
  EngineWorld world;
  world.add("c", 1);
  world.add("x", 1);
  world.http.takes_at["x.example"] = 25s;
  world.http.failures["c.example"] = 1;
  world.start();
  world.ingest("x", 1);
  world.run_for(1ms);
  world.ingest("c", 2);
  world.run_for(2s);
  EXPECT_EQ(world.http.sent_to("c.example"), 3U) << "the first again, a second later";
}

TEST(EngineIsolation, what_is_due_soon_is_seen_when_all_slots_were_taken_before) {
  EngineWorld world{2};
  world.add("c", 1);
  world.add("x", 1);
  world.add("y", 1);
  world.http.takes_at["x.example"] = 25s;
  world.http.takes_at["y.example"] = 2s;
  world.http.failures["c.example"] = 1;
  world.start();
  world.ingest("c", 1);
  world.run_for(20ms);
  world.ingest("x", 1);
  world.ingest("y", 1);
  world.run_for(4s);
  EXPECT_EQ(world.http.sent_to("c.example"), 2U) << "once the slot was free";
}

TEST(EngineIsolation, a_breaker_opens_probes_and_closes_and_says_each_once) {
  EngineWorld world;
  world.add("a", 4);
  world.http.answers["a.example"] = Answer{500, {}, ""};
  world.start();
  world.ingest("a", 100);
  world.run_for(29s);
  const std::size_t until_open = world.http.sent.size();
  EXPECT_GE(until_open, 20U);
  EXPECT_LE(until_open, 24U) << "20, and what was under way";
  EXPECT_EQ(world.lines_with("breaker opened"), 1U);
  EXPECT_EQ(world.metrics.count(Metric::breakers_opened), 1);
  const std::size_t claims = world.inbox.claims;
  world.run_for(20s);
  EXPECT_EQ(world.http.sent.size(), until_open + 1) << "one probe";
  EXPECT_EQ(world.lines_with("breaker probes"), 1U);
  EXPECT_EQ(world.lines_with("breaker stays open"), 1U);
  EXPECT_LE(world.inbox.claims, claims + 1) << "what waits is not read over and over";
  world.http.answers.clear();
  world.run_for(90s);
  EXPECT_EQ(world.lines_with("breaker closed"), 1U);
  world.run_for(10min);
  EXPECT_EQ(world.engine->counts().successful, 100) << "no delivery's retries were used up by it";
  EXPECT_EQ(world.lines_with("secret-path"), 0U);
}

TEST(EngineIsolation, a_410_disables_an_endpoint_of_the_api_and_says_so_in_the_commit) {
  EngineWorld world;
  world.add("a", 1);
  world.http.answers["a.example"] = Answer{410, {}, ""};
  world.start();
  world.ingest("a", 5);
  world.run_for(1h);
  EXPECT_EQ(world.http.sent.size(), 1U);
  ASSERT_EQ(world.inbox.settled.size(), 1U);
  EXPECT_TRUE(world.inbox.settled[0].disables_endpoint.starts_with("410 Gone"));
  EXPECT_EQ(world.inbox.settled[0].claim_next, 0U);
  EXPECT_EQ(std::get<SentToReview>(world.inbox.settled[0].decision).reason, ReviewReason::rejected);
  EXPECT_EQ(world.lines_with("endpoint disabled"), 1U);
  EXPECT_EQ(world.metrics.count(Metric::endpoints_disabled), 1);
  world.http.answers.clear();
  world.engine->set_endpoints(world.endpoints);
  world.run_for(1s);
  EXPECT_EQ(world.http.sent.size(), 1U) << "read before that, a list does not bring it back";
  world.endpoints[0].revision = world.store.disk().endpoints[0].revision + 1;
  world.engine->set_endpoints(world.endpoints);
  world.run_for(1s);
  EXPECT_EQ(world.engine->counts().successful, 4) << "set right, it goes on";
}

TEST(EngineIsolation, a_410_opens_the_breaker_of_an_endpoint_of_the_secret) {
  EngineWorld world;
  world.add("a", 1).origin = EndpointOrigin::secret;
  world.http.answers["a.example"] = Answer{410, {}, ""};
  world.start();
  world.ingest("a", 5);
  world.run_for(29s);
  EXPECT_EQ(world.http.sent.size(), 1U);
  EXPECT_EQ(world.inbox.settled.at(0).disables_endpoint, "");
  EXPECT_EQ(world.lines_with("breaker opened"), 1U);
  EXPECT_EQ(world.lines_with("endpoint disabled"), 0U);
}

TEST(EngineIsolation, a_429_pauses_the_endpoint_though_the_wall_clock_jumps_back_a_day) {
  EngineWorld world;
  world.add("a", 4);
  world.http.answers["a.example"] = Answer{429, {{"Retry-After", "30"}}, ""};
  world.start();
  world.ingest("a", 8);
  world.run_for(1s);
  EXPECT_EQ(world.http.sent.size(), 4U);
  EXPECT_EQ(world.lines_with("endpoint paused"), 1U) << "once, though four were told so";
  world.http.answers.clear();
  world.world.jump_wall(-24h);
  world.ingest("a", 1);
  world.run_for(28s);
  EXPECT_EQ(world.http.sent.size(), 4U);
  world.run_for(2s);
  EXPECT_GT(world.http.sent.size(), 4U) << "half a minute is half a minute";
}

TEST(EngineIsolation, who_resumes_an_endpoint_ends_a_429s_pause_of_a_day) {
  EngineWorld world;
  world.add("a", 1);
  world.http.answers["a.example"] = Answer{429, {{"Retry-After", "86400"}}, ""};
  world.start();
  world.ingest("a", 1);
  world.run_for(1s);
  world.http.answers.clear();
  world.ingest("a", 3);
  world.run_for(1h);
  ASSERT_EQ(world.http.sent.size(), 1U);
  world.runtime->resume(world.endpoints[0].number);
  world.run_for(1s);
  EXPECT_EQ(world.http.sent.size(), 4U) << "all but the one that was itself told to wait";
  world.runtime->resume(world.endpoints[0].number + 1);
  world.run_for(1s);
  EXPECT_EQ(world.engine->counts().successful, 3);
}

TEST(EngineIsolation, a_rate_holds_an_endpoint_and_nobody_else) {
  EngineWorld world;
  world.add("a", 4).rate_per_second = 2;
  world.add("b", 4);
  world.start();
  world.ingest("a", 100);
  world.ingest("b", 100);
  world.run_for(10s);
  EXPECT_GE(world.http.sent_to("a.example"), 20U);
  EXPECT_LE(world.http.sent_to("a.example"), 21U);
  EXPECT_EQ(world.http.sent_to("b.example"), 100U);
  EXPECT_GE(world.metrics.count(Metric::rate_waits), 15);
}

TEST(EngineIsolation, a_paused_endpoints_events_are_not_read_at_all) {
  EngineWorld world;
  world.add("a");
  world.add("b");
  world.start();
  world.run_for(1s);
  auto paused = world.endpoints;
  paused[0].state = EndpointState::paused;
  world.engine->set_endpoints(paused);
  world.ingest("a", 50);
  world.ingest("b", 50);
  const std::size_t claims_of_a = world.inbox.claims_of[world.endpoints[0].number];
  world.run_for(1h);
  EXPECT_EQ(world.inbox.claims_of[world.endpoints[0].number], claims_of_a);
  EXPECT_EQ(world.http.sent_to("b.example"), 50U);
  world.engine->set_endpoints(world.endpoints);
  world.run_for(1s);
  EXPECT_EQ(world.http.sent_to("a.example"), 50U);
}

TEST(EngineIsolation, what_changes_holds_for_the_attempts_that_begin_from_then_on) {
  EngineWorld world;
  world.add("a", 1);
  world.start();
  world.ingest("a", 100);
  world.run_for(95ms);
  auto changed = world.endpoints;
  changed[0].url = *parse_webhook_url("https://moved.example/elsewhere");
  changed[0].headers = {{"X-Tenant", "7"}};
  changed[0].signing_keys = {{"another", std::nullopt}};
  const std::size_t before = world.http.sent.size();
  world.engine->set_endpoints(changed);
  world.run_for(10s);
  EXPECT_EQ(world.http.sent_to("a.example"), before);
  EXPECT_EQ(world.http.sent_to("moved.example"), 100 - before);
  EXPECT_EQ(world.http.last.headers.back().value, "7");
}

}  // namespace
}  // namespace dispatcher::simulation
