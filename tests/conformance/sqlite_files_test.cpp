// `store backup`, `check` and `restore`: on line, whole or not at all, and never over something.
#include "conformance/sqlite_world.hpp"

#include "adapters/sqlite/connection.hpp"
#include "adapters/sqlite/data_directory.hpp"
#include "adapters/sqlite/store_files.hpp"

#include <chrono>
#include <fstream>
#include <thread>

#include <sys/stat.h>

namespace dispatcher::conformance {
namespace {

class SqliteFiles : public ::testing::Test {
 protected:
  void append(std::size_t count) {
    AppendRequest request;
    for (std::size_t i = 0; i < count; ++i) {
      ++made_;
      Event event;
      event.id = make_uuid_v7(world_.now(), made_, made_ << 8U);
      event.payload = "{\"x\":\"" + std::string(500, 'x') + "\"}";
      event.created_at = world_.now();
      request.events.push_back(std::move(event));
    }
    ASSERT_TRUE(run(world_.store().append(std::move(request))).has_value());
  }
  // Changes a closed store's file behind its back.
  void damage(const char* sql) {
    world_.close();
    auto db = sqlite::Connection::open(sqlite::database_path(world_.directory()).string(),
                                       sqlite::Access::read_write, 100);
    (*db)->execute(sql);
    ASSERT_FALSE((*db)->failure()) << (*db)->failure()->message;
  }
  [[nodiscard]] std::vector<std::string> findings() const {
    return check_store(world_.directory()).value().findings;
  }

