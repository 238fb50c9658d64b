// What the SQLite store refuses, with a message that says why and what to do; and how it fails: all
// of a commit or nothing, and only the one at fault.
#include "conformance/sqlite_world.hpp"

#include "adapters/sqlite/connection.hpp"
#include "adapters/sqlite/schema.hpp"
#include "adapters/sqlite/store_files.hpp"

#include <boost/asio/post.hpp>

#include <fstream>
#include <set>

#include <sys/stat.h>
#include <unistd.h>

namespace dispatcher::conformance {
namespace {

using ::testing::Test;

class SqliteRefusals : public Test {
 protected:
  // Opens a store in `directory` and gives back why it cannot be.
  Error refusal(const std::filesystem::path& directory) {
    SqliteStoreOptions options;
    options.directory = directory;
    const auto opened = SqliteStore::open(options, clock_, random_, log_);
    EXPECT_TRUE(opened.has_error());
    return opened.has_error() ? opened.error() : Error{};
  }
  // Changes a store's file behind its back.
  static void execute(const std::filesystem::path& directory, const char* sql) {
    auto db = sqlite::Connection::open(sqlite::database_path(directory).string(),
                                       sqlite::Access::read_write, 100);
    (*db)->execute(sql);
    ASSERT_FALSE((*db)->failure());
  }

