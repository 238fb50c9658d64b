// When a delivery is tried again: the short retries of a round, then the long schedule, then a
// person. Pure.
#pragma once

#include "model/delivery.hpp"
#include "model/outcome.hpp"

#include <chrono>
#include <vector>

namespace dispatcher {

struct RetryPolicy {
  int retries = 3;  // after a round's first attempt
  std::chrono::microseconds base = std::chrono::seconds{1};
  std::chrono::microseconds max = std::chrono::seconds{60};
  std::vector<std::chrono::seconds> schedule = default_schedule();
  StatusPolicy statuses;

  // 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h
  [[nodiscard]] static std::vector<std::chrono::seconds> default_schedule();
};

// The wait before retry number `retry` (1, 2, 3 …): doubling from the base, at most the maximum.
// `jitter` in [0, 1] lengthens it by up to a quarter, never shortens it.
[[nodiscard]] std::chrono::microseconds backoff(const RetryPolicy& policy, int retry,
                                                double jitter);

// `progress` is the delivery's before this attempt; `now` is when the attempt ended.
[[nodiscard]] Decision decide(const Verdict& verdict, const DeliveryProgress& progress,
                              const RetryPolicy& policy, WallTime now, double jitter);

}  // namespace dispatcher
