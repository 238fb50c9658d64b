// The breaker of an endpoint: opens when nearly everything fails, and lets one attempt through now
// and then until one succeeds. Pure.
//
//     closed ──(≥ 20 attempts in 60 s, ≥ 95 % of them failed retryably; or a 410)──► open
//     open ──(its wait is over and an attempt begins: the probe)──► half_open
//     half_open ──(the probe was answered)──► closed
//     half_open ──(it failed)──► open, for twice as long
//
// Only Outcome::retryable is a failure. A delivered or refused attempt shows that the endpoint
// answers; one that was abandoned, or blocked by policy, says nothing about it and counts for
// nothing. Attempts that were under way when it opened are ordinary attempts of their deliveries,
// but no longer move the breaker: only the probe, which began after it opened, can close it.
//
// Waits are on the monotonic clock, so that no jump of the wall clock holds an endpoint. A jitter
// lengthens them by up to a quarter, so that the endpoints of one host that failed together are
// not probed together; the longest wait stays the longest.
#pragma once

#include "base/time.hpp"
#include "model/delivery.hpp"
#include "model/outcome.hpp"
#include "model/retry.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <string_view>

namespace dispatcher {

enum class BreakerState : std::uint8_t { closed = 0, open = 1, half_open = 2 };

[[nodiscard]] std::string_view to_string(BreakerState state);

enum class BreakerChange : std::uint8_t { none, opened, probe_failed, closed };

class Breaker {
 public:
  static constexpr std::uint32_t kLeastAttempts = 20;
  static constexpr std::uint32_t kFailedPercent = 95;
  static constexpr std::chrono::seconds kWindow{60};
  static constexpr std::chrono::seconds kFirstWait{30};
  static constexpr std::chrono::minutes kLongestWait{10};
  static constexpr double kJitterShare = 0.25;

  [[nodiscard]] BreakerState state() const { return state_; }

  // False while it is open and its wait is not over, and while a probe is under way.
  [[nodiscard]] bool may_begin(MonoTime now) const {
    return state_ == BreakerState::closed || (state_ == BreakerState::open && now >= probe_at_);
  }

  // Of an open one: from when on a probe may begin.
  [[nodiscard]] MonoTime probe_at() const { return probe_at_; }

  // An attempt begins, where `may_begin` holds. True when it is the probe.
  [[nodiscard]] bool begin();

  // An attempt ended at `now`; `jitter` is in [0, 1].
  BreakerChange record(Outcome outcome, bool is_probe, MonoTime now, double jitter);

  // Opens it whatever was counted: the endpoint said that it is gone (410). `is_probe`: that was
  // the probe's answer. One that is open stays as it is.
  BreakerChange open_at_once(bool is_probe, MonoTime now, double jitter);

 private:
  // Attempts are counted by the time at which they ended, in slots of this length: the window is
  // exact but for the oldest slot, which leaves it as a whole.
  static constexpr std::chrono::seconds kSlot{2};
  static constexpr std::size_t kSlots = kWindow / kSlot;
  struct Slot {
    std::uint32_t attempts = 0;
    std::uint32_t failed = 0;
  };

  void move_window_to(MonoTime now);
  BreakerChange open(MonoTime now, double jitter);
  BreakerChange end_probe(Outcome outcome, MonoTime now, double jitter);

  BreakerState state_ = BreakerState::closed;
  MonoTime probe_at_{};
  std::chrono::seconds next_wait_ = kFirstWait;
  std::int64_t newest_slot_ = 0;  // slots since the clock's epoch
  std::array<Slot, kSlots> slots_{};
  Slot sum_;
};

// What a probe means for its delivery. One that failed uses up nothing: the delivery goes back with
// the retries and the step that it had, whatever they were, and only its attempts' numbers go on.
// It is due again after the shortest wait that its next retry would have had (so that no attempt
// comes early when the breaker is forgotten in a restart), which also puts it behind those that
// waited all along: one event that an endpoint cannot take does not keep the breaker open. Anything
// but a retryable failure means what it means for every attempt.
[[nodiscard]] Decision decide_probe(const Verdict& verdict, const DeliveryProgress& progress,
                                    const RetryPolicy& policy, WallTime now, double jitter);

}  // namespace dispatcher
