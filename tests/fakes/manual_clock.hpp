// Clocks that stand still until a test moves them.
#pragma once

#include "ports/clock.hpp"

#include <chrono>

namespace dispatcher::fakes {

// Not for several threads at once.
class ManualClock : public Clock {
 public:
  // 2026-01-01T00:00:00Z, and a monotonic clock that started a while before.
  ManualClock()
      : wall_(std::chrono::sys_days{std::chrono::year{2026} / 1 / 1}),
        monotonic_(std::chrono::hours{1'000}) {}

  [[nodiscard]] WallTime wall() const override { return wall_; }
  [[nodiscard]] MonoTime monotonic() const override { return monotonic_; }

  // Both clocks; never backwards.
  void advance(std::chrono::microseconds duration) {
    wall_ += duration;
    monotonic_ += duration;
  }

  // The wall clock alone, in either direction: what an operator or NTP does to it.
  void jump_wall(std::chrono::microseconds distance) { wall_ += distance; }

 private:
  WallTime wall_;
  MonoTime monotonic_;
};

}  // namespace dispatcher::fakes
