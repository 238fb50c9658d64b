// Runs one scenario: the dispatcher lives, fails and lives again in simulated time until everything
// is well and nothing is left to do.
#pragma once

#include "simulation/process.hpp"
#include "simulation/scenario.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace dispatcher::simulation {

struct Report {
  std::optional<std::string> violation;  // the first promise that was broken
  std::string trace;                     // the last of what happened, where asked for
  // For the tests that see to it that something happens at all.
  std::uint64_t steps = 0;
  std::size_t visits = 0;
  std::size_t crashes = 0;
  std::chrono::seconds simulated{};
};

[[nodiscard]] Report simulate(const Scenario& scenario, const Breakage& breakage = {},
                              bool with_trace = false);

}  // namespace dispatcher::simulation
