// Brings what is in the WAL into the database file, on a thread and a connection of its own, so
// that no commit pays for it.
#pragma once

#include "adapters/sqlite/connection.hpp"
#include "base/log.hpp"

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

namespace dispatcher::sqlite {

class Checkpointer {
 public:
  // `finish` asks the writer to end a checkpoint that writes have outrun.
  Checkpointer(std::unique_ptr<Connection> db, const Log& log, std::function<void()> finish);
  ~Checkpointer();
  Checkpointer(const Checkpointer&) = delete;
  Checkpointer& operator=(const Checkpointer&) = delete;

  // The WAL has so many pages. Any thread.
  void note_wal_pages(int pages);

 private:
  void work();
  void checkpoint();

  std::unique_ptr<Connection> db_;
  const Log& log_;
  std::function<void()> finish_;
  bool is_failing_ = false;

  std::mutex mutex_;
  std::condition_variable wake_;
  int wal_pages_ = 0;
  int checkpoint_at_ = 0;
  bool is_stopping_ = false;
  std::thread thread_;
};

}  // namespace dispatcher::sqlite
