#include "adapters/sqlite/schema.hpp"

#include <fmt/format.h>

#include <array>
#include <string>

namespace dispatcher::sqlite {
namespace {

// Times are microseconds since 1970, UTC. `seq` numbers events in the order of their ingest.
//
// * A status change must not rewrite a payload: payloads have a table of their own.
// * What the engine claims is found in one walk of `deliveries_due`. It holds only what waits, so
//   that it shrinks as work is done, and each endpoint's part is apart.
// * A delivery's key is one integer, `place`: such a table is filled at its end without
// rebalancing,
//   which a key of two columns is not.
// * Ids are version 7, so their index grows at its end; so do all other tables.
// * Nothing is ever counted: `day_counts` and `endpoint_counts` are kept by each commit.
constexpr const char* kVersion1 = R"sql(
CREATE TABLE events(
  seq INTEGER PRIMARY KEY,
  id BLOB NOT NULL UNIQUE,
  status INTEGER NOT NULL,
  type TEXT NOT NULL,
  source TEXT NOT NULL,
  created_us INTEGER NOT NULL,
  updated_us INTEGER NOT NULL,
  latency_us INTEGER,
  lease_token TEXT,
  lease_until_us INTEGER,
  consumer TEXT);
CREATE INDEX events_status ON events(status);

CREATE TABLE payloads(
  seq INTEGER PRIMARY KEY,
  body TEXT NOT NULL);

CREATE TABLE deliveries(
  place INTEGER PRIMARY KEY,
  endpoint INTEGER NOT NULL,
  state INTEGER NOT NULL,
  due_us INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  retries_used INTEGER NOT NULL,
  step INTEGER NOT NULL,
  reason INTEGER,
  last_status INTEGER,
  last_attempt_us INTEGER,
  delivered_us INTEGER,
  last_error TEXT);
CREATE INDEX deliveries_due ON deliveries(state, endpoint, due_us) WHERE state = 0;
CREATE INDEX deliveries_review ON deliveries(state) WHERE state = 3;

CREATE TABLE attempts(
  seq INTEGER NOT NULL,
  endpoint INTEGER NOT NULL,
  number INTEGER NOT NULL,
  started_us INTEGER NOT NULL,
  duration_ms INTEGER NOT NULL,
  outcome INTEGER NOT NULL,
  status INTEGER,
  error TEXT,
  remote_address TEXT NOT NULL,
  response_body BLOB NOT NULL,
  PRIMARY KEY(seq, endpoint, number)) WITHOUT ROWID;

CREATE TABLE endpoints(
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  kind INTEGER NOT NULL,
  state INTEGER NOT NULL,
  url_hash BLOB,
  created_us INTEGER NOT NULL,
  backlog_from INTEGER,
  backlog_to INTEGER);
CREATE TABLE endpoint_filters(
  endpoint INTEGER NOT NULL,
  is_source INTEGER NOT NULL,
  pattern TEXT NOT NULL,
  PRIMARY KEY(endpoint, is_source, pattern)) WITHOUT ROWID;

CREATE TABLE idempotency(
  key TEXT PRIMARY KEY,
  created_us INTEGER NOT NULL,
  body_hash BLOB NOT NULL,
  answer BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX idempotency_created ON idempotency(created_us);

CREATE TABLE day_counts(
  day INTEGER PRIMARY KEY,
  open INTEGER NOT NULL,
  review INTEGER NOT NULL,
  delivered INTEGER NOT NULL,
  failed INTEGER NOT NULL);
CREATE TABLE minute_ingests(
  minute INTEGER PRIMARY KEY,
  events INTEGER NOT NULL);
CREATE TABLE latencies(
  slot INTEGER NOT NULL,
  bucket INTEGER NOT NULL,
  events INTEGER NOT NULL,
  PRIMARY KEY(slot, bucket)) WITHOUT ROWID;

CREATE TABLE webhook_log(
  number INTEGER PRIMARY KEY,
  id BLOB NOT NULL,
  event_id TEXT NOT NULL,
  event_type TEXT NOT NULL,
  payload TEXT NOT NULL,
  source_ip TEXT NOT NULL,
  timestamp_us INTEGER NOT NULL,
  request_id TEXT NOT NULL,
  bytes INTEGER NOT NULL);
)sql";

// Endpoints of the API, with their counts, and what persons did.
//
// * `state` of an endpoint that the secret gives is what a person made it; that its URL is no
// longer
//   in the secret is in `is_gone`, so that one that comes back is as it was.
// * A removed endpoint's row stays: its past deliveries show its id, which no other gets.
// * `deliveries_tried` holds what waits and was tried before, which a delivery that succeeds at
// once
//   never is: it costs the usual way nothing, and knows the oldest that waits.
// * `discards` are the removed endpoints of which something may still wait or be in review.
constexpr const char* kVersion2 = R"sql(
ALTER TABLE endpoints ADD COLUMN is_gone INTEGER NOT NULL DEFAULT 0;
ALTER TABLE endpoints ADD COLUMN reason TEXT;
ALTER TABLE endpoints ADD COLUMN target TEXT NOT NULL DEFAULT '';
ALTER TABLE endpoints ADD COLUMN settings TEXT NOT NULL DEFAULT '';
ALTER TABLE endpoints ADD COLUMN sealed BLOB NOT NULL DEFAULT '';
ALTER TABLE endpoints ADD COLUMN updated_us INTEGER NOT NULL DEFAULT 0;
ALTER TABLE endpoints ADD COLUMN revision INTEGER NOT NULL DEFAULT 1;
UPDATE endpoints SET updated_us = created_us;
UPDATE endpoints SET is_gone = 1, state = 0 WHERE kind = 0 AND state = 2;

CREATE TABLE endpoint_patterns(
  endpoint INTEGER NOT NULL,
  is_source INTEGER NOT NULL,
  position INTEGER NOT NULL,
  pattern TEXT NOT NULL,
  PRIMARY KEY(endpoint, is_source, position)) WITHOUT ROWID;
INSERT INTO endpoint_patterns SELECT endpoint, is_source,
  row_number() OVER (PARTITION BY endpoint, is_source ORDER BY pattern), pattern
  FROM endpoint_filters;
DROP TABLE endpoint_filters;

CREATE TABLE endpoint_counts(
  endpoint INTEGER PRIMARY KEY,
  delivered INTEGER NOT NULL,
  failed INTEGER NOT NULL,
  waiting INTEGER NOT NULL,
  review INTEGER NOT NULL,
  failing_since_us INTEGER);
INSERT INTO endpoint_counts SELECT endpoint, sum(state = 2), 0, sum(state = 0), sum(state = 3), NULL
  FROM deliveries WHERE endpoint <> 0 GROUP BY endpoint;
CREATE TEMP TABLE outcomes AS SELECT endpoint, sum(outcome IN (2, 3, 4)) AS failed,
  coalesce(max(started_us) FILTER (WHERE outcome = 1), -9223372036854775808) AS succeeded_us
  FROM attempts WHERE endpoint <> 0 GROUP BY endpoint;
CREATE TEMP TABLE failures AS SELECT a.endpoint AS endpoint, min(a.started_us) AS since_us
  FROM attempts a JOIN outcomes o ON o.endpoint = a.endpoint
  WHERE a.outcome IN (2, 3, 4) AND a.started_us > o.succeeded_us GROUP BY a.endpoint;
UPDATE endpoint_counts AS c SET failed = o.failed, failing_since_us = f.since_us
  FROM outcomes o LEFT JOIN failures f ON f.endpoint = o.endpoint
  WHERE o.endpoint = c.endpoint AND o.failed > 0;
DROP TABLE outcomes;
DROP TABLE failures;

CREATE TABLE releases(
  number INTEGER PRIMARY KEY,
  place INTEGER NOT NULL,
  action INTEGER NOT NULL,
  at_us INTEGER NOT NULL,
  who TEXT NOT NULL,
  note TEXT NOT NULL);
CREATE INDEX releases_place ON releases(place);
CREATE TABLE discards(
  endpoint INTEGER PRIMARY KEY,
  who TEXT NOT NULL,
  note TEXT NOT NULL);

CREATE INDEX deliveries_tried ON deliveries(endpoint) WHERE state = 0 AND attempts > 0;
CREATE INDEX deliveries_review_of ON deliveries(endpoint) WHERE state = 3;
)sql";

// What of an endpoint is in review among the events numbered [review_from, review_to] is still to
// be made due, because another URL took its place; empty: nothing is.
constexpr const char* kVersion3 = R"sql(
ALTER TABLE endpoints ADD COLUMN review_from INTEGER;
ALTER TABLE endpoints ADD COLUMN review_to INTEGER NOT NULL DEFAULT 0;
)sql";

