// Connections that are kept between requests.
#pragma once

#include "adapters/https/connection.hpp"
#include "adapters/https/deadlines.hpp"
#include "base/time.hpp"

#include <chrono>
#include <list>
#include <memory>
#include <unordered_map>
#include <vector>

namespace dispatcher {

class ConnectionPool {
 public:
  // At most `max_idle` connections are kept, each for at most `idle_timeout`. `deadlines` outlives
  // the pool.
  ConnectionPool(Deadlines& deadlines, std::size_t max_idle,
                 std::chrono::milliseconds idle_timeout);
  ConnectionPool(const ConnectionPool&) = delete;
  ConnectionPool& operator=(const ConnectionPool&) = delete;

  // The one used last that is still alive, or null. Dead ones met on the way are dropped.
  [[nodiscard]] std::unique_ptr<ClientConnection> take(const OriginView& origin);
  // Keeps it, unless `max_of_origin` are kept already; the one unused for longest of all gives way
  // when the pool is full.
  void keep(std::unique_ptr<ClientConnection> connection, std::size_t max_of_origin);
  void clear();
  // Closes the `count` unused for longest, to have their descriptors.
  void drop_oldest(std::size_t count);

  [[nodiscard]] std::size_t size() const { return idle_.size(); }

 private:
  struct Idle {
    std::unique_ptr<ClientConnection> connection;
    MonoTime since{};
  };
  using IdleList = std::list<Idle>;  // oldest first

  void drop_expired();
  void watch_oldest();

  Deadlines& deadlines_;
  std::size_t max_idle_;
  std::chrono::milliseconds idle_timeout_;
  IdleList idle_;
  // Oldest first. An origin without connections has no entry.
  std::unordered_map<Origin, std::vector<IdleList::iterator>, OriginHash, OriginEqual> by_origin_;
  Watch watch_;
};

}  // namespace dispatcher
