#include "adapters/aws/clock_skew.hpp"

#include <algorithm>

namespace dispatcher {
namespace {

constexpr std::chrono::seconds kNotable{30};

}  // namespace

void ClockSkew::note(WallTime date, WallTime sent, WallTime received) {
  using std::chrono::microseconds;
  const microseconds low = date - received;
  const microseconds high = date + std::chrono::seconds{1} - sent;
  if (low > high) {
    return;  // our clock was set back meanwhile
  }
  const bool agrees = low <= high_ && high >= low_;
  low_ = agrees ? std::max(low_, low) : low;
  high_ = agrees ? std::min(high_, high) : high;
}

bool ClockSkew::is_far_from(std::chrono::microseconds used) const {
  return std::chrono::abs(offset() - used) >= kNotable;
}

std::chrono::microseconds ClockSkew::offset() const {
  return std::clamp(std::chrono::microseconds{0}, low_, high_);
}

}  // namespace dispatcher
