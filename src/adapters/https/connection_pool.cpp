#include "adapters/https/connection_pool.hpp"

#include "base/check.hpp"

#include <algorithm>

namespace dispatcher {

ConnectionPool::ConnectionPool(Deadlines& deadlines, std::size_t max_idle,
                               std::chrono::milliseconds idle_timeout)
    : deadlines_(deadlines), max_idle_(max_idle), idle_timeout_(idle_timeout) {
  watch_.waited_for = this;
  watch_.end_wait = [](void* pool) { static_cast<ConnectionPool*>(pool)->drop_expired(); };
}

std::unique_ptr<ClientConnection> ConnectionPool::take(const OriginView& origin) {
  const auto found = by_origin_.find(origin);
  if (found == by_origin_.end()) {
    return nullptr;
  }
  std::unique_ptr<ClientConnection> alive;
  while (!alive && !found->second.empty()) {
    const auto last = found->second.back();
    found->second.pop_back();
    auto connection = std::move(last->connection);
    idle_.erase(last);
    if (is_silent(connection->wire.socket)) {
      alive = std::move(connection);
    }
  }
  // An entry that is used again and again stays while the pool has room for it.
  if (found->second.empty() && (!alive || by_origin_.size() > max_idle_)) {
    by_origin_.erase(found);
  }
  return alive;
}

void ConnectionPool::keep(std::unique_ptr<ClientConnection> connection, std::size_t max_of_origin) {
  if (deadlines_.is_aborted() || max_idle_ == 0 || max_of_origin == 0) {
    return;
  }
  const OriginView origin = connection->origin.view();
  auto found = by_origin_.find(origin);
  if (found == by_origin_.end()) {
    found = by_origin_.try_emplace(connection->origin).first;
  }
  if (found->second.size() >= max_of_origin) {
    return;
  }
  idle_.push_back({std::move(connection), deadlines_.now()});
  found->second.push_back(std::prev(idle_.end()));
  if (idle_.size() > max_idle_) {
    drop_oldest(1);
  }
  if (!watch_.is_linked()) {
    watch_oldest();
  }
}

void ConnectionPool::drop_oldest(std::size_t count) {
  for (; count > 0 && !idle_.empty(); --count) {
    const auto oldest = idle_.begin();
    const auto found = by_origin_.find(oldest->connection->origin.view());
    // Both lists are oldest first, so the oldest of all is the first of its origin.
    DISPATCHER_CHECK(found != by_origin_.end() && found->second.front() == oldest);
    found->second.erase(found->second.begin());
    if (found->second.empty()) {
      by_origin_.erase(found);
    }
    idle_.erase(oldest);
  }
}

void ConnectionPool::clear() {
  by_origin_.clear();
  idle_.clear();
}

void ConnectionPool::drop_expired() {
  const MonoTime now = deadlines_.now();
  while (!idle_.empty() && idle_.front().since + idle_timeout_ <= now) {
    drop_oldest(1);
  }
  watch_oldest();
}

void ConnectionPool::watch_oldest() {
  if (!idle_.empty() && !deadlines_.is_aborted()) {
    deadlines_.set(watch_, idle_.front().since + idle_timeout_);
  }
}

}  // namespace dispatcher
