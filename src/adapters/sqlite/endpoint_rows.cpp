// Endpoints as readers see them: their records, and what is counted of their deliveries.
#include "adapters/sqlite/operations.hpp"
#include "adapters/sqlite/queries.hpp"

#include <algorithm>

namespace dispatcher::sqlite {
namespace {

// Rows of the due index in which the oldest event is looked for: those never tried are in it about
// in the order of their ingest, but for what consumers have leased.
constexpr int kOldestAmong = 32;

#define RECORD_COLUMNS                                                                      \
  "SELECT number, id, kind, state, is_gone, reason, target, settings, sealed, created_us, " \
  "updated_us, revision FROM endpoints WHERE "
constexpr const char* kFindRecords = RECORD_COLUMNS "kind IN (0, 2) ORDER BY number";
constexpr const char* kFindRecord = RECORD_COLUMNS "number = ?";
#undef RECORD_COLUMNS
#define PATTERNS "SELECT endpoint, is_source, pattern FROM endpoint_patterns "
#define IN_ORDER "ORDER BY endpoint, is_source, position"
constexpr const char* kFindPatterns = PATTERNS IN_ORDER;
constexpr const char* kFindPatternsOf = PATTERNS "WHERE endpoint = ? " IN_ORDER;
#undef IN_ORDER
#undef PATTERNS
constexpr const char* kFindCounts =
    "SELECT delivered, failed, waiting, review, failing_since_us FROM endpoint_counts WHERE "
    "endpoint = ?";
constexpr const char* kFindTried =
    "SELECT place FROM deliveries INDEXED BY deliveries_tried WHERE state = 0 AND attempts > 0 AND "
    "endpoint = ? ORDER BY place LIMIT 1";
constexpr const char* kFindDue =
    "SELECT min(place) FROM (SELECT place FROM deliveries INDEXED BY deliveries_due WHERE state = "
    "0 "
    "AND endpoint = ? ORDER BY due_us LIMIT ?)";
constexpr const char* kFindCreated = "SELECT created_us FROM events WHERE seq = ?";

EndpointRecord read_record(const Query& row) {
  KnownEndpoint known;
  known.kind = static_cast<EndpointKind>(row.integer(2));
  known.state = static_cast<EndpointState>(row.integer(3));
  known.is_gone = row.integer(4) != 0;
  known.reason = row.optional_text(5);
  EndpointRecord record;
  record.number = static_cast<EndpointNumber>(row.integer(0));
  record.id = row.text(1);
  record.origin = known.kind == EndpointKind::secret ? EndpointOrigin::secret : EndpointOrigin::api;
  record.state = known.shown_state();
  record.state_reason = shown_reason(known);
  record.filter = EventFilter{{}, {}};
  record.target = row.text(6);
  record.settings = row.text(7);
  record.sealed = row.text(8);
  record.created_at = wall_from_micros(row.integer(9));
  record.updated_at = wall_from_micros(row.integer(10));
  record.revision = row.integer(11);
  return record;
}

void read_pattern(const Query& row, EndpointRecord& record) {
  auto& patterns = row.integer(1) != 0 ? record.filter.sources : record.filter.types;
  patterns.push_back(row.text(2));
}

EndpointCounts counts_of(Connection& db, EndpointNumber number) {
  EndpointCounts counts;
  counts.number = number;
  Query row = db.query(kFindCounts);
  row.bind(number);
  if (!row.step()) {
    return counts;
  }
  counts.delivered = row.integer(0);
  counts.failed = row.integer(1);
  counts.waiting = row.integer(2);
  counts.review = row.integer(3);
  if (const auto since_us = row.optional_integer(4)) {
    counts.failing_since = wall_from_micros(*since_us);
  }
  if (counts.waiting > 0) {
    counts.oldest_waiting = oldest_waiting(db, number);
  }
  return counts;
}

}  // namespace

std::optional<WallTime> oldest_waiting(Connection& db, EndpointNumber number) {
  Query tried = db.query(kFindTried);
  tried.bind(number);
  std::optional<std::int64_t> place;
  if (tried.step()) {
    place = tried.integer(0);
  }
  Query due = db.query(kFindDue);
  due.bind(number, kOldestAmong);
  if (due.step() && !due.is_null(0)) {
    place = std::min(place.value_or(due.integer(0)), due.integer(0));
  }
  if (!place) {
    return std::nullopt;
  }
  Query event = db.query(kFindCreated);
  event.bind(seq_at(*place));
  return event.step() ? std::optional{wall_from_micros(event.integer(0))} : std::nullopt;
}

Result<std::vector<EndpointRecord>> find_endpoints(const Reading& reading) {
  std::vector<EndpointRecord> records;
  {
    Query rows = reading.db.query(kFindRecords);
    while (rows.step()) {
      records.push_back(read_record(rows));
    }
  }
  Query patterns = reading.db.query(kFindPatterns);
  auto record = records.begin();
  while (patterns.step()) {  // both are in the order of the numbers
    const auto number = static_cast<EndpointNumber>(patterns.integer(0));
    record = std::find_if(record, records.end(),
                          [number](const EndpointRecord& one) { return one.number >= number; });
    if (record != records.end() && record->number == number) {
      read_pattern(patterns, *record);
    }
  }
  return records;
}

EndpointRecord find_endpoint(Connection& db, EndpointNumber number) {
  EndpointRecord record;
  {
    Query found = db.query(kFindRecord);
    found.bind(number);
    if (found.step()) {
      record = read_record(found);
    }
  }
  Query patterns = db.query(kFindPatternsOf);
  patterns.bind(number);
  while (patterns.step()) {
    read_pattern(patterns, record);
  }
  return record;
}

Result<std::vector<EndpointCounts>> find_counts(const Reading& reading,
                                                std::span<const EndpointNumber> numbers) {
  std::vector<EndpointCounts> counts;
  counts.reserve(numbers.size());
  for (const EndpointNumber number : numbers) {
    counts.push_back(counts_of(reading.db, number));
  }
  return counts;
}

}  // namespace dispatcher::sqlite
