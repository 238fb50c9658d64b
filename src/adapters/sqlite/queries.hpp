// What reader threads do: each function is one short read, in a transaction of its own.
#pragma once

#include "adapters/sqlite/claims.hpp"
#include "adapters/sqlite/connection.hpp"
#include "adapters/sqlite/release_position.hpp"
#include "ports/store.hpp"

#include <cstdint>
#include <optional>
#include <span>
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
[[nodiscard]] std::optional<std::int64_t> find_seq(Connection& db, const EventId& id);
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

// The numbers of events that match, oldest first, at most `limit` of them.
struct Matching {
  std::vector<std::int64_t> seqs;
  std::optional<ReleasePosition> next;  // empty: there are no more
};
[[nodiscard]] Result<Matching> find_matching(const Reading& reading, const EventQuery& query,
                                             const ReleasePosition& from, std::size_t limit);

// endpoint_rows.cpp
[[nodiscard]] Result<std::vector<EndpointRecord>> find_endpoints(const Reading& reading);
[[nodiscard]] Result<std::vector<EndpointCounts>> find_counts(
    const Reading& reading, std::span<const EndpointNumber> numbers);

// When the oldest event that waits for the endpoint was ingested; what a consumer has leased and
// nobody has tried may be passed over.
[[nodiscard]] std::optional<WallTime> oldest_waiting(Connection& db, EndpointNumber number);

// releases.cpp
// What a step of a release would do.
[[nodiscard]] Result<ReleaseStep> try_release(const Reading& reading, const EventQuery& query,
                                              const ReleasePosition& from, std::size_t max_events,
                                              ReleaseAction action);
[[nodiscard]] Result<std::vector<Release>> find_releases(const Reading& reading, const EventId& id);

// figures.cpp; what is not in the file is left for the store to fill in.
[[nodiscard]] Result<StoreFigures> read_figures(const Reading& reading);
[[nodiscard]] Result<LatencyFigures> read_latency(const Reading& reading);

}  // namespace dispatcher::sqlite
