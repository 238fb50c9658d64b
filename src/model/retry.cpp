#include "model/retry.hpp"

#include <algorithm>

namespace dispatcher {
namespace {

using std::chrono::microseconds;

// A jitter only ever lengthens a wait, by up to this share of it.
constexpr double kJitterShare = 0.25;

microseconds lengthened(microseconds wait, double jitter) {
  const double extra = static_cast<double>(wait.count()) * kJitterShare * jitter;
  return wait + microseconds{static_cast<std::int64_t>(extra)};
}

Decision decide_retryable(const Verdict& verdict, const DeliveryProgress& progress,
                          const RetryPolicy& policy, WallTime now, double jitter) {
  const microseconds asked_for = verdict.retry_after.value_or(std::chrono::seconds{0});
  if (progress.retries_used < policy.retries) {
    const int retry = progress.retries_used + 1;
    return Again{now + std::max(asked_for, backoff(policy, retry, jitter)), retry, progress.step};
  }
  const auto step = static_cast<std::size_t>(progress.step);
  if (step < policy.schedule.size()) {
    const microseconds wait = lengthened(policy.schedule[step], jitter);
    return Again{now + std::max(asked_for, wait), 0, progress.step + 1};
  }
  return SentToReview{ReviewReason::exhausted};
}

}  // namespace

std::vector<std::chrono::seconds> RetryPolicy::default_schedule() {
  using std::chrono::hours;
  using std::chrono::minutes;
  return {minutes{5}, minutes{30}, hours{2}, hours{5}, hours{10}, hours{14}, hours{20}, hours{24}};
}

microseconds backoff(const RetryPolicy& policy, int retry, double jitter) {
  microseconds wait = std::min(policy.base, policy.max);
  for (int i = 1; i < retry && wait < policy.max; ++i) {
    wait = std::min(wait * 2, policy.max);
  }
  return lengthened(wait, jitter);
}

Decision decide(const Verdict& verdict, const DeliveryProgress& progress, const RetryPolicy& policy,
                WallTime now, double jitter) {
  switch (verdict.outcome) {
    case Outcome::delivered: return Delivered{};
    case Outcome::refused:
    case Outcome::blocked:
      return SentToReview{verdict.review_reason.value_or(ReviewReason::rejected)};
    case Outcome::abandoned:
      // Our stop, not the receiver's failure: nothing is used up.
      return Again{now, progress.retries_used, progress.step};
    case Outcome::retryable: break;
  }
  return decide_retryable(verdict, progress, policy, now, jitter);
}

}  // namespace dispatcher
