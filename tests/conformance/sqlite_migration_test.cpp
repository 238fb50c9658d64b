// A file that an earlier version wrote is brought up to date when it is opened, and nothing of it
// is lost.
#include "conformance/sqlite_world.hpp"

#include "adapters/sqlite/connection.hpp"
#include "adapters/sqlite/data_directory.hpp"
#include "adapters/sqlite/schema.hpp"
#include "adapters/sqlite/store_files.hpp"

#include <fmt/format.h>

namespace dispatcher::conformance {
namespace {

// As version 1 made it.
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

constexpr const char* kUrl = "https://a.example/a";
constexpr const char* kGoneUrl = "https://b.example/b";
// The events' times: 2026-01-01 and seconds after it.
constexpr std::int64_t kStartUs = 1'767'225'600'000'000;

std::int64_t second(int number) {
  return kStartUs + number * std::int64_t{1'000'000};
}

EventId event_id(int number) {
  return make_uuid_v7(wall_from_micros(second(number)), static_cast<std::uint64_t>(number), 7);
}

class SqliteMigration : public ::testing::Test {
 protected:
  // Events 1 to 4: delivered, waiting after a failure, in review, and matched by nothing.
  void SetUp() override {
    world_.close();
    const auto file = sqlite::database_path(world_.directory());
    std::filesystem::remove(file);
    ASSERT_TRUE(sqlite::prepare_file(file).has_value());
    db_ = sqlite::Connection::open(file.string(), sqlite::Access::read_write, 100).value();
    db_->execute(kVersion1);
    db_->execute(fmt::format("PRAGMA application_id={}", sqlite::kApplicationId).c_str());
    db_->execute("PRAGMA user_version=1");
    insert_endpoint(1, kUrl, 0);
    insert_endpoint(2, kGoneUrl, 2);
    db_->execute("INSERT INTO endpoint_filters VALUES(1, 0, 'order.*'), (1, 1, '*')");
    insert_event(1, 1, "delivered");
    insert_event(2, 0, "waiting");
    insert_event(3, 0, "review");
    insert_event(4, 0, "unrouted");
    insert_delivery(1, 1, 2, second(1), 2);
    insert_delivery(2, 1, 0, second(9), 1);
    insert_delivery(3, 1, 3, second(3), 1);
    insert_delivery(3, 2, 0, second(3), 0);
    insert_delivery(4, 0, 0, second(4), 0);
    insert_attempt(1, 1, second(1), 2);
    insert_attempt(1, 2, second(2), 1);
    insert_attempt(2, 1, second(3), 2);
    insert_attempt(3, 1, second(4), 3);
    db_->execute(
        fmt::format("INSERT INTO day_counts VALUES({}, 3, 0, 1, 0)", kStartUs / 86'400'000'000)
            .c_str());
    ASSERT_FALSE(db_->failure()) << db_->failure()->message;
    db_.reset();
    ASSERT_TRUE(backup_store(world_.directory(), backup_of_old()).has_value());
    world_.reopen();
  }
  [[nodiscard]] Store& store() { return world_.store(); }
  [[nodiscard]] EventView view(int number) { return run(store().event(event_id(number))).value(); }

  // Made before the file was brought up to date.
  [[nodiscard]] std::filesystem::path backup_of_old() const { return temp_.path() / "backup.db"; }

  TempDirectory temp_;
  SqliteWorld world_;

 private:
  void insert_endpoint(int number, const char* url, int state) {
    const auto hash = sha256(url);
    const auto id = secret_endpoint_id(url);
    db_->query(
           "INSERT INTO endpoints(number, id, kind, state, url_hash, created_us) "
           "VALUES(?, ?, 0, ?, ?, ?)")
        .bind(number, id, state, std::span{hash}, second(0))
        .run();
  }
  void insert_event(int number, int status, const char* payload) {
    const auto body = fmt::format(R"({{"is":"{}"}})", payload);
    db_->query(
           "INSERT INTO events(seq, id, status, type, source, created_us, updated_us) "
           "VALUES(?1, ?2, ?3, 'order.created', 'shop', ?4, ?4)")
        .bind(number, event_id(number), status, second(number))
        .run();
    db_->query("INSERT INTO payloads(seq, body) VALUES(?, ?)").bind(number, body).run();
  }
  void insert_delivery(int event, std::uint32_t endpoint, int state, std::int64_t due,
                       int attempts) {
    db_->query(
           "INSERT INTO deliveries(place, endpoint, state, due_us, attempts, retries_used, "
           "step, reason, delivered_us) VALUES(?1, ?2, ?3, ?4, ?5, 0, 0, "
           "CASE ?3 WHEN 3 THEN 1 END, CASE ?3 WHEN 2 THEN ?4 END)")
        .bind(sqlite::place_of(event, endpoint), endpoint, state, due, attempts)
        .run();
  }
  void insert_attempt(int event, int number, std::int64_t started, int outcome) {
    db_->query("INSERT INTO attempts VALUES(?, 1, ?, ?, 5, ?, NULL, NULL, '127.0.0.1', 'said')")
        .bind(event, number, started, outcome)
        .run();
  }

  std::unique_ptr<sqlite::Connection> db_;
};

TEST_F(SqliteMigration, events_deliveries_and_attempts_are_all_there) {
  EXPECT_EQ(view(1).progress.status, EventStatus::delivered);
  EXPECT_EQ(view(1).event.payload, R"({"is":"delivered"})");
  EXPECT_EQ(view(2).deliveries.at(0).state, DeliveryState::waiting);
  EXPECT_EQ(view(2).deliveries.at(0).next_attempt_at, wall_from_micros(second(9)));
  EXPECT_EQ(view(3).deliveries.at(0).review_reason, ReviewReason::rejected);
  EXPECT_EQ(view(3).deliveries.at(1).endpoint_id, secret_endpoint_id(kGoneUrl));
  EXPECT_TRUE(view(4).deliveries.empty());
  const auto attempts = run(store().attempts(event_id(1))).value();
  ASSERT_EQ(attempts.size(), 2U);
  EXPECT_EQ(attempts[1].outcome, Outcome::delivered);
  EXPECT_EQ(attempts[1].endpoint_id, secret_endpoint_id(kUrl));
  EXPECT_EQ(attempts[1].response_body, "said");
  EXPECT_TRUE(run(store().releases(event_id(1))).value().empty());
}

TEST_F(SqliteMigration, its_endpoints_are_those_of_the_secret_with_their_counts) {
  const auto records = run(store().endpoints()).value();
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[0].id, secret_endpoint_id(kUrl));
  EXPECT_EQ(records[0].origin, EndpointOrigin::secret);
  EXPECT_EQ(records[0].state, EndpointState::active);
  EXPECT_EQ(records[0].filter.types, std::vector<std::string>{"order.*"});
  EXPECT_EQ(records[0].filter.sources, std::vector<std::string>{"*"});
  EXPECT_EQ(records[0].created_at, wall_from_micros(second(0)));
  EXPECT_EQ(records[1].state, EndpointState::disabled);
  EXPECT_TRUE(records[1].state_reason);
  const auto counts = run(store().endpoint_counts({1, 2})).value();
  EXPECT_EQ(counts[0].delivered, 1);
  EXPECT_EQ(counts[0].failed, 3);
  EXPECT_EQ(counts[0].waiting, 1);
  EXPECT_EQ(counts[0].review, 1);
  EXPECT_EQ(counts[0].failing_since, wall_from_micros(second(3)));
  EXPECT_EQ(counts[0].oldest_waiting, wall_from_micros(second(2)));
  EXPECT_EQ(counts[1].waiting, 1);
  EXPECT_FALSE(counts[1].failing_since);
  // What was disabled because its URL had left is active again when it comes back.
  std::vector<Endpoint> endpoints(2);
  endpoints[0].url = parse_webhook_url(kUrl).value();
  endpoints[1].url = parse_webhook_url(kGoneUrl).value();
  const auto configured =
      run(store().configure_endpoints(endpoints, {sha256(kUrl), sha256(kGoneUrl)})).value();
  EXPECT_EQ(configured[0].number, 1U);
  EXPECT_EQ(configured[1].number, 2U);
  EXPECT_EQ(configured[1].state, EndpointState::active);
}

TEST_F(SqliteMigration, a_backup_from_before_can_be_restored) {
  world_.close();
  const auto restored = restore_store(backup_of_old(), world_.directory(), RestoreMode::replace);
  ASSERT_TRUE(restored.has_value()) << restored.error().message;
  EXPECT_EQ(restored->events, 4);
  world_.reopen();
  EXPECT_EQ(view(2).deliveries.at(0).state, DeliveryState::waiting);
}

TEST_F(SqliteMigration, it_is_sound_and_goes_on_as_a_new_one_would) {
  ASSERT_EQ(run(store().release(event_id(3), std::nullopt, ReleaseAction::replay, {})).value(), 1);
  const auto answer = run(store().claim({{1, 10}}, 1'000)).value();
  ASSERT_EQ(answer.deliveries.size(), 1U);
  EXPECT_EQ(answer.deliveries[0].event->id, event_id(3));
  EXPECT_EQ(answer.deliveries[0].progress.attempts, 1);
  EXPECT_EQ(answer.lanes.at(0).next_due, wall_from_micros(second(9)));
  world_.close();
  const auto check = check_store(world_.directory());
  ASSERT_TRUE(check.has_value());
  EXPECT_TRUE(check->findings.empty()) << check->findings.front();
  // The tables and indexes are those of a new file, in whatever order.
  const auto schema_of = [](const std::filesystem::path& directory) {
    auto db = sqlite::Connection::open(sqlite::database_path(directory).string(),
                                       sqlite::Access::read_write, 100)
                  .value();
    std::vector<std::string> lines;
    sqlite::Query rows = db->query(
        "SELECT type || ' ' || name || ' ' || coalesce(sql, '') FROM "
        "sqlite_schema ORDER BY type, name");
    while (rows.step()) {
      lines.push_back(rows.text(0));
    }
    return lines;
  };
  SqliteWorld fresh;
  fresh.close();
  EXPECT_EQ(schema_of(world_.directory()), schema_of(fresh.directory()));
}

}  // namespace
}  // namespace dispatcher::conformance
