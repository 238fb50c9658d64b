// A SQLite store in a directory of its own, on a clock that stands still.
#pragma once

#include "adapters/sqlite/store.hpp"
#include "conformance/store_suite.hpp"
#include "conformance/temp_directory.hpp"
#include "fakes/manual_clock.hpp"
#include "fakes/sim_random.hpp"

#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace dispatcher::conformance {

// Collects log lines, from any thread.
class LogLines {
 public:
  [[nodiscard]] Log::Sink sink() {
    return [this](std::string_view line) {
      const std::lock_guard lock{mutex_};
      lines_.emplace_back(line);
    };
  }
  [[nodiscard]] std::vector<std::string> all() const {
    const std::lock_guard lock{mutex_};
    return lines_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

class SqliteWorld : public StoreWorld {
 public:
  explicit SqliteWorld(SqliteStoreOptions options = {}) : options_(std::move(options)) {
    options_.directory = directory_.path() / "data";
    reopen();
  }

  Store& store() override { return *store_; }
  WallTime now() const override { return clock_.wall(); }
  void advance(std::chrono::microseconds by) override { clock_.advance(by); }
  // Closing writes nothing that a kill would not leave: what a real kill leaves is the crash
  // test's.
  void kill_and_reopen() override {
    close();
    reopen();
  }

  void close() { store_.reset(); }
  void reopen() {
    auto opened = SqliteStore::open(options_, clock_, random_, log_);
    store_ = std::move(opened.value());
  }
  [[nodiscard]] SqliteStoreOptions& options() { return options_; }
  [[nodiscard]] const std::filesystem::path& directory() const { return options_.directory; }
  [[nodiscard]] fakes::ManualClock& clock() { return clock_; }
  [[nodiscard]] Random& random() { return random_; }
  [[nodiscard]] const Log& log() const { return log_; }
  [[nodiscard]] std::vector<std::string> log_lines() const { return lines_.all(); }

 private:
  TempDirectory directory_;
  SqliteStoreOptions options_;
  fakes::ManualClock clock_;
  fakes::SimRandom random_{42};
  LogLines lines_;
  Log log_{LogLevel::debug, LogFormat::text, lines_.sink()};
  std::unique_ptr<SqliteStore> store_;
};

}  // namespace dispatcher::conformance
