// The events table that a Triggers API keeps, beside that API: who works on an event, and what came
// of its deliveries, on the event's own item.
#pragma once

#include "base/result.hpp"
#include "base/time.hpp"
#include "model/delivery.hpp"
#include "model/event.hpp"

#include <boost/asio/awaitable.hpp>

#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace dispatcher {

// Where an event lies: both as they are stored.
struct EventKey {
  std::string id;
  std::string created_at;

  friend auto operator<=>(const EventKey&, const EventKey&) = default;
};

// What an event's item says of one endpoint.
struct TableDelivery {
  std::string endpoint_id;
  DeliveryState state = DeliveryState::waiting;  // waiting, delivered, or review
  std::int64_t attempts = 0;
  int retries = 0;  // of the round under way, used up
  int step = 0;
  std::optional<WallTime> due;         // while it waits; empty: now
  std::optional<ReviewReason> reason;  // of review
  std::string error;                   // of the last attempt that failed
};

// An event as the index shows it: a moment old.
struct TableEntry {
  EventKey key;
  std::optional<WallTime> lease_until;
  std::vector<TableDelivery> deliveries;
  std::optional<WallTime> expires_at;  // when the table may take it
};

struct TableQuery {
  EventStatus status = EventStatus::pending;
  bool is_oldest_first = true;
  std::optional<EventKey> after;  // where the page before ended
  std::size_t limit = 100;        // entries that are looked at, at most
};

struct TablePage {
  std::vector<TableEntry> entries;
  std::optional<EventKey> next;         // empty: there is nothing behind this page
  std::vector<std::string> unreadable;  // ids of items that are no event's; left out
};

struct TableLease {
  std::string token;
  WallTime until{};
};

// An event as a claim has found it.
struct TableEvent {
  std::shared_ptr<const Event> event;  // null: it cannot be sent
  std::vector<TableDelivery> deliveries;
  std::string unsendable;  // why it cannot be
};

// What an attempt has come to.
struct TableRecord {
  EventKey key;
  TableDelivery delivery;  // from now on
  std::string lease_token;
  // The lease from now on; empty: it is given back.
  std::optional<WallTime> lease_until;
  // When an attempt that failed began; empty: there was none, or it succeeded.
  std::optional<WallTime> failed_at;
};

// Times are those of the local clock: an implementation converts them to the table's. Errors common
// to all calls: `retry_later`, the table could not be reached or is too busy; `not_found`, there is
// no such table; `refused`, we may not do this; `invalid`, the table takes no such change of this
// item (it is too large); `stopped`. Belongs to one loop; several calls at once.
class EventTable {
 public:
  virtual ~EventTable() = default;

  // From now on every call has ended by `deadline`.
  virtual void end_by(MonoTime deadline) = 0;

  [[nodiscard]] virtual boost::asio::awaitable<Result<TablePage>> query(TableQuery query) = 0;

  // The right to work on an event. `conflict`: it is not pending, is gone, or another lease lives.
  [[nodiscard]] virtual boost::asio::awaitable<Result<TableEvent>> claim(EventKey key,
                                                                         TableLease lease) = 0;

  // Only for the holder of the lease, also after its end while nobody has taken it; saying it again
  // changes nothing. `conflict`: the lease is another's, the event is gone, this delivery has
  // succeeded otherwise, or a lease was to be kept and the event is not pending any more.
  [[nodiscard]] virtual boost::asio::awaitable<Result<void>> record(TableRecord record) = 0;

  // A success, whoever holds the lease. `conflict`: the event is gone.
  [[nodiscard]] virtual boost::asio::awaitable<Result<void>> record_success(
      EventKey key, TableDelivery delivery) = 0;

  // `conflict` as in `record` that keeps the lease.
  [[nodiscard]] virtual boost::asio::awaitable<Result<void>> extend(EventKey key,
                                                                    TableLease lease) = 0;
  // Nothing counted. A lease that is not ours any more is left as it is.
  [[nodiscard]] virtual boost::asio::awaitable<Result<void>> give_back(EventKey key,
                                                                       std::string token) = 0;

  // What of the event is in review for the reason is due again, and an event that has failed is
  // pending again. False: by now there is nothing of that.
  [[nodiscard]] virtual boost::asio::awaitable<Result<bool>> release(TableEntry entry,
                                                                     EventStatus status,
                                                                     ReviewReason reason) = 0;
};

}  // namespace dispatcher
