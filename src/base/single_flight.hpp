// One piece of work for all who want what it comes to at the same time.
#pragma once

#include "base/signal.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/this_coro.hpp>

#include <memory>
#include <optional>

namespace dispatcher {

// Belongs to one loop; outlives its callers.
template <class T>
class SingleFlight {
 public:
  // What `work`, which is called and gives an `awaitable<T>`, comes to. Where such work is under
  // way for somebody else, what that comes to: then `work` is not called.
  template <class Work>
  [[nodiscard]] boost::asio::awaitable<T> join(Work work) {
    const auto executor = co_await boost::asio::this_coro::executor;
    if (const auto other = flight_) {
      co_await other->done.wait();
      co_return other->result.value();
    }
    const auto flight = std::make_shared<Flight>(executor);
    flight_ = flight;
    flight->result = co_await work();
    flight_.reset();
    flight->done.cancel();
    co_return *flight->result;
  }

 private:
  // Whoever else wants the same meanwhile waits for its end.
  struct Flight {
    explicit Flight(const boost::asio::any_io_executor& executor) : done(executor) {}
    Signal done;
    std::optional<T> result;
  };

  std::shared_ptr<Flight> flight_;  // while it is under way
};

}  // namespace dispatcher
