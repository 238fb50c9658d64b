// For the tests that break one thing on purpose, and look whether the simulation says so.
#pragma once

#include "simulation/simulation.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace dispatcher::simulation {

// Within this many seeds it must be found.
inline constexpr std::uint64_t kSeeds = 400;

// The first broken promise that any seed shows; empty when none does.
inline std::string found_with(const Breakage& breakage) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const Report report = simulate(scenario_of(seed), breakage);
    if (report.violation) {
      return *report.violation;
    }
  }
  return {};
}

// True when some seed shows a broken promise that begins so.
inline bool is_found(const Breakage& breakage, std::string_view promise,
                     std::uint64_t seeds = kSeeds) {
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    const Report report = simulate(scenario_of(seed), breakage);
    if (report.violation && report.violation->find(promise) != std::string::npos) {
      return true;
    }
  }
  return false;
}

template <class BrokenStore>
Breakage with_store() {
  Breakage breakage;
  breakage.store = [](const Clock& clock, fakes::StoreFaults* faults) {
    return std::make_unique<BrokenStore>(clock, faults);
  };
  return breakage;
}

}  // namespace dispatcher::simulation
