#include "adapters/sqlite/queries.hpp"
#include "adapters/sqlite/tallies.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace dispatcher::sqlite {
namespace {

constexpr const char* kReadDays =
    "SELECT coalesce(sum(open), 0), coalesce(sum(review), 0), coalesce(sum(delivered), 0), "
    "coalesce(sum(failed), 0) FROM day_counts";
constexpr const char* kReadIngests =
    "SELECT coalesce(sum(events), 0) FROM minute_ingests WHERE minute > ?";
// Pending events among which the oldest that is not in review is looked for first.
constexpr int kOldestAmong = 1'000;

// 1048575: the bits of a place that are its endpoint's.
constexpr const char* kReadOldest =
    "SELECT e.created_us FROM (SELECT seq, created_us FROM events INDEXED BY events_status WHERE "
    "status = 0 ORDER BY seq LIMIT ?) e WHERE EXISTS (SELECT 1 FROM deliveries d NOT INDEXED WHERE "
    "d.place BETWEEN e.seq << 20 AND (e.seq << 20) | 1048575 AND d.state = 0) "
    "ORDER BY e.seq LIMIT 1";
constexpr const char* kNextWaiting =
    "SELECT endpoint FROM deliveries INDEXED BY deliveries_due WHERE state = 0 AND endpoint > ? "
    "ORDER BY endpoint LIMIT 1";
constexpr const char* kReadLatencies =
    "SELECT bucket, sum(events) FROM latencies WHERE slot > ? GROUP BY bucket ORDER BY bucket";

struct Bucket {
  int number = 0;
  std::int64_t events = 0;
};

// The smallest value that at least `share` of all are not above (nearest rank).
double percentile(const std::vector<Bucket>& buckets, std::int64_t total, double share) {
  const auto rank = static_cast<std::int64_t>(std::ceil(share * static_cast<double>(total)));
  std::int64_t below = 0;
  for (const Bucket& bucket : buckets) {
    below += bucket.events;
    if (below >= rank) {
      return latency_seconds(bucket.number);
    }
  }
  return 0;
}

// The oldest of what waits for any endpoint: as many searches of the indexes as there are endpoints
// with something that waits, however much it is.
std::optional<WallTime> oldest_of_all_endpoints(Connection& db) {
  std::optional<WallTime> oldest;
  std::int64_t endpoint = -1;
  while (true) {
    Query next = db.query(kNextWaiting);
    next.bind(endpoint);
    if (!next.step()) {
      return oldest;
    }
    endpoint = next.integer(0);
    if (const auto of_one = oldest_waiting(db, static_cast<EndpointNumber>(endpoint))) {
      oldest = std::min(oldest.value_or(*of_one), *of_one);
    }
  }
}

// Of the events that are pending and not in review.
std::optional<WallTime> oldest_open(Connection& db) {
  {
    Query oldest = db.query(kReadOldest);
    oldest.bind(kOldestAmong);
    if (oldest.step()) {
      return wall_from_micros(oldest.integer(0));
    }
  }
  return oldest_of_all_endpoints(db);
}

}  // namespace

Result<StoreFigures> read_figures(const Reading& reading) {
  StoreFigures figures;
  {
    Query days = reading.db.query(kReadDays);
    if (days.step()) {
      figures.events.pending = days.integer(0);
      figures.events.delivered = days.integer(2);
      figures.in_review = days.integer(1);
      figures.events.failed = days.integer(1) + days.integer(3);
      figures.events.total =
          figures.events.pending + figures.events.delivered + figures.events.failed;
    }
  }
  {
    Query ingests = reading.db.query(kReadIngests);
    ingests.bind(floor_div(reading.now_us - kDayUs, kMinuteUs));
    figures.ingested_last_24h = ingests.step() ? ingests.integer(0) : 0;
  }
  if (figures.events.pending > 0) {
    figures.oldest_pending = oldest_open(reading.db);
  }
  return figures;
}

Result<LatencyFigures> read_latency(const Reading& reading) {
  std::vector<Bucket> buckets;
  LatencyFigures figures;
  Query rows = reading.db.query(kReadLatencies);
  rows.bind(floor_div(reading.now_us - kDayUs, kLatencySlotUs));
  while (rows.step()) {
    buckets.push_back({static_cast<int>(rows.integer(0)), rows.integer(1)});
    figures.sample_size += rows.integer(1);
  }
  figures.p50 = percentile(buckets, figures.sample_size, 0.50);
  figures.p95 = percentile(buckets, figures.sample_size, 0.95);
  figures.p99 = percentile(buckets, figures.sample_size, 0.99);
  return figures;
}

}  // namespace dispatcher::sqlite
