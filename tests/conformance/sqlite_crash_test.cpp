// Killed at any moment, any number of times: what the store answered is there, and the store is
// sound.
#include "conformance/sqlite_world.hpp"

#include "adapters/sqlite/store_files.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <random>
#include <set>

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace dispatcher::conformance {
namespace {

constexpr const char* kDirectoryVariable = "STORE_CRASH_DIRECTORY";
constexpr const char* kRoundVariable = "STORE_CRASH_ROUND";
constexpr int kRounds = 20;

void say(char what, const EventId& id) {
  const std::string line = std::string{what} + to_string(id) + "\n";
  // A parent that has gone away needs no answer.
  (void)!write(STDOUT_FILENO, line.data(), line.size());
}

class Worker {
 public:
  Worker(const char* directory, std::uint64_t round) : random_(round + 1) {
    SqliteStoreOptions options;
    options.directory = directory;
    store_ = std::move(SqliteStore::open(options, clock_, random_, log_).value());
    std::vector<Endpoint> endpoints(1);
    endpoints[0].id = "secret-1";
    endpoint_ = run(store_->configure_endpoints(endpoints, {sha256("url")})).value()[0].number;
  }

  // Says `A` for what append answered, `D` for what settle answered, `R` for what was replayed and
  // `E` for an endpoint that came and went, once they have.
  [[noreturn]] void work() {
    while (true) {
      append_some();
      deliver_some();
      replay_one();
      change_endpoints();
    }
  }

 private:
  void append_some() {
    std::vector<boost::asio::awaitable<Result<AppendAnswer>>> calls;
    for (int i = 0; i < 16; ++i) {
      AppendRequest request;
      Event event;
      event.id = make_uuid_v7(clock_.wall(), random_.next(), random_.next());
      event.payload = "{\"x\":\"" + std::string(random_.next() % 5'000, 'x') + "\"}";
      event.created_at = clock_.wall();
      request.events.push_back(std::move(event));
      calls.push_back(store_->append(std::move(request)));
    }
    for (const auto& answer : run_together(std::move(calls))) {
      say('A', answer.value().events.at(0).id);
    }
  }

  void deliver_some() {
    std::vector<ClaimRequest> requests{{endpoint_, 8}};
    const auto claims = run(store_->claim(requests, 1'000'000)).value().deliveries;
    std::vector<boost::asio::awaitable<Result<SettleAnswer>>> calls;
    for (const ClaimedDelivery& claim : claims) {
      Settlement settlement;
      settlement.token = claim.token;
      settlement.event_id = claim.event->id;
      settlement.endpoint = claim.endpoint;
      settlement.attempt.outcome = Outcome::delivered;
      settlement.decision = Delivered{};
      calls.push_back(store_->settle(std::move(settlement)));
    }
    const auto answers = run_together(std::move(calls));
    for (std::size_t i = 0; i < answers.size(); ++i) {
      if (answers[i]) {
        say('D', claims[i].event->id);
        last_delivered_ = claims[i].event->id;
      }
    }
  }

  void replay_one() {
    if (last_delivered_ &&
        run(store_->release(*last_delivered_, {}, ReleaseAction::replay, {"ann", ""}))
            .has_value()) {
      say('R', *std::exchange(last_delivered_, std::nullopt));
    }
  }

  // It is removed with events that wait for it, which later steps discard.
  void change_endpoints() {
    const EventId name = make_uuid_v7(clock_.wall(), random_.next(), random_.next());
    EndpointRecord record;
    record.id = to_string(name);
    (void)run(store_->create_endpoint(record, EndpointStart::now)).value();
    append_some();
    (void)run(store_->remove_endpoint(record.id, true, {"ann", ""}));
    say('E', name);
    (void)run(store_->maintain({})).value();
  }

  fakes::ManualClock clock_;
  fakes::SimRandom random_;
  std::optional<EventId> last_delivered_;
  Log log_{LogLevel::error, LogFormat::text, Log::stderr_sink()};
  std::unique_ptr<SqliteStore> store_;
  EndpointNumber endpoint_ = kNoEndpoint;
};

// Run by the test below in a process of its own.
TEST(SqliteCrash, DISABLED_a_process_that_works_until_it_is_killed) {
  const char* directory = std::getenv(kDirectoryVariable);
  ASSERT_NE(directory, nullptr);
  Worker{directory, static_cast<std::uint64_t>(std::atoi(std::getenv(kRoundVariable)))}.work();
}

class Child {
 public:
  explicit Child(const std::filesystem::path& directory, int round) {
    std::array<int, 2> pipe_ends{};
    EXPECT_EQ(pipe2(pipe_ends.data(), O_CLOEXEC), 0);
    setenv(kDirectoryVariable, directory.c_str(), 1);
    setenv(kRoundVariable, std::to_string(round).c_str(), 1);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, pipe_ends[1], STDOUT_FILENO);
    std::string filter = "--gtest_filter=SqliteCrash.DISABLED_*";
    std::string disabled = "--gtest_also_run_disabled_tests";
    std::string name = "conformance_tests";
    std::array<char*, 4> arguments{name.data(), filter.data(), disabled.data(), nullptr};
    EXPECT_EQ(posix_spawn(&pid_, "/proc/self/exe", &actions, nullptr, arguments.data(), environ),
              0);
    posix_spawn_file_actions_destroy(&actions);
    close(pipe_ends[1]);
    said_ = fdopen(pipe_ends[0], "r");
  }
  ~Child() { (void)fclose(said_); }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // The next line of its own; empty at the end.
  std::string next() {
    std::array<char, 128> line{};
    while (fgets(line.data(), line.size(), said_) != nullptr) {
      const std::string text{line.data()};
      if (text.size() == 38 && std::string_view{"ADRE"}.find(text[0]) != std::string_view::npos) {
        return text.substr(0, 37);
      }
    }
    return {};
  }
  void kill_it() const {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }

 private:
  pid_t pid_ = 0;
  FILE* said_ = nullptr;
};

TEST(SqliteCrash, what_was_answered_is_there_after_kills_at_random_moments) {
  TempDirectory temp;
  const auto directory = temp.path() / "data";
  std::set<EventId> appended;
  std::set<EventId> delivered;
  std::set<EventId> replayed;
  std::set<EventId> removed;
  std::mt19937 random{20260101};
  for (int round = 0; round < kRounds; ++round) {
    Child child{directory, round};
    const auto note = [&](const std::string& line) {
      auto& noted = line[0] == 'A'   ? appended
                    : line[0] == 'D' ? delivered
                    : line[0] == 'R' ? replayed
                                     : removed;
      noted.insert(parse_uuid(line.substr(1)).value());
    };
    const int lines = std::uniform_int_distribution<int>{0, 400}(random);
    for (int i = 0; i < lines; ++i) {
      const std::string line = child.next();
      ASSERT_FALSE(line.empty());
      note(line);
    }
    child.kill_it();
    for (std::string line = child.next(); !line.empty(); line = child.next()) {
      note(line);
    }
    const auto check = check_store(directory);
    if (check.has_error()) {
      continue;  // killed before there was a store
    }
    ASSERT_TRUE(check->findings.empty()) << check->findings.front();
  }
  fakes::ManualClock clock;
  fakes::SimRandom ids{99};
  const Log log{LogLevel::error, LogFormat::text, Log::stderr_sink()};
  SqliteStoreOptions options;
  options.directory = directory;
  const auto store = SqliteStore::open(options, clock, ids, log).value();
  ASSERT_GT(appended.size(), 500U);
  ASSERT_GT(delivered.size(), 100U);
  for (const EventId& id : appended) {
    const auto view = run(store->event(id));
    ASSERT_TRUE(view.has_value()) << to_string(id);
    // What was delivered is, or waits again: who died before it said so may have replayed it, too.
    const auto released = run(store->releases(id)).value();
    if (delivered.contains(id) && released.empty()) {
      ASSERT_EQ(view->deliveries.at(0).state, DeliveryState::delivered);
    }
    ASSERT_TRUE(!replayed.contains(id) || !released.empty());
  }
  ASSERT_GT(replayed.size(), 10U);
  ASSERT_GT(removed.size(), 10U);
  for (const EndpointRecord& record : run(store->endpoints()).value()) {
    ASSERT_FALSE(removed.contains(parse_uuid(record.id).value_or(EventId{})));
  }
}

}  // namespace
}  // namespace dispatcher::conformance
