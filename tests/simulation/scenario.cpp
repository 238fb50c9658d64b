#include "simulation/scenario.hpp"

#include <fmt/format.h>

#include <array>

namespace dispatcher::simulation {
namespace {

using fakes::SimRandom;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

// A fault is in one scenario frequent, in another rare, in a third not there: most of what goes
// wrong needs one kind of fault without the others in its way.
double odds(SimRandom& random, double highest) {
  static constexpr std::array kShares{0.0, 0.0, 0.1, 1.0};
  return highest * random.one_of(kShares) * random.next_unit();
}

StoreFaultOdds store_faults(SimRandom& random) {
  StoreFaultOdds faults;
  faults.append_fails = odds(random, 0.3);
  faults.claim_fails = odds(random, 0.3);
  faults.settle_fails = odds(random, 0.5);
  faults.give_back_fails = odds(random, 0.5);
  faults.configure_fails = odds(random, 0.3);
  faults.consume_fails = odds(random, 0.3);
  faults.release_fails = odds(random, 0.3);
  faults.read_fails = odds(random, 0.3);
  faults.maintain_fails = odds(random, 0.3);
  static constexpr std::array<microseconds, 3> kLatencies{microseconds{0}, milliseconds{5},
                                                          milliseconds{400}};
  faults.longest_latency = random.one_of(kLatencies);
  return faults;
}

fakes::NetworkFaults network_faults(SimRandom& random) {
  fakes::NetworkFaults faults;
  faults.unresolved = odds(random, 0.2);
  faults.refused = odds(random, 0.3);
  faults.untrusted = odds(random, 0.2);
  faults.reset_before = odds(random, 0.3);
  faults.reset_after = odds(random, 0.3);
  faults.garbled = odds(random, 0.2);
  faults.never_answers = odds(random, 0.3);
  faults.slow = odds(random, 0.4);
  faults.server_error = odds(random, 0.7);
  faults.too_many = odds(random, 0.4);
  faults.retry_after = random.next_unit();
  faults.rejected = odds(random, 0.2);
  faults.redirected = odds(random, 0.1);
  faults.outage = odds(random, 0.1);
  static constexpr std::array<microseconds, 3> kLatencies{microseconds{0}, milliseconds{20},
                                                          seconds{2}};
  faults.longest_latency = random.one_of(kLatencies);
  if (random.chance(0.01)) {
    faults.longest_retry_after = std::chrono::hours{30};  // past the cap of a day
  }
  return faults;
}

ClockFaultOdds clock_faults(SimRandom& random) {
  ClockFaultOdds faults;
  faults.wall_jumps = random.chance(0.2) ? 0.01 * random.next_unit() : 0;
  return faults;
}

RetryPolicy retry_policy(SimRandom& random) {
  RetryPolicy policy;
  policy.retries = static_cast<int>(random.between(0, 3));
  // The real schedule takes days; a short one meets its end within the scenario.
  if (!random.chance(0.03)) {
    policy.schedule.clear();
    const auto steps = random.between(0, 3);
    for (std::int64_t step = 0; step < steps; ++step) {
      policy.schedule.push_back(seconds{random.between(1, 60)});
    }
  }
  return policy;
}

void add_endpoints(Scenario& scenario, SimRandom& random) {
  const auto count = random.between(1, 3);
  static constexpr std::array kFormats{BodyFormat::event, BodyFormat::payload,
                                       BodyFormat::standard};
  static constexpr std::array kRates{0.3, 1.0, 5.0, 40.0};
  for (std::int64_t i = 0; i < count; ++i) {
    const std::string url = "https://" + std::string(1, static_cast<char>('a' + i)) + ".example/x";
    Endpoint endpoint;
    endpoint.id = secret_endpoint_id(url);
    endpoint.url = *parse_webhook_url(url);
    endpoint.concurrency = static_cast<int>(random.between(1, 4));
    endpoint.timeout = seconds{random.between(2, 30)};
    endpoint.retry = retry_policy(random);
    endpoint.body = random.one_of(kFormats);
    if (random.chance(0.3)) {
      endpoint.filter.types = {"order.*"};
    }
    endpoint.signing_keys = {{"the first key", std::nullopt}};
    if (random.chance(0.2)) {
      endpoint.rate_per_second = random.one_of(kRates);
    }
    if (random.chance(0.15)) {
      scenario.dead_hosts.push_back({endpoint.url.host, seconds{random.between(10, 3'600)}});
    }
    if (random.chance(0.05)) {
      scenario.blocked_hosts.push_back(endpoint.url.host);
    }
    scenario.urls.push_back(url);
    scenario.endpoints.push_back(std::move(endpoint));
  }
  scenario.max_in_flight = static_cast<std::size_t>(random.between(1, 8));
}

void add_events(Scenario& scenario, SimRandom& random) {
  static constexpr std::array kTypes{"order.created", "order.paid", "user.created"};
  const auto count = random.between(1, 30);
  const auto span = random.chance(0.5) ? seconds{0} : seconds{random.between(1, 60)};
  for (std::int64_t i = 0; i < count; ++i) {
    PlannedEvent event;
    event.at = random.between(microseconds{0}, span);
    event.type = random.one_of(kTypes);
    event.source = "shop";
    event.payload = R"({"number":)" + std::to_string(i) + R"(,"spelling":1.0e3})";
    scenario.events.push_back(std::move(event));
  }
}

void add_lives(Scenario& scenario, SimRandom& random) {
  static constexpr std::array kEnds{LifeEnd::crash, LifeEnd::crash, LifeEnd::stop,
                                    LifeEnd::stop_at_once};
  const auto count = random.between(0, 4);
  for (std::int64_t i = 0; i < count; ++i) {
    Life life;
    life.is_single_pass = random.chance(0.2);
    if (life.is_single_pass && random.chance(0.7)) {
      life.deadline = seconds{random.between(1, 120)};
    }
    if (!life.is_single_pass && random.chance(0.1)) {
      life.pass_interval = milliseconds{random.between(100, 60'000)};
    }
    life.end = random.one_of(kEnds);
    // Short lives are as likely as long ones: a crash in the first steps is a case of its own.
    const auto longest = std::int64_t{1} << random.between(3, 12);
    life.steps = static_cast<std::uint64_t>(random.between(1, longest));
    life.steps_to_stop =
        random.chance(0.3) ? static_cast<std::uint64_t>(random.between(1, 200)) : 0;
    // No two lives share a moment: an attempt is known by its delivery and when it began.
    life.down_after =
        random.chance(0.5) ? milliseconds{1} : random.between(milliseconds{1}, seconds{90});
    scenario.lives.push_back(life);
  }
  Life last;
  // What went wrong ends with a new life, or within one: the two recover differently.
  last.steps = random.chance(0.5) ? static_cast<std::uint64_t>(random.between(1, 1'000)) : 0;
  scenario.lives.push_back(last);
}

}  // namespace

Scenario scenario_of(std::uint64_t seed) {
  SimRandom random{seed};
  Scenario scenario;
  scenario.seed = seed;
  scenario.store = store_faults(random);
  scenario.network = network_faults(random);
  scenario.clock = clock_faults(random);
  scenario.consumer.is_there = random.chance(0.3);
  if (random.chance(0.4)) {
    static constexpr std::array kPaces{100, 3'000, 60'000};
    scenario.person.acts_every = milliseconds{random.one_of(kPaces)};
  }
  add_endpoints(scenario, random);
  if (random.chance(0.1)) {
    scenario.reconfigures_every = milliseconds{random.between(1, 3'000)};
  } else if (random.chance(0.4)) {
    scenario.operates_every = milliseconds{random.between(1, 20'000)};
    // Made through the API, which a 410 disables until somebody sets it right.
    for (Endpoint& endpoint : scenario.endpoints) {
      endpoint.origin = random.chance(0.7) ? EndpointOrigin::api : EndpointOrigin::secret;
    }
  }
  add_events(scenario, random);
  add_lives(scenario, random);
  return scenario;
}

std::string describe(const Scenario& scenario) {
  std::string text = fmt::format(
      "seed {}: {} events, {} endpoints, at most {} in flight, consumer {}, a person every {} ms\n"
      "  store: append {:.3f} claim {:.3f} settle {:.3f} give back {:.3f} configure {:.3f} "
      "consume {:.3f} release {:.3f} read {:.3f} maintain {:.3f} fail, latency to {} us\n"
      "  network: unresolved {:.3f} refused {:.3f} untrusted {:.3f} reset before {:.3f} after "
      "{:.3f} garbled {:.3f} never answers {:.3f} slow {:.3f}\n"
      "  answers: 5xx {:.3f} 429 {:.3f} (retry-after {:.3f} to {} s) 4xx {:.3f} 3xx {:.3f} outage "
      "{:.3f}, latency to {} us\n"
      "  clock jumps {:.4f}, operates every {} ms\n",
      scenario.seed, scenario.events.size(), scenario.endpoints.size(), scenario.max_in_flight,
      scenario.consumer.is_there, scenario.person.acts_every.count(), scenario.store.append_fails,
      scenario.store.claim_fails, scenario.store.settle_fails, scenario.store.give_back_fails,
      scenario.store.configure_fails, scenario.store.consume_fails, scenario.store.release_fails,
      scenario.store.read_fails, scenario.store.maintain_fails,
      scenario.store.longest_latency.count(), scenario.network.unresolved, scenario.network.refused,
      scenario.network.untrusted, scenario.network.reset_before, scenario.network.reset_after,
      scenario.network.garbled, scenario.network.never_answers, scenario.network.slow,
      scenario.network.server_error, scenario.network.too_many, scenario.network.retry_after,
      scenario.network.longest_retry_after.count(), scenario.network.rejected,
      scenario.network.redirected, scenario.network.outage,
      scenario.network.longest_latency.count(), scenario.clock.wall_jumps,
      scenario.operates_every.count());
  for (const Endpoint& endpoint : scenario.endpoints) {
    text += fmt::format(
        "  endpoint {}: concurrency {}, timeout {} s, retries {}, {} steps, rate {}, {}\n",
        endpoint.url.host, endpoint.concurrency, endpoint.timeout.count() / 1'000'000,
        endpoint.retry.retries, endpoint.retry.schedule.size(),
        endpoint.rate_per_second.value_or(0),
        endpoint.origin == EndpointOrigin::api ? "api" : "secret");
  }
  for (const auto& dead : scenario.dead_hosts) {
    text += fmt::format("  {} is dead for {} s\n", dead.host, dead.until.count());
  }
  for (const Life& life : scenario.lives) {
    static constexpr std::array kNames{"crash", "stop", "stop at once"};
    text += fmt::format("  life: {} deadline {} s, {} after {} steps, down for {} us\n",
                        life.is_single_pass ? "run" : "serve", life.deadline.count(),
                        kNames[static_cast<std::size_t>(life.end)], life.steps,
                        life.down_after.count());
  }
  return text;
}

}  // namespace dispatcher::simulation
