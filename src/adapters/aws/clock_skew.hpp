// How far AWS's clock is from ours, as the dates of its answers show it.
#pragma once

#include "base/time.hpp"

#include <chrono>

namespace dispatcher {

// A date is of whole seconds, and of some moment between a request and its answer: each narrows the
// difference down to a range. What is used is the least of it, so that a clock that is right is
// left alone.
class ClockSkew {
 public:
  // `sent` and `received` are ours.
  void note(WallTime date, WallTime sent, WallTime received);

  // To be added to our time.
  [[nodiscard]] std::chrono::microseconds offset() const;

  // What was signed with `used` is worth signing anew: AWS refuses what is five minutes off.
  [[nodiscard]] bool is_far_from(std::chrono::microseconds used) const;

 private:
  std::chrono::microseconds low_ = std::chrono::microseconds::min();
  std::chrono::microseconds high_ = std::chrono::microseconds::max();
};

}  // namespace dispatcher
