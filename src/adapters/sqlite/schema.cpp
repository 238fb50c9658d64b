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
// * Nothing is ever counted: `day_counts` is kept by each commit.
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

// Step i brings a file from version i to i + 1.
constexpr std::array<const char*, kSchemaVersion> kSteps{kVersion1};

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

Result<void> require_schema(Connection& connection) {
  const auto version = version_of(connection);
  if (!version) {
    return version.error();
  }
  if (*version < kSchemaVersion) {
    return make_error(
        ErrorKind::refused,
        fmt::format("cannot use store {}: its schema is {}, this program's is {} (open it once "
                    "with `dispatcher serve`)",
                    connection.path(), *version, kSchemaVersion));
  }
  return {};
}

}  // namespace dispatcher::sqlite
