// Promises checked: the whole guarantee of the delivery semantics, under crashes, stops, failing
// stores, networks and clocks, for as many seeds as asked for.
//
//     SIMULATION_SEEDS=N   how many seeds (default 10,000)
//     SIMULATION_FROM=N    the first of them (default 1)
//     SIMULATION_SEED=N    this one alone, with its trace
#include "simulation/simulation.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <string>

namespace dispatcher::simulation {
namespace {

constexpr std::uint64_t kDefaultSeeds = 10'000;

std::optional<std::uint64_t> number_from(const char* variable) {
  const char* text = std::getenv(variable);
  return text == nullptr ? std::nullopt : std::optional{std::stoull(text)};
}

std::string failure_report(const Scenario& scenario) {
  const Report again = simulate(scenario, {}, true);
  return again.trace + describe(scenario) + "broken promise: " + again.violation.value_or("none?") +
         "\nagain: SIMULATION_SEED=" + std::to_string(scenario.seed);
}

// A broken invariant aborts: what was it about?
volatile std::sig_atomic_t seed_under_way = 0;

void name_the_seed(int /*signal*/) {
  std::string line = "aborted: SIMULATION_SEED=" + std::to_string(seed_under_way) + "\n";
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
}

TEST(Simulation, the_guarantee_holds_whatever_goes_wrong) {
  const auto single = number_from("SIMULATION_SEED");
  const std::uint64_t first = single.value_or(number_from("SIMULATION_FROM").value_or(1));
  const std::uint64_t count = single ? 1 : number_from("SIMULATION_SEEDS").value_or(kDefaultSeeds);
  std::signal(SIGABRT, name_the_seed);
  std::uint64_t visits = 0;
  std::uint64_t crashes = 0;
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    seed_under_way = static_cast<std::sig_atomic_t>(seed);
    const Scenario scenario = scenario_of(seed);
    const Report report = simulate(scenario);
    visits += report.visits;
    crashes += report.crashes;
    ASSERT_FALSE(report.violation) << failure_report(scenario);
  }
  if (!single) {
    // Else it would prove nothing.
    EXPECT_GT(visits, 10 * count);
    EXPECT_GT(crashes, count / 4);
  }
  if (single) {
    std::cout << simulate(scenario_of(first), {}, true).trace << describe(scenario_of(first));
  }
  std::cout << count << " seeds: " << visits << " attempts, " << crashes << " crashes\n";
}

TEST(Simulation, one_seed_is_one_story) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const Scenario scenario = scenario_of(seed);
    EXPECT_EQ(simulate(scenario, {}, true).trace, simulate(scenario, {}, true).trace) << seed;
  }
}

}  // namespace
}  // namespace dispatcher::simulation
