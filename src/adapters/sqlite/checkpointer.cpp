#include "adapters/sqlite/checkpointer.hpp"

#include <sqlite3.h>

#include <utility>

#include <pthread.h>

namespace dispatcher::sqlite {
namespace {

// Pages of 4 KiB in the WAL from which on a checkpoint is worth its fsyncs: 8 MiB.
constexpr int kCheckpointPages = 2'048;
// From here on the writer is asked to end it: 32 MiB.
constexpr int kFinishPages = 8'192;

}  // namespace

Checkpointer::Checkpointer(std::unique_ptr<Connection> db, const Log& log,
                           std::function<void()> finish)
    : db_(std::move(db)), log_(log), finish_(std::move(finish)) {
  thread_ = std::thread{[this] {
    pthread_setname_np(pthread_self(), "store-checkpt");
    work();
  }};
}

Checkpointer::~Checkpointer() {
  {
    const std::lock_guard lock{mutex_};
    is_stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void Checkpointer::note_wal_pages(int pages) {
  {
    const std::lock_guard lock{mutex_};
    wal_pages_ = pages;
    if (pages < kCheckpointPages) {
      return;
    }
  }
  wake_.notify_one();
}

void Checkpointer::work() {
  std::unique_lock lock{mutex_};
  while (true) {
    wake_.wait(lock, [this] { return is_stopping_ || wal_pages_ >= kCheckpointPages; });
    if (is_stopping_) {
      return;
    }
    wal_pages_ = 0;
    lock.unlock();
    checkpoint();
    lock.lock();
  }
}

void Checkpointer::checkpoint() {
  int pages = 0;
  int done = 0;
  const int code =
      sqlite3_wal_checkpoint_v2(db_->handle(), nullptr, SQLITE_CHECKPOINT_PASSIVE, &pages, &done);
  if (code == SQLITE_BUSY) {
    return;  // the writer is at it
  }
  if (code != SQLITE_OK) {
    if (!std::exchange(is_failing_, true)) {
      log_.warning("the store's log cannot be brought into its file; it grows",
                   {{"error", sqlite3_errmsg(db_->handle())}});
    }
    return;
  }
  is_failing_ = false;
  // All of it done, the next commit starts the WAL over. While commits keep coming there is always
  // a little left, so past a size the writer does that little between two commits.
  if (pages >= kFinishPages) {
    finish_();
  }
}

}  // namespace dispatcher::sqlite
