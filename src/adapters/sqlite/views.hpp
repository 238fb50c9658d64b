// Rows as the port shows them.
#pragma once

#include "adapters/sqlite/claims.hpp"
#include "adapters/sqlite/connection.hpp"
#include "ports/store.hpp"

#include <cstdint>
#include <optional>

namespace dispatcher::sqlite {

// An event as lists find it: everything but the payload and the deliveries.
struct EventHead {
  std::int64_t seq = 0;
  std::int64_t updated_us = 0;
  std::optional<std::int64_t> latency_us;
  std::int64_t lease_until_us = 0;
  EventStatus status = EventStatus::pending;
  EventView view;  // content but the payload; progress and deliveries not yet
};

// The columns that `read_head` reads, of table `events` as `e`.
#define SQLITE_EVENT_HEAD_COLUMNS                                                       \
  "e.seq, e.id, e.type, e.source, e.status, e.created_us, e.updated_us, e.latency_us, " \
  "e.lease_until_us"

// The event in the row that `rows` is at.
[[nodiscard]] EventHead read_head(const Query& rows);

[[nodiscard]] std::string read_payload(Connection& db, std::int64_t seq);

// Reads the deliveries and adds them up to the event's progress. The view has them when
// `with_deliveries`. An event that matches no endpoint has a row that is not shown.
void complete_view(Connection& db, EventHead& head, const InFlight& in_flight,
                   bool with_deliveries);

// By its number, with payload and deliveries. Empty: there is none.
[[nodiscard]] std::optional<EventView> read_view(Connection& db, std::int64_t seq,
                                                 const InFlight& in_flight);

}  // namespace dispatcher::sqlite
