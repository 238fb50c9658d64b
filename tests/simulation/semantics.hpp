// The figures of the delivery semantics, written down anew from their page: the checker must not
// share a mistake with the model.
#pragma once

#include "model/retry.hpp"

#include <algorithm>
#include <chrono>
#include <optional>

namespace dispatcher::simulation {

inline constexpr std::chrono::hours kMaxRetryAfter{24};

// The shortest wait after this many failures (1, 2 …). Empty: there is no further attempt.
[[nodiscard]] inline std::optional<std::chrono::microseconds> least_wait(const RetryPolicy& policy,
                                                                         std::size_t failures) {
  using std::chrono::seconds;
  const auto per_round = static_cast<std::size_t>(policy.retries) + 1;
  const std::size_t in_round = (failures - 1) % per_round;
  const std::size_t round = (failures - 1) / per_round;
  if (in_round + 1 < per_round) {
    return std::min<std::chrono::microseconds>(seconds{1} * (std::int64_t{1} << in_round),
                                               seconds{60});
  }
  if (round < policy.schedule.size()) {
    return policy.schedule[round];
  }
  return std::nullopt;
}

// How many attempts of a delivery failed and used up a retry: probes of an open breaker do not, and
// whether one was a probe cannot always be told from outside.
struct Failures {
  std::size_t least = 0;
  std::size_t most = 0;
};

[[nodiscard]] inline std::optional<std::chrono::microseconds> least_wait(const RetryPolicy& policy,
                                                                         const Failures& failures) {
  std::optional<std::chrono::microseconds> least;
  for (std::size_t count = std::max<std::size_t>(failures.least, 1); count <= failures.most;
       ++count) {
    const auto wait = least_wait(policy, count);
    least = wait && (!least || *wait < *least) ? wait : least;
  }
  return least;
}

[[nodiscard]] inline bool may_be_last(const RetryPolicy& policy, const Failures& failures) {
  for (std::size_t count = std::max<std::size_t>(failures.least, 1); count <= failures.most;
       ++count) {
    if (!least_wait(policy, count)) {
      return true;
    }
  }
  return false;
}

// After a probe that failed: the shortest wait that a retry has.
inline constexpr std::chrono::seconds kAfterProbe{1};

// The shortest of all waits. Empty: there is no second attempt.
[[nodiscard]] inline std::optional<std::chrono::microseconds> shortest_wait(
    const RetryPolicy& policy) {
  auto shortest = least_wait(policy, 1);
  for (const auto step : policy.schedule) {
    shortest = std::min<std::chrono::microseconds>(*shortest, step);
  }
  return shortest;
}

[[nodiscard]] inline bool is_rejection(int status) {
  return status >= 400 && status < 500 && status != 429;
}

[[nodiscard]] inline bool is_redirect(int status) {
  return status >= 300 && status < 400;
}

}  // namespace dispatcher::simulation
