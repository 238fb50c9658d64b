// How a run keeps its deadline: it starts no attempt that cannot finish before the time kept for
// reporting. Pure.
#pragma once

#include "base/deadline.hpp"

#include <chrono>
#include <optional>

namespace dispatcher {

class PassLimit {
 public:
  // Kept for giving back, reporting and answering: this, or a fifth of the run if that is less.
  static constexpr std::chrono::seconds kReserve{5};
  static constexpr int kReservePart = 5;
  // An attempt with less time than this is not started.
  static constexpr std::chrono::seconds kLeastAttempt{1};

  // Without a deadline nothing is limited.
  PassLimit() = default;
  PassLimit(MonoTime now, MonoTime deadline) {
    last_end_ = keeping_back(now, deadline, kReserve, kReservePart);
    usable_ = *last_end_ - now;
    give_up_at_ = *last_end_ + (deadline - *last_end_) / 2;
  }

  // True when the whole run is shorter than such an attempt: then each is given what there is.
  [[nodiscard]] bool shortens(std::chrono::microseconds timeout) const {
    return last_end_.has_value() && timeout > usable_;
  }

  // By when an attempt that starts now must end; empty when it must not start any more.
  [[nodiscard]] std::optional<MonoTime> attempt_deadline(MonoTime now,
                                                         std::chrono::microseconds timeout) const {
    const MonoTime full = now + timeout;
    if (!last_end_ || full <= *last_end_) {
      return full;
    }
    if (shortens(timeout) && now + kLeastAttempt <= *last_end_) {
      return *last_end_;
    }
    return std::nullopt;
  }

  // From the start to when all attempts have ended.
  [[nodiscard]] MonoTime::duration usable() const { return usable_; }

  // When all attempts have ended.
  [[nodiscard]] std::optional<MonoTime> last_end() const { return last_end_; }

  // Until when what the attempts came to may still be recorded; the rest is for reporting.
  [[nodiscard]] std::optional<MonoTime> give_up_at() const { return give_up_at_; }

 private:
  std::optional<MonoTime> last_end_;
  std::optional<MonoTime> give_up_at_;
  MonoTime::duration usable_{};
};

}  // namespace dispatcher