  TempDirectory temp_;
  fakes::ManualClock clock_;
  fakes::SimRandom random_{1};
  LogLines lines_;
  Log log_{LogLevel::debug, LogFormat::text, lines_.sink()};
};

Event event_at(WallTime now, std::uint64_t number, std::size_t payload_bytes = 10) {
  Event event;
  event.id = make_uuid_v7(now, number, number << 8U);
  event.type = "t";
  event.source = "s";
  event.payload = "{\"x\":\"" + std::string(payload_bytes, 'x') + "\"}";
  event.created_at = now;
  return event;
}

AppendRequest request_of(std::vector<Event> events) {
  AppendRequest request;
  request.events = std::move(events);
  return request;
}

#define EXPECT_MENTIONS(error, words) \
  EXPECT_NE((error).message.find(words), std::string::npos) << "the message is: " << (error).message

// -- opening

TEST_F(SqliteRefusals, the_directory_is_made_for_us_alone) {
  SqliteWorld world;
  struct stat info {};
  ASSERT_EQ(stat(world.directory().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0700U);
  for (const char* name : {"events.db", "events.db-wal", "events.db-shm", "lock"}) {
    ASSERT_EQ(stat((world.directory() / name).c_str(), &info), 0) << name;
    EXPECT_EQ(info.st_mode & 0777U, 0600U) << name;
  }
}

TEST_F(SqliteRefusals, a_closed_store_is_a_single_file) {
  SqliteWorld world;
  (void)run(world.store().append(request_of({event_at(world.now(), 1)})));
  world.close();
  EXPECT_FALSE(std::filesystem::exists(world.directory() / "events.db-wal"));
  world.reopen();
  EXPECT_EQ(run(world.store().count({})).value(), 1);
}

TEST_F(SqliteRefusals, a_newer_schema_is_refused_and_left_as_it_is) {
  SqliteWorld world;
  world.close();
  execute(world.directory(), "PRAGMA user_version=1000");
  const Error error = refusal(world.directory());
  EXPECT_EQ(error.kind, ErrorKind::refused);
  EXPECT_MENTIONS(error, "newer version");
  EXPECT_MENTIONS(error, "1000");
  execute(world.directory(),
          ("PRAGMA user_version=" + std::to_string(sqlite::kSchemaVersion)).c_str());
  world.reopen();
}

TEST_F(SqliteRefusals, another_programs_database_is_refused) {
  const auto file = temp_.path() / "events.db";
  ASSERT_TRUE(sqlite::prepare_file(file).has_value());
  execute(temp_.path(), "CREATE TABLE theirs(a)");
  const Error error = refusal(temp_.path());
  EXPECT_EQ(error.kind, ErrorKind::refused);
  EXPECT_MENTIONS(error, "another program");
}

TEST_F(SqliteRefusals, what_is_no_database_is_refused) {
  std::ofstream{temp_.path() / "events.db"} << std::string(10'000, 'x');
  const Error error = refusal(temp_.path());
  EXPECT_EQ(error.kind, ErrorKind::refused);
  EXPECT_MENTIONS(error, "not a database");
  EXPECT_MENTIONS(error, "restore a backup");
}

TEST_F(SqliteRefusals, a_damaged_file_is_refused) {
  SqliteWorld world;
  (void)run(world.store().append(request_of({event_at(world.now(), 1)})));
  world.close();
  {
    // The first page's list of tables, behind the file's header.
    std::fstream file{world.directory() / "events.db",
                      std::ios::in | std::ios::out | std::ios::binary};
    file.seekp(100);
    file << std::string(3'900, '\xA5');
  }
  const Error error = refusal(world.directory());
  EXPECT_EQ(error.kind, ErrorKind::refused);
  EXPECT_MENTIONS(error, "damaged");
  EXPECT_MENTIONS(error, "dispatcher store check");
}

TEST_F(SqliteRefusals, a_second_process_is_refused_and_told_who_is_first) {
  SqliteWorld world;
  // A lock of its own descriptor stands for a process of its own.
  const Error error = refusal(world.directory());
  EXPECT_EQ(error.kind, ErrorKind::refused);
  EXPECT_MENTIONS(error, "process " + std::to_string(getpid()) + " uses it");
  world.close();
  world.reopen();
}

TEST_F(SqliteRefusals, a_directory_that_cannot_be_written_to_is_refused) {
  std::ofstream{temp_.path() / "file"} << "x";
  Error error = refusal(temp_.path() / "file");
  EXPECT_EQ(error.kind, ErrorKind::refused);
  EXPECT_MENTIONS(error, "--data");
  error = refusal("/proc/no-such-place");
  EXPECT_EQ(error.kind, ErrorKind::refused);
  EXPECT_MENTIONS(error, "/proc/no-such-place");
}

TEST_F(SqliteRefusals, a_disk_that_is_full_at_the_start_is_told) {
  SqliteStoreOptions options;
  options.directory = temp_.path() / "data";
  options.max_pages = 3;
  const auto opened = SqliteStore::open(options, clock_, random_, log_);
  ASSERT_TRUE(opened.has_error());
  EXPECT_EQ(opened.error().kind, ErrorKind::retry_later);
  EXPECT_MENTIONS(opened.error(), "disk is full");
}

// -- running

SqliteStoreOptions with_max_pages(std::int64_t pages) {
  SqliteStoreOptions options;
  options.max_pages = pages;
  return options;
}

TEST_F(SqliteRefusals, a_full_disk_fails_the_write_changes_nothing_and_is_logged_once) {
  SqliteWorld world{with_max_pages(60)};
  std::uint64_t stored = 0;
  std::optional<Error> error;
  for (std::uint64_t number = 1; number < 200 && !error; ++number) {
    const auto answer =
        run(world.store().append(request_of({event_at(world.now(), number, 10'000)})));
    if (answer) {
      ++stored;
    } else {
      error = answer.error();
    }
  }
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind, ErrorKind::retry_later);
  EXPECT_MENTIONS(*error, "disk is full");
  EXPECT_TRUE(
      run(world.store().append(request_of({event_at(world.now(), 999, 10'000)}))).has_error());
  EXPECT_EQ(world.log_lines().size(), 1U);
  EXPECT_EQ(run(world.store().count({})).value(), static_cast<std::int64_t>(stored));
  EXPECT_EQ(run(world.store().figures())->events.total, static_cast<std::int64_t>(stored));
  // Room again, writes again.
  EventQuery oldest;
  oldest.newest_first = false;
  const auto first = run(world.store().list(oldest, std::nullopt, 1, 1)).value();
  ASSERT_TRUE(run(world.store().erase(first.events.at(0).event.id)).has_value());
  EXPECT_TRUE(
      run(world.store().append(request_of({event_at(world.now(), 1'000, 5'000)}))).has_value());
  EXPECT_EQ(world.log_lines().size(), 2U);
  world.close();
  EXPECT_TRUE(check_store(world.directory())->findings.empty());
}

TEST_F(SqliteRefusals, a_claim_whose_attempt_cannot_be_recorded_is_still_its_holders) {
  SqliteWorld world{with_max_pages(60)};
  std::vector<Endpoint> endpoints(1);
  endpoints[0].id = "secret-1";
  const auto number =
      run(world.store().configure_endpoints(endpoints, {sha256("url")})).value().at(0).number;
  std::vector<Event> events;
  for (std::uint64_t i = 1; i <= 10; ++i) {
    events.push_back(event_at(world.now(), i));
  }
  ASSERT_TRUE(run(world.store().append(request_of(events))).has_value());
  std::vector<ClaimRequest> requests{{number, 1}};
  const auto claims = run(world.store().claim(requests, 1'000'000)).value().deliveries;
  // Fills what is left.
  for (std::uint64_t i = 100; i < 400; ++i) {
    (void)run(world.store().append(request_of({event_at(world.now(), i, 3'000)})));
  }
  Settlement settlement;
  settlement.token = claims.at(0).token;
  settlement.event_id = claims.at(0).event->id;
  settlement.endpoint = number;
  settlement.attempt.response_body = std::string(4'096, 'b');
  settlement.decision = Again{world.now() + std::chrono::seconds{1}, 1, 0};
  const auto failed = run(world.store().settle(settlement));
  ASSERT_TRUE(failed.has_error());
  EXPECT_EQ(failed.error().kind, ErrorKind::retry_later);
  EXPECT_EQ(run(world.store().figures())->in_flight, 1);
  for (std::size_t i = 1; i < events.size(); ++i) {
    ASSERT_TRUE(run(world.store().erase(events[i].id)).has_value());
  }
  const auto listed = run(world.store().list({}, std::nullopt, 20, 1'000'000)).value();
  for (const EventView& view : listed.events) {
    if (view.event.id != settlement.event_id) {
      ASSERT_TRUE(run(world.store().erase(view.event.id)).has_value());
    }
  }
  EXPECT_TRUE(run(world.store().settle(settlement)).has_value());
  EXPECT_EQ(run(world.store().figures())->in_flight, 0);
}

TEST_F(SqliteRefusals, what_a_failed_write_learnt_is_forgotten) {
  SqliteWorld world{with_max_pages(60)};
  ASSERT_TRUE(run(world.store().append(request_of({event_at(world.now(), 1)}))).has_value());
  const LeasedEvents leased = run(world.store().lease({})).value();
  const EventId id = leased.events.at(0).event.id;
  NackRequest request;
  request.attempts.resize(1);
  request.attempts[0].endpoint_id = "theirs";
  request.attempts[0].response_body = std::string(4'096, 'b');
  request.attempts.resize(80, request.attempts[0]);
  ASSERT_TRUE(run(world.store().nack(id, leased.token, request)).has_error());
  request.attempts.resize(1);
  ASSERT_TRUE(run(world.store().nack(id, leased.token, request)).has_value());
  const auto seen = run(world.store().attempts(id)).value();
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen[0].endpoint_id, "theirs");
  world.close();
  EXPECT_TRUE(check_store(world.directory())->findings.empty());
}

TEST_F(SqliteRefusals, one_that_is_at_fault_fails_alone) {
  SqliteWorld world;
  const Event taken = event_at(world.now(), 1);
  ASSERT_TRUE(run(world.store().append(request_of({taken}))).has_value());
  std::vector<boost::asio::awaitable<Result<AppendAnswer>>> calls;
  for (std::uint64_t number = 2; number <= 40; ++number) {
    const Event good = event_at(world.now(), number);
    const bool is_bad = number % 10 == 0;
    calls.push_back(
        world.store().append(request_of(is_bad ? std::vector{good, taken} : std::vector{good})));
  }
  const auto answers = run_together(std::move(calls));
  for (std::uint64_t number = 2; number <= 40; ++number) {
    const auto& answer = answers[number - 2];
    EXPECT_EQ(answer.has_error(), number % 10 == 0) << number;
    if (answer.has_error()) {
      EXPECT_EQ(answer.error().kind, ErrorKind::conflict);
    }
  }
  EXPECT_EQ(run(world.store().count({})).value(), 1 + 35);
  world.close();
  EXPECT_TRUE(check_store(world.directory())->findings.empty());
}

TEST_F(SqliteRefusals, past_its_queue_the_store_sheds_what_can_be_shed) {
  SqliteStoreOptions options;
  options.max_queued_writes = 4;
  SqliteWorld world{options};
  std::vector<boost::asio::awaitable<Result<AppendAnswer>>> calls;
  for (std::uint64_t number = 1; number <= 2'000; ++number) {
    calls.push_back(world.store().append(request_of({event_at(world.now(), number)})));
  }
  std::int64_t stored = 0;
  std::int64_t shed = 0;
  for (const auto& answer : run_together(std::move(calls))) {
    stored += answer ? 1 : 0;
    shed += answer.has_error() && answer.error().kind == ErrorKind::overloaded ? 1 : 0;
  }
  EXPECT_EQ(stored + shed, 2'000);
  EXPECT_GT(shed, 0);
  EXPECT_EQ(run(world.store().count({})).value(), stored);
  // What ends work in flight is not shed.
  std::vector<boost::asio::awaitable<Result<void>>> endings;
  for (int i = 0; i < 100; ++i) {
    endings.push_back(world.store().give_back({}));
  }
  for (const auto& answer : run_together(std::move(endings))) {
    EXPECT_TRUE(answer.has_value());
  }
}

TEST_F(SqliteRefusals, what_waits_when_the_store_closes_is_answered_stopped_or_done) {
  SqliteWorld world;
  boost::asio::io_context loop{1};
  int answered = 0;
  std::set<EventId> stored;
  for (std::uint64_t number = 1; number <= 500; ++number) {
    const Event event = event_at(world.now(), number);
    boost::asio::co_spawn(loop, world.store().append(request_of({event})),
                          [&answered, &stored, id = event.id](const std::exception_ptr& bug,
                                                              const Result<AppendAnswer>& answer) {
                            EXPECT_FALSE(bug);
                            ++answered;
                            if (answer) {
                              stored.insert(id);
                            } else {
                              EXPECT_EQ(answer.error().kind, ErrorKind::stopped);
                            }
                          });
  }
  boost::asio::post(loop, [&world] { world.close(); });
  loop.run();
  EXPECT_EQ(answered, 500);
  world.reopen();
  EXPECT_EQ(run(world.store().count({})).value(), static_cast<std::int64_t>(stored.size()));
}

TEST_F(SqliteRefusals, no_log_line_or_error_has_a_payload) {
  SqliteWorld world{with_max_pages(40)};
  Event event = event_at(world.now(), 1);
  event.payload = R"({"password":"hunter2"})";
  ASSERT_TRUE(run(world.store().append(request_of({event}))).has_value());
  const auto twice = run(world.store().append(request_of({event})));
  ASSERT_TRUE(twice.has_error());
  EXPECT_EQ(twice.error().message.find("hunter2"), std::string::npos);
  event = event_at(world.now(), 2, 1'000'000);
  event.payload.replace(6, 7, "hunter2");
  const auto full = run(world.store().append(request_of({event})));
  ASSERT_TRUE(full.has_error());
  EXPECT_EQ(full.error().message.find("hunter2"), std::string::npos);
  ASSERT_FALSE(world.log_lines().empty());
  for (const std::string& line : world.log_lines()) {
    EXPECT_EQ(line.find("hunter2"), std::string::npos);
  }
}

TEST_F(SqliteRefusals, the_wal_is_brought_into_the_file_while_the_store_runs) {
  SqliteWorld world;
  const auto wal = world.directory() / "events.db-wal";
  const auto file = world.directory() / "events.db";
  std::uint64_t number = 0;
  // 40 MB through a WAL that a checkpoint is due for at 8 MB.
  for (int i = 0; i < 40; ++i) {
    std::vector<Event> events;
    for (int j = 0; j < 10; ++j) {
      events.push_back(event_at(world.now(), ++number, 100'000));
    }
    ASSERT_TRUE(run(world.store().append(request_of(std::move(events)))).has_value());
  }
  EXPECT_GT(std::filesystem::file_size(file), 8'000'000U);
  EXPECT_LT(std::filesystem::file_size(wal), 200'000'000U);
}

}  // namespace
}  // namespace dispatcher::conformance
