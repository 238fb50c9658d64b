#include "adapters/sqlite/queries.hpp"
#include "adapters/sqlite/tallies.hpp"

#include <cmath>
#include <vector>

namespace dispatcher::sqlite {
namespace {

constexpr const char* kReadDays =
    "SELECT coalesce(sum(open), 0), coalesce(sum(review), 0), coalesce(sum(delivered), 0), "
    "coalesce(sum(failed), 0) FROM day_counts";
constexpr const char* kReadIngests =
    "SELECT coalesce(sum(events), 0) FROM minute_ingests WHERE minute > ?";
constexpr const char* kReadOldest =
    "SELECT created_us FROM events INDEXED BY events_status WHERE status = 0 ORDER BY seq LIMIT 1";
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

}  // namespace

Result<StoreFigures> read_figures(const Reading& reading) {
  StoreFigures figures;
  {
    Query days = reading.db.query(kReadDays);
    if (days.step()) {
      figures.events.pending = days.integer(0);
      figures.events.delivered = days.integer(2);
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
  Query oldest = reading.db.query(kReadOldest);
  if (oldest.step()) {
    figures.oldest_pending = wall_from_micros(oldest.integer(0));
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
