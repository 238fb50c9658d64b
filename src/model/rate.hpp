// How many attempts per second an endpoint is sent at most: a token bucket. Pure.
//
// In any stretch of time t no more than rate · t + burst attempts begin. The burst is a tenth of a
// second's worth, at least one: a receiver that counts by the second must not see twice its rate
// in one, and what a late wake-up missed can still be made good.
#pragma once

#include "base/time.hpp"

#include <cstdint>
#include <optional>

namespace dispatcher {

class RateLimit {
 public:
  static constexpr double kBurstSeconds = 0.1;

  // Without a rate nothing is limited.
  RateLimit() = default;
  explicit RateLimit(std::optional<double> per_second) { set(per_second); }

  // Another rate from now on. What was begun of late still counts.
  void change(std::optional<double> per_second, MonoTime now);

  // How many attempts may begin at `now`.
  [[nodiscard]] std::size_t available(MonoTime now) const;

  // From when on `count` attempts may have begun, if none but these begin; past when they may now.
  [[nodiscard]] MonoTime available_at(std::size_t count, MonoTime now) const;

  // One begins, where `available` allows it.
  void take(MonoTime now);

 private:
  using Nanoseconds = MonoTime::duration;

  void set(std::optional<double> per_second);

  // The generic cell rate algorithm: a token comes every interval, and instead of their number the
  // bucket keeps when it will be full. No interval: no limit.
  Nanoseconds interval_{0};
  std::int64_t burst_ = 1;
  MonoTime full_at_{};
};

}  // namespace dispatcher
