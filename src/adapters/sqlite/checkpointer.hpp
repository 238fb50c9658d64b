// Brings what is in the WAL into the database file, on a thread and a connection of its own, so
// that no commit pays for it.
#pragma once

#include "adapters/sqlite/connection.hpp"
#include "base/log.hpp"

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

namespace dispatcher::sqlite {

class Checkpointer {
 public:
  // What the writer is asked for, from the checkpointer's thread.
  struct Requests {
    std::function<void()> finish;     // to end a checkpoint that writes have outrun
    std::function<void()> empty_wal;  // answered by `note_wal_emptied`, where it could be
  };
  // What an earlier process erased and did not come to overwrite is gone soon after the start.
  Checkpointer(std::unique_ptr<Connection> db, const Log& log, Requests requests);
  ~Checkpointer();
  Checkpointer(const Checkpointer&) = delete;
  Checkpointer& operator=(const Checkpointer&) = delete;

  // The WAL has so many pages. Any thread.
  void note_wal_pages(int pages);
  // What was erased is still readable in the WAL: it is emptied within kEraseWithin, unless reads
  // or the disk stand in the way; then as soon as they do not. Any thread.
  void note_erased();
  // By the writer, between two commits.
  void note_wal_emptied();

  static constexpr std::chrono::milliseconds kEraseWithin{200};

 private:
  void work();
  void checkpoint();

  std::unique_ptr<Connection> db_;
  const Log& log_;
  Requests requests_;
  bool is_failing_ = false;

  std::mutex mutex_;
  std::condition_variable wake_;
  int wal_pages_ = 0;
  int checkpoint_at_ = 0;
  std::optional<std::chrono::steady_clock::time_point>
      empty_at_;  // while something is to be erased
  bool is_stopping_ = false;
  std::thread thread_;
};

}  // namespace dispatcher::sqlite