  TempDirectory temp_;
  SqliteWorld world_;
  std::uint64_t made_ = 0;
};

TEST_F(SqliteFiles, a_backup_is_taken_while_the_store_is_in_use_and_can_be_restored) {
  append(3'000);
  int reports = 0;
  const auto file = temp_.path() / "backup.db";
  const auto report =
      backup_store(world_.directory(), file, [&](std::int64_t done, std::int64_t all) {
        ++reports;
        EXPECT_LE(done, all);
        if (reports == 1) {
          append(10);  // the store goes on meanwhile
        }
      });
  ASSERT_TRUE(report.has_value()) << report.error().message;
  EXPECT_EQ(report->events, 3'000);
  EXPECT_GT(report->bytes, 1'000'000);
  EXPECT_GT(reports, 0);
  struct stat info {};
  ASSERT_EQ(stat(file.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator{temp_.path()}, {}), 1);

  const auto restored_to = temp_.path() / "restored";
  const auto restored = restore_store(file, restored_to, RestoreMode::into_empty);
  ASSERT_TRUE(restored.has_value()) << restored.error().message;
  EXPECT_EQ(restored->events, 3'000);
  EXPECT_TRUE(check_store(restored_to)->findings.empty());
  SqliteStoreOptions options;
  options.directory = restored_to;
  const auto store =
      SqliteStore::open(options, world_.clock(), world_.random(), world_.log()).value();
  EXPECT_EQ(run(store->count({})).value(), 3'000);
}

TEST_F(SqliteFiles, a_backup_overwrites_nothing) {
  const auto file = temp_.path() / "backup.db";
  std::ofstream{file} << "precious";
  const auto report = backup_store(world_.directory(), file);
  ASSERT_TRUE(report.has_error());
  EXPECT_EQ(report.error().kind, ErrorKind::refused);
  std::string content;
  std::getline(std::ifstream{file}, content);
  EXPECT_EQ(content, "precious");
}

TEST_F(SqliteFiles, where_there_is_no_store_there_is_nothing_to_back_up_or_check) {
  EXPECT_EQ(backup_store(temp_.path(), temp_.path() / "b").error().kind, ErrorKind::not_found);
  EXPECT_EQ(check_store(temp_.path()).error().kind, ErrorKind::not_found);
  EXPECT_EQ(restore_store(temp_.path() / "b", temp_.path(), RestoreMode::replace).error().kind,
            ErrorKind::not_found);
  EXPECT_TRUE(std::filesystem::is_empty(temp_.path()));
}

TEST_F(SqliteFiles, a_restore_replaces_a_store_only_when_told_to) {
  append(5);
  const auto file = temp_.path() / "backup.db";
  ASSERT_TRUE(backup_store(world_.directory(), file).has_value());
  append(5);
  world_.close();
  const auto refused = restore_store(file, world_.directory(), RestoreMode::into_empty);
  ASSERT_TRUE(refused.has_error());
  EXPECT_EQ(refused.error().kind, ErrorKind::refused);
  world_.reopen();
  EXPECT_EQ(run(world_.store().count({})).value(), 10);
  const auto in_use = restore_store(file, world_.directory(), RestoreMode::replace);
  ASSERT_TRUE(in_use.has_error());
  EXPECT_NE(in_use.error().message.find("uses it"), std::string::npos);
  world_.close();
  ASSERT_TRUE(restore_store(file, world_.directory(), RestoreMode::replace).has_value());
  world_.reopen();
  EXPECT_EQ(run(world_.store().count({})).value(), 5);
}

TEST_F(SqliteFiles, a_damaged_backup_is_not_restored) {
  append(2'000);
  const auto file = temp_.path() / "backup.db";
  ASSERT_TRUE(backup_store(world_.directory(), file).has_value());
  {
    std::fstream bytes{file, std::ios::in | std::ios::out | std::ios::binary};
    bytes.seekp(40'960);
    bytes << std::string(40'960, '\xA5');
  }
  const auto target = temp_.path() / "target";
  const auto report = restore_store(file, target, RestoreMode::into_empty);
  ASSERT_TRUE(report.has_error());
  EXPECT_EQ(report.error().kind, ErrorKind::refused);
  EXPECT_FALSE(std::filesystem::exists(target / "events.db"));
}

TEST_F(SqliteFiles, another_programs_file_is_not_restored) {
  const auto file = temp_.path() / "theirs.db";
  ASSERT_TRUE(sqlite::prepare_file(file).has_value());
  auto db = sqlite::Connection::open(file.string(), sqlite::Access::read_write, 100).value();
  db->execute("CREATE TABLE theirs(a)");
  const auto report = restore_store(file, temp_.path() / "target", RestoreMode::into_empty);
  ASSERT_TRUE(report.has_error());
  EXPECT_EQ(report.error().kind, ErrorKind::refused);
}

// -- check

TEST_F(SqliteFiles, a_store_in_use_is_found_sound) {
  append(100);
  EXPECT_TRUE(findings().empty());
  EXPECT_EQ(check_store(world_.directory())->events, 100);
}

TEST_F(SqliteFiles, a_check_finds_counters_that_are_wrong) {
  append(3);
  damage("UPDATE day_counts SET open = open + 1");
  ASSERT_EQ(findings().size(), 1U);
  EXPECT_NE(findings()[0].find("counters"), std::string::npos);
}

TEST_F(SqliteFiles, a_check_finds_events_that_nothing_holds_open_or_that_lost_their_payload) {
  append(3);
  damage("DELETE FROM deliveries WHERE place >> 20 = 2; DELETE FROM payloads WHERE seq = 3;");
  const auto found = findings();
  ASSERT_EQ(found.size(), 2U);
  EXPECT_NE(found[0].find("1 pending events without a delivery"), std::string::npos);
  EXPECT_NE(found[1].find("1 events without a payload"), std::string::npos);
}

TEST_F(SqliteFiles, a_check_finds_what_belongs_to_no_event_and_attempts_that_are_missing) {
  append(3);
  damage(
      "UPDATE deliveries SET attempts = 1 WHERE place >> 20 = 1;"
      "INSERT INTO payloads VALUES(99, '{}');"
      "INSERT INTO deliveries(place, endpoint, state, due_us, attempts, retries_used, step) "
      "VALUES((98 << 20) + 7, 7, 2, 0, 0, 0, 0);");
  EXPECT_EQ(findings().size(), 4U);
}

TEST_F(SqliteFiles, a_check_finds_endpoints_that_were_counted_wrong_or_left_with_what_waits) {
  EndpointRecord record;
  record.id = "ep_1";
  ASSERT_TRUE(run(world_.store().create_endpoint(record, EndpointStart::now)).has_value());
  append(3);
  ASSERT_TRUE(run(world_.store().remove_endpoint("ep_1", true, {"ann", ""})).has_value());
  damage(
      "UPDATE endpoint_counts SET waiting = waiting - 1;"
      "DELETE FROM discards;"
      "INSERT INTO releases(place, action, at_us, who, note) VALUES((99 << 20) + 1, 0, 0, '', '');"
      "INSERT INTO endpoint_patterns VALUES(7, 0, 1, '*');");
  const auto found = findings();
  ASSERT_EQ(found.size(), 4U);
  EXPECT_NE(found[0].find("1 releases without"), std::string::npos);
  EXPECT_NE(found[1].find("1 patterns"), std::string::npos);
  EXPECT_NE(found[2].find("3 open deliveries of removed"), std::string::npos);
  EXPECT_NE(found[3].find("1 endpoints whose counters"), std::string::npos);
}

// In all of the directory, while the store is open.
bool is_readable(const std::filesystem::path& directory, std::string_view marker) {
  for (const auto& entry : std::filesystem::directory_iterator{directory}) {
    std::ifstream file{entry.path(), std::ios::binary};
    const std::string bytes{std::istreambuf_iterator<char>{file}, {}};
    if (bytes.find(marker) != std::string::npos) {
      return true;
    }
  }
  return false;
}

TEST_F(SqliteFiles, an_erased_event_is_soon_unreadable_while_the_store_is_open_and_idle) {
  const std::string marker = "marker-in-the-payload";
  const auto is_gone_soon = [&marker](const std::filesystem::path& directory) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{30};
    while (is_readable(directory, marker)) {
      if (std::chrono::steady_clock::now() > deadline) {
        return false;
      }
      std::this_thread::yield();
    }
    return true;
  };
  Event event;
  event.id = make_uuid_v7(world_.now(), 1'000, 1);
  event.payload = R"({"x":")" + marker + R"("})";
  event.created_at = world_.now();
  AppendRequest request;
  request.events.push_back(event);
  ASSERT_TRUE(run(world_.store().append(std::move(request))).has_value());
  ASSERT_TRUE(is_readable(world_.directory(), marker));
  ASSERT_TRUE(run(world_.store().erase(event.id)).has_value());
  // As a kill would leave it.
  SqliteStoreOptions killed;
  killed.directory = temp_.path() / "killed";
  ASSERT_TRUE(sqlite::prepare_directory(killed.directory).has_value());
  for (const char* name : {"events.db", "events.db-wal"}) {
    std::filesystem::copy_file(world_.directory() / name, killed.directory / name);
  }
  EXPECT_TRUE(is_gone_soon(world_.directory()));
  append(3);
  const auto store =
      SqliteStore::open(killed, world_.clock(), world_.random(), world_.log()).value();
  EXPECT_TRUE(is_gone_soon(killed.directory));
  EXPECT_EQ(run(store->count({})).value(), 0);
}

TEST_F(SqliteFiles, nothing_of_an_erased_event_is_left_in_the_file) {
  append(200);
  EndpointRecord record;
  record.id = "ep_1";
  const auto number =
      run(world_.store().create_endpoint(record, EndpointStart::now)).value().number;
  Event event;
  event.id = make_uuid_v7(world_.now(), 1'000, 1);
  event.payload = R"({"x":"marker-in-the-payload)" + std::string(9'000, 'x') + R"("})";
  event.created_at = world_.now();
  AppendRequest request;
  request.events.push_back(event);
  ASSERT_TRUE(run(world_.store().append(std::move(request))).has_value());
  Settlement settlement;
  settlement.event_id = event.id;
  settlement.endpoint = number;
  settlement.token =
      run(world_.store().claim({{number, 1}}, 100'000)).value().deliveries.at(0).token;
  settlement.attempt.response_body = "marker-in-the-answer";
  settlement.decision = SentToReview{};
  ASSERT_TRUE(run(world_.store().settle(settlement)).has_value());
  const ReleaseNote note{"ann", "marker-in-the-note"};
  ASSERT_TRUE(run(world_.store().release(event.id, {}, ReleaseAction::discard, note)).has_value());
  world_.close();
  const auto count_markers = [this] {
    std::ifstream file{sqlite::database_path(world_.directory()), std::ios::binary};
    const std::string bytes{std::istreambuf_iterator<char>{file}, {}};
    int found = 0;
    for (const char* marker :
         {"marker-in-the-payload", "marker-in-the-answer", "marker-in-the-note"}) {
      found += bytes.find(marker) != std::string::npos ? 1 : 0;
    }
    return found;
  };
  EXPECT_EQ(count_markers(), 3);
  world_.reopen();
  ASSERT_TRUE(run(world_.store().erase(event.id)).has_value());
  world_.close();
  EXPECT_EQ(count_markers(), 0);
  EXPECT_TRUE(findings().empty());
}

TEST_F(SqliteFiles, a_check_finds_a_damaged_page) {
  append(2'000);
  world_.close();
  {
    std::fstream bytes{sqlite::database_path(world_.directory()),
                       std::ios::in | std::ios::out | std::ios::binary};
    bytes.seekp(409'600);  // past the list of tables
    bytes << std::string(40'960, '\xA5');
  }
  EXPECT_FALSE(findings().empty());
}

}  // namespace
}  // namespace dispatcher::conformance
