// Randomness from one seed: the same numbers on every machine.
#pragma once

#include "ports/random.hpp"

#include <chrono>
#include <cstdint>
#include <iterator>

namespace dispatcher::fakes {

// SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014).
class SimRandom : public Random {
 public:
  explicit SimRandom(std::uint64_t seed) : state_(seed) {}

  [[nodiscard]] std::uint64_t next() override {
    state_ += 0x9E3779B97F4A7C15ULL;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31U);
  }

  // True with this probability.
  [[nodiscard]] bool chance(double probability) { return next_unit() < probability; }

  // From `low` to `high`, both inclusive.
  [[nodiscard]] std::int64_t between(std::int64_t low, std::int64_t high) {
    const auto width = static_cast<std::uint64_t>(high - low) + 1;
    return low + static_cast<std::int64_t>(next() % width);
  }
  [[nodiscard]] std::chrono::microseconds between(std::chrono::microseconds low,
                                                  std::chrono::microseconds high) {
    return std::chrono::microseconds{between(low.count(), high.count())};
  }

  // One of the values, each as likely as the others.
  template <class Values>
  [[nodiscard]] auto one_of(const Values& values) {
    const auto last = static_cast<std::int64_t>(std::size(values)) - 1;
    return values[static_cast<std::size_t>(between(std::int64_t{0}, last))];
  }

  // A generator of its own, so that what one part of a simulation draws moves no other's numbers.
  [[nodiscard]] SimRandom split() { return SimRandom{next()}; }

 private:
  std::uint64_t state_;
};

}  // namespace dispatcher::fakes
