// How many connections to one origin are opened at a time. A handshake costs more than a hundred
// requests over a connection that is there: where a receiver answers at once, waiting for one that
// is being used costs less than opening another.
#pragma once

#include "adapters/https/deadlines.hpp"
#include "adapters/https/origin.hpp"
#include "base/signal.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <deque>
#include <unordered_map>

namespace dispatcher {

// Belongs to one loop.
class OpeningGate {
 public:
  // 0: as many as there are requests.
  OpeningGate(boost::asio::any_io_executor loop, std::size_t max_opening)
      : loop_(std::move(loop)), max_opening_(max_opening) {}

  // One more is opened, if there may be. Whoever has entered leaves.
  [[nodiscard]] bool enter(const OriginView& origin);
  // It is open, or could not be opened.
  void leave(const OriginView& origin);

  // Waits until it is worth asking again: one is open, could not be opened, or is free; or until
  // the watch is stopped.
  [[nodiscard]] boost::asio::awaitable<void> wait(OriginView origin, Watch* watch);
  // A connection is free.
  void wake_one(const OriginView& origin);

 private:
  struct Gate {
    std::size_t opening = 0;
    std::deque<Signal*> waiting;  // in the order in which they came
  };

  void drop_if_idle(const OriginView& origin);

  boost::asio::any_io_executor loop_;
  std::size_t max_opening_;
  // An origin that nobody opens a connection to, or waits for, has no entry.
  std::unordered_map<Origin, Gate, OriginHash, OriginEqual> gates_;
};

}  // namespace dispatcher
