// Waiting until somebody says that it is time.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace dispatcher {

// Belongs to one loop; outlives the waits. Any number of them at once.
class Signal {
 public:
  explicit Signal(const boost::asio::any_io_executor& loop)
      : timer_(loop, boost::asio::steady_timer::time_point::max()) {}

  [[nodiscard]] boost::asio::awaitable<void> wait() {
    boost::system::error_code ignored;  // that it was cancelled is what is waited for
    co_await timer_.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, ignored));
  }

  // Ends the waits under way, and none that begins later.
  void cancel() { timer_.cancel(); }

 private:
  boost::asio::steady_timer timer_;
};

}  // namespace dispatcher
