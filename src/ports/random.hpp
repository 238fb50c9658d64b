#pragma once

#include <cstdint>

namespace dispatcher {

// Callable from any thread. What is made of it (ids, tokens) must not be guessable, so the real one
// is cryptographic; a simulation's is seeded.
class Random {
 public:
  virtual ~Random() = default;
  [[nodiscard]] virtual std::uint64_t next() = 0;

  // In [0, 1).
  [[nodiscard]] double next_unit() { return static_cast<double>(next() >> 11U) * 0x1.0p-53; }
};

}  // namespace dispatcher
