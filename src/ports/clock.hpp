// The two clocks, and waiting on the monotonic one.
#pragma once

#include "base/time.hpp"

#include <boost/asio/awaitable.hpp>

#include <memory>

namespace dispatcher {

// Callable from any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual WallTime wall() const = 0;
  [[nodiscard]] virtual MonoTime monotonic() const = 0;
};

// One waiter at a time. Belongs to the loop that made it.
class Timer {
 public:
  virtual ~Timer() = default;
  // True when `when` was reached, false when `cancel` came first. After either, look at the wall
  // clock again: it may have jumped.
  [[nodiscard]] virtual boost::asio::awaitable<bool> wait_until(MonoTime when) = 0;
  // Ends a wait that is under way; without one, nothing.
  virtual void cancel() = 0;
};

class Timers {
 public:
  virtual ~Timers() = default;
  [[nodiscard]] virtual std::unique_ptr<Timer> make() = 0;
};

}  // namespace dispatcher
