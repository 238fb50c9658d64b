#include "adapters/sqlite/tallies.hpp"

#include <algorithm>
#include <cmath>

namespace dispatcher::sqlite {
namespace {

constexpr double kBucketGrowth = 1.04;

constexpr const char* kAddDay =
    "INSERT INTO day_counts(day, open, review, delivered, failed) VALUES(?, ?, ?, ?, ?) "
    "ON CONFLICT(day) DO UPDATE SET open = open + excluded.open, review = review + "
    "excluded.review, delivered = delivered + excluded.delivered, failed = failed + "
    "excluded.failed";
constexpr const char* kAddIngests =
    "INSERT INTO minute_ingests(minute, events) VALUES(?, ?) "
    "ON CONFLICT(minute) DO UPDATE SET events = events + excluded.events";
constexpr const char* kAddLatency =
    "INSERT INTO latencies(slot, bucket, events) VALUES(?, ?, ?) "
    "ON CONFLICT(slot, bucket) DO UPDATE SET events = events + excluded.events";
constexpr const char* kAddEndpoint =
    "INSERT INTO endpoint_counts(endpoint, delivered, failed, waiting, review, failing_since_us) "
    "VALUES(?1, ?2, ?3, ?4, ?5, ?7) ON CONFLICT(endpoint) DO UPDATE SET "
    "delivered = delivered + ?2, failed = failed + ?3, waiting = waiting + ?4, "
    "review = review + ?5, failing_since_us = CASE WHEN ?6 THEN ?7 ELSE "
    "coalesce(failing_since_us, ?7) END";

}  // namespace

int latency_bucket(std::int64_t latency_us) {
  const auto value = static_cast<double>(std::max<std::int64_t>(latency_us, 1));
  return static_cast<int>(std::floor(std::log(value) / std::log(kBucketGrowth)));
}

double latency_seconds(int bucket) {
  return std::pow(kBucketGrowth, bucket + 0.5) / 1e6;
}

void Tallies::move(std::int64_t created_us, std::optional<EventClass> from,
                   std::optional<EventClass> to) {
  if (from == to) {
    return;
  }
  auto& day = days_[floor_div(created_us, kDayUs)];
  if (from) {
    --day[static_cast<std::size_t>(*from)];
  }
  if (to) {
    ++day[static_cast<std::size_t>(*to)];
  }
}

void Tallies::move(EndpointNumber endpoint, std::optional<RowState> from,
                   std::optional<RowState> to) {
  if (endpoint == kNoEndpoint || from == to) {
    return;
  }
  EndpointChange& change = endpoints_[endpoint];
  const auto count = [&](RowState state) {
    return (to == state ? 1 : 0) - (from == state ? 1 : 0);
  };
  change.waiting += count(RowState::waiting);
  change.review += count(RowState::review);
  change.delivered += to == RowState::delivered ? 1 : 0;
}

void Tallies::note_attempt(EndpointNumber endpoint, Outcome outcome, std::int64_t started_us) {
  if (endpoint == kNoEndpoint || outcome == Outcome::abandoned) {
    return;
  }
  EndpointChange& change = endpoints_[endpoint];
  if (outcome == Outcome::delivered) {
    change.has_succeeded = true;
    change.failing_since_us.reset();
    return;
  }
  ++change.failed;
  if (!change.failing_since_us) {
    change.failing_since_us = started_us;
  }
}

void Tallies::write(Connection& db) const {
  for (const auto& [day, counts] : days_) {
    db.query(kAddDay).bind(day, counts[0], counts[1], counts[2], counts[3]).run();
  }
  for (const auto& [minute, events] : ingests_) {
    db.query(kAddIngests).bind(minute, events).run();
  }
  for (const auto& [slot, events] : latencies_) {
    db.query(kAddLatency).bind(slot.first, slot.second, events).run();
  }
  for (const auto& [endpoint, change] : endpoints_) {
    db.query(kAddEndpoint)
        .bind(endpoint, change.delivered, change.failed, change.waiting, change.review,
              change.has_succeeded ? 1 : 0, change.failing_since_us)
        .run();
  }
}

void Tallies::clear() {
  days_.clear();
  ingests_.clear();
  latencies_.clear();
  endpoints_.clear();
}

}  // namespace dispatcher::sqlite
