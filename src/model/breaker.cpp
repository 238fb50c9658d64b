#include "model/breaker.hpp"

#include <algorithm>

namespace dispatcher {

std::string_view to_string(BreakerState state) {
  switch (state) {
    case BreakerState::closed: return "closed";
    case BreakerState::open: return "open";
    case BreakerState::half_open: return "half_open";
  }
  return "unknown";
}

bool Breaker::begin() {
  if (state_ == BreakerState::closed) {
    return false;
  }
  state_ = BreakerState::half_open;
  return true;
}

BreakerChange Breaker::record(Outcome outcome, bool is_probe, MonoTime now, double jitter) {
  if (is_probe && state_ == BreakerState::half_open) {
    return end_probe(outcome, now, jitter);
  }
  const bool says_nothing = outcome == Outcome::abandoned || outcome == Outcome::blocked;
  if (state_ != BreakerState::closed || says_nothing) {
    return BreakerChange::none;
  }
  move_window_to(now);
  const std::uint32_t failed = outcome == Outcome::retryable ? 1 : 0;
  Slot& slot = slots_[static_cast<std::size_t>(newest_slot_) % kSlots];
  slot.attempts += 1;
  slot.failed += failed;
  sum_.attempts += 1;
  sum_.failed += failed;
  const bool is_failing =
      std::uint64_t{sum_.failed} * 100 >= std::uint64_t{sum_.attempts} * kFailedPercent;
  return sum_.attempts >= kLeastAttempts && is_failing ? open(now, jitter) : BreakerChange::none;
}

BreakerChange Breaker::open_at_once(bool is_probe, MonoTime now, double jitter) {
  if (is_probe && state_ == BreakerState::half_open) {
    return end_probe(Outcome::retryable, now, jitter);
  }
  return state_ == BreakerState::closed ? open(now, jitter) : BreakerChange::none;
}

BreakerChange Breaker::end_probe(Outcome outcome, MonoTime now, double jitter) {
  switch (outcome) {
    case Outcome::delivered:
    case Outcome::refused: *this = Breaker{}; return BreakerChange::closed;
    case Outcome::retryable: (void)open(now, jitter); return BreakerChange::probe_failed;
    case Outcome::blocked:
    case Outcome::abandoned: break;
  }
  // Nobody was asked: the next probe may begin at once.
  state_ = BreakerState::open;
  return BreakerChange::none;
}

BreakerChange Breaker::open(MonoTime now, double jitter) {
  using std::chrono::microseconds;
  const microseconds wait = next_wait_;
  const microseconds longer{
      static_cast<std::int64_t>(static_cast<double>(wait.count()) * kJitterShare * jitter)};
  state_ = BreakerState::open;
  probe_at_ = now + std::min<microseconds>(wait + longer, kLongestWait);
  next_wait_ = std::min<std::chrono::seconds>(next_wait_ * 2, kLongestWait);
  return BreakerChange::opened;
}

void Breaker::move_window_to(MonoTime now) {
  const std::int64_t slot = now.time_since_epoch() / kSlot;
  if (slot - newest_slot_ >= static_cast<std::int64_t>(kSlots)) {
    slots_ = {};
    sum_ = {};
  } else {
    for (std::int64_t passed = newest_slot_ + 1; passed <= slot; ++passed) {
      Slot& oldest = slots_[static_cast<std::size_t>(passed) % kSlots];
      sum_.attempts -= oldest.attempts;
      sum_.failed -= oldest.failed;
      oldest = {};
    }
  }
  newest_slot_ = std::max(newest_slot_, slot);
}

Decision decide_probe(const Verdict& verdict, const DeliveryProgress& progress,
                      const RetryPolicy& policy, WallTime now, double jitter) {
  if (verdict.outcome != Outcome::retryable) {
    return decide(verdict, progress, policy, now, jitter);
  }
  const std::chrono::microseconds asked_for = verdict.retry_after.value_or(std::chrono::seconds{0});
  const auto wait = std::max(asked_for, backoff(policy, progress.retries_used + 1, jitter));
  return Again{now + wait, progress.retries_used, progress.step};
}

}  // namespace dispatcher