// Step i brings a file from version i to i + 1.
constexpr std::array<const char*, kSchemaVersion> kSteps{kVersion1, kVersion2, kVersion3};

Error newer(const std::string& path, std::int64_t version) {
  return make_error(ErrorKind::refused,
                    fmt::format("cannot open store {}: a newer version of this program wrote it "
                                "(schema {}, this one knows {}); use that version",
                                path, version, kSchemaVersion));
}

Error foreign(const std::string& path) {
  return make_error(ErrorKind::refused,
                    fmt::format("cannot open store {}: it is another program's database (choose "
                                "another data directory)",
                                path));
}

// The version of our own file; 0 for an empty one.
Result<std::int64_t> version_of(Connection& connection) {
  const std::int64_t application = connection.integer("PRAGMA application_id");
  const std::int64_t version = connection.integer("PRAGMA user_version");
  const std::int64_t tables = connection.integer("SELECT count(*) FROM sqlite_schema");
  if (connection.failure()) {
    return *connection.failure();
  }
  const bool is_empty = application == 0 && version == 0 && tables == 0;
  if (!is_empty && application != kApplicationId) {
    return foreign(connection.path());
  }
  if (version > kSchemaVersion) {
    return newer(connection.path(), version);
  }
  return version;
}

void take_step(Connection& connection, std::int64_t from) {
  connection.execute("BEGIN IMMEDIATE");
  connection.execute(kSteps[static_cast<std::size_t>(from)]);
  connection.execute(fmt::format("PRAGMA application_id={}", kApplicationId).c_str());
  connection.execute(fmt::format("PRAGMA user_version={}", from + 1).c_str());
  connection.execute("COMMIT");
}

}  // namespace

Result<void> prepare_schema(Connection& connection) {
  const auto version = version_of(connection);
  if (!version) {
    return version.error();
  }
  for (std::int64_t from = *version; from < kSchemaVersion; ++from) {
    take_step(connection, from);
  }
  if (connection.failure()) {
    return *connection.failure();
  }
  return {};
}

Result<void> require_schema(Connection& connection, int oldest) {
  const auto version = version_of(connection);
  if (!version) {
    return version.error();
  }
  if (*version < oldest) {
    return make_error(
        ErrorKind::refused,
        fmt::format("cannot use store {}: its schema is {}, this program's is {} (open it once "
                    "with `dispatcher serve`)",
                    connection.path(), *version, kSchemaVersion));
  }
  return {};
}

}  // namespace dispatcher::sqlite
