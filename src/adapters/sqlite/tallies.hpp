// The figures that commits keep, so that nothing is counted when somebody asks: events by day of
// creation, ingests by minute, latencies by time slot, deliveries and failed attempts by endpoint.
// Changes gather in memory and are written once for each commit.
#pragma once

#include "adapters/sqlite/connection.hpp"
#include "adapters/sqlite/schema.hpp"
#include "model/delivery.hpp"
#include "model/endpoint.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>
#include <utility>

namespace dispatcher::sqlite {

// What an event counts as. `open`: a delivery of it waits. `review`: none does, and one is in
// review.
enum class EventClass : std::uint8_t { open = 0, review = 1, delivered = 2, failed = 3 };

inline constexpr std::int64_t kDayUs = 86'400'000'000;
inline constexpr std::int64_t kMinuteUs = 60'000'000;
inline constexpr std::int64_t kLatencySlotUs = 300'000'000;

[[nodiscard]] constexpr std::int64_t floor_div(std::int64_t value, std::int64_t by) {
  return value / by - (value % by < 0 ? 1 : 0);
}

// Latencies are kept in buckets whose bounds grow by 4 %, so that a bucket's middle is within 2 %
// of all in it.
[[nodiscard]] int latency_bucket(std::int64_t latency_us);
[[nodiscard]] double latency_seconds(int bucket);

// Only the writer thread's.
class Tallies {
 public:
  // An event appeared (no `from`), changed its class, or is gone (no `to`).
  void move(std::int64_t created_us, std::optional<EventClass> from, std::optional<EventClass> to);
  void note_ingest(std::int64_t created_us) { ++ingests_[floor_div(created_us, kMinuteUs)]; }
  void note_delivered(std::int64_t at_us, std::int64_t latency_us) {
    ++latencies_[{floor_div(at_us, kLatencySlotUs), latency_bucket(latency_us)}];
  }
  // A delivery appeared (no `from`), changed its state, or is gone (no `to`). Of no endpoint: not
  // counted.
  void move(EndpointNumber endpoint, std::optional<RowState> from, std::optional<RowState> to);
  void note_attempt(EndpointNumber endpoint, Outcome outcome, std::int64_t started_us);

  void write(Connection& db) const;
  void clear();

 private:
  struct EndpointChange {
    std::int64_t delivered = 0;
    std::int64_t failed = 0;
    std::int64_t waiting = 0;
    std::int64_t review = 0;
    bool has_succeeded = false;
    std::optional<std::int64_t> failing_since_us;  // after the last success, if there was one
  };

  std::map<std::int64_t, std::array<std::int64_t, 4>> days_;
  std::map<std::int64_t, std::int64_t> ingests_;
  std::map<std::pair<std::int64_t, int>, std::int64_t> latencies_;
  std::unordered_map<EndpointNumber, EndpointChange> endpoints_;
};

}  // namespace dispatcher::sqlite
