#include "model/rate.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace dispatcher {
namespace {

// The longest interval between two attempts that is told from never: a year.
constexpr double kLongestIntervalNanoseconds = 365.0 * 24 * 3600 * 1e9;

}  // namespace

void RateLimit::set(std::optional<double> per_second) {
  if (!per_second || !(*per_second > 0)) {
    interval_ = Nanoseconds{0};
    burst_ = 1;
    return;
  }
  // Rounded up: never more than the rate.
  const double interval = std::min(std::ceil(1e9 / *per_second), kLongestIntervalNanoseconds);
  interval_ = Nanoseconds{static_cast<std::int64_t>(interval)};
  // A whole number in spite of rounding.
  const double burst = std::floor(*per_second * kBurstSeconds + 1e-9);
  burst_ = static_cast<std::int64_t>(std::clamp(burst, 1.0, 1e9));
}

void RateLimit::change(std::optional<double> per_second, MonoTime now) {
  const auto missing =
      full_at_ > now && interval_.count() > 0
          ? static_cast<double>((full_at_ - now).count()) / static_cast<double>(interval_.count())
          : 0.0;
  set(per_second);
  const double until_full =
      std::min(missing * static_cast<double>(interval_.count()), 2 * kLongestIntervalNanoseconds);
  full_at_ = now + Nanoseconds{static_cast<std::int64_t>(std::ceil(until_full))};
}

std::size_t RateLimit::available(MonoTime now) const {
  if (interval_.count() == 0) {
    return std::numeric_limits<std::size_t>::max();
  }
  const Nanoseconds missing = std::max(full_at_ - now, Nanoseconds{0});
  const Nanoseconds there = interval_ * burst_ - missing;
  return there < interval_ ? 0 : static_cast<std::size_t>(there / interval_);
}

MonoTime RateLimit::available_at(std::size_t count, MonoTime now) const {
  const std::int64_t beyond = static_cast<std::int64_t>(count) - burst_;
  // More than it holds comes only once what it holds was taken.
  return (beyond > 0 ? std::max(full_at_, now) : full_at_) + interval_ * beyond;
}

void RateLimit::take(MonoTime now) {
  full_at_ = std::max(full_at_, now) + interval_;
}

}  // namespace dispatcher
