// What reader threads do: each function is one short read, in a transaction of its own.
#pragma once

#include "adapters/sqlite/claims.hpp"
#include "adapters/sqlite/connection.hpp"
#include "ports/store.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace dispatcher::sqlite {

struct Reading {
  Connection& db;
  // Taken before the transaction began, so that what it leaves out is either in flight or was.
  const InFlight& in_flight;
  std::int64_t now_us = 0;
};

// queries.cpp
[[nodiscard]] Result<EventView> find_event(const Reading& reading, const EventId& id);
[[nodiscard]] Result<std::vector<Attempt>> find_attempts(const Reading& reading, const EventId& id);
[[nodiscard]] Result<std::vector<EventView>> find_pending(const Reading& reading, std::size_t limit,
                                                          std::size_t max_bytes);
[[nodiscard]] Result<std::vector<WebhookLogEntry>> find_webhook_log(const Reading& reading,
                                                                    const WebhookLogQuery& query);

// list.cpp
[[nodiscard]] Result<EventPage> list_events(const Reading& reading, const EventQuery& query,
                                            std::optional<std::int64_t> after, std::size_t limit,
                                            std::size_t max_bytes);

struct PartialCount {
  std::int64_t matched = 0;
  std::optional<std::int64_t> next;  // where the next read goes on; empty: all are counted
};
[[nodiscard]] Result<PartialCount> count_events(const Reading& reading, const EventQuery& query,
                                                std::optional<std::int64_t> after);

// figures.cpp; what is not in the file is left for the store to fill in.
[[nodiscard]] Result<StoreFigures> read_figures(const Reading& reading);
[[nodiscard]] Result<LatencyFigures> read_latency(const Reading& reading);

}  // namespace dispatcher::sqlite
