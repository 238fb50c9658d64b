// The machine's clocks, timers and randomness.
#pragma once

#include "ports/clock.hpp"
#include "ports/random.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <memory>

namespace dispatcher {

class SystemClock : public Clock {
 public:
  [[nodiscard]] WallTime wall() const override;
  [[nodiscard]] MonoTime monotonic() const override;
};

// Timers on one loop's executor.
class SystemTimers : public Timers {
 public:
  explicit SystemTimers(boost::asio::any_io_executor executor) : executor_(std::move(executor)) {}
  [[nodiscard]] std::unique_ptr<Timer> make() override;

 private:
  boost::asio::any_io_executor executor_;
};

// Cryptographic: OpenSSL's generator, which each thread draws from in blocks. Callable from any
// thread.
class SystemRandom : public Random {
 public:
  [[nodiscard]] std::uint64_t next() override;
};

}  // namespace dispatcher
