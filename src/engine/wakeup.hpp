// Waiting for a time or for something to happen, whichever comes first.
#pragma once

#include "ports/clock.hpp"

#include <memory>
#include <utility>

namespace dispatcher {

// One waiter. What happens while nobody waits ends the next wait at once; what happens several
// times before the waiter runs wakes it once.
class Wakeup {
 public:
  explicit Wakeup(Timers& timers) : timer_(timers.make()) {}

  [[nodiscard]] boost::asio::awaitable<void> wait_until(MonoTime when) {
    if (!std::exchange(is_woken_, false)) {
      is_waiting_ = true;
      co_await timer_->wait_until(when);
      is_waiting_ = false;
      is_woken_ = false;
    }
  }

  void wake() {
    if (!std::exchange(is_woken_, true) && is_waiting_) {
      timer_->cancel();
    }
  }

 private:
  std::unique_ptr<Timer> timer_;
  bool is_woken_ = false;
  bool is_waiting_ = false;
};

}  // namespace dispatcher
