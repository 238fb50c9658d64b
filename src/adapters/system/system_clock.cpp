#include "adapters/system/system_clock.hpp"

#include "base/check.hpp"

#include <openssl/rand.h>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <array>

namespace dispatcher {
namespace {

class SystemTimer : public Timer {
 public:
  explicit SystemTimer(const boost::asio::any_io_executor& executor) : timer_(executor) {}

  boost::asio::awaitable<bool> wait_until(MonoTime when) override {
    timer_.expires_at(when);
    boost::system::error_code error;
    co_await timer_.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, error));
    co_return !error;
  }

  void cancel() override { timer_.cancel(); }

 private:
  boost::asio::steady_timer timer_;
};

}  // namespace

WallTime SystemClock::wall() const {
  return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
}

MonoTime SystemClock::monotonic() const {
  return std::chrono::steady_clock::now();
}

std::unique_ptr<Timer> SystemTimers::make() {
  return std::make_unique<SystemTimer>(executor_);
}

std::uint64_t SystemRandom::next() {
  // A block at a time: one call to OpenSSL costs as much for 8 bytes as for 256.
  thread_local std::array<std::uint64_t, 32> block;
  thread_local std::size_t used = block.size();
  if (used == block.size()) {
    DISPATCHER_CHECK(RAND_bytes(reinterpret_cast<unsigned char*>(block.data()),
                                static_cast<int>(sizeof block)) == 1);
    used = 0;
  }
  return block[used++];
}

}  // namespace dispatcher
