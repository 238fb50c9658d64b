// How long a run may work on what it has taken from a table.
#include "adapters/http_inbox/concurrently.hpp"
#include "adapters/http_inbox/table_inbox.hpp"

#include <algorithm>
#include <utility>

namespace dispatcher {

boost::asio::awaitable<void> TableInbox::renew_expiring() {
  const auto margin = options_.attempt_timeout + kSettleReserve;
  std::vector<EventId> ids;
  for (TakenEvent* taken : taken_.expiring(clock_.wall(), clock_.monotonic(), margin)) {
    taken->is_renewing = true;
    ids.push_back(taken->event->id);
  }
  const auto one = [&](std::size_t i) -> boost::asio::awaitable<void> {
    co_await turns_.take(ids[i]);
    co_await renew(ids[i]);
    turns_.end(ids[i]);
  };
  co_await for_each_concurrently(ids.size(), kMaxCalls, one);
}

boost::asio::awaitable<void> TableInbox::renew(EventId id) {
  const TakenEvent* held = taken_.find(id);
  if (held == nullptr) {
    co_return;  // settled meanwhile
  }
  const MonoTime began = clock_.monotonic();
  const WallTime until = lease_end(*held);
  const auto lasts = until - clock_.wall();
  TableLease lease{options_.lease_token, until};
  const auto extended = co_await table_->extend(keys_.at(id), std::move(lease));
  TakenEvent* taken = taken_.find(id);
  if (taken == nullptr) {
    co_return;  // settled while it was asked for
  }
  taken->is_renewing = false;
  if (extended) {
    taken->lease.until = began + lasts;
    co_return;
  }
  log_.info("an event's lease could not be extended",
            {{"event_id", to_string(id)}, {"error", extended.error().message}});
  if (extended.error().kind == ErrorKind::conflict) {
    taken_.lose(id);
    if (taken_.find(id) == nullptr) {
      forget(id);
    }
  }
}

std::chrono::microseconds TableInbox::lease_time() const {
  return options_.attempt_timeout + kLeaseReserve;
}

// It covers the attempts under way, and the next of each delivery that waits here.
WallTime TableInbox::lease_end(const TakenEvent& taken) const {
  WallTime last = clock_.wall();
  for (const TakenDelivery& delivery : taken.deliveries) {
    if (delivery.state == TakenDelivery::State::queued ||
        delivery.state == TakenDelivery::State::claimed) {
      last = std::max(last, delivery.due);
    }
  }
  return last + lease_time();
}

}  // namespace dispatcher
