#include "adapters/sqlite/checkpointer.hpp"

#include <sqlite3.h>

#include <utility>

#include <pthread.h>

namespace dispatcher::sqlite {
namespace {

// After so many new pages of 4 KiB in the WAL a checkpoint is worth its fsyncs: 8 MiB.
constexpr int kCheckpointPages = 2'048;
// From here on the writer is asked to end it: 32 MiB.
constexpr int kFinishPages = 8'192;
// When reads were in the way of emptying it.
constexpr std::chrono::milliseconds kEmptyAgain{250};

}  // namespace

Checkpointer::Checkpointer(std::unique_ptr<Connection> db, const Log& log, Requests requests)
    : db_(std::move(db)), log_(log), requests_(std::move(requests)) {
  checkpoint_at_ = kCheckpointPages;
  empty_at_ = std::chrono::steady_clock::now() + kEraseWithin;
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
    if (pages < wal_pages_) {
      checkpoint_at_ = kCheckpointPages;  // the WAL has started over
    }
    wal_pages_ = pages;
    if (pages < checkpoint_at_) {
      return;
    }
  }
  wake_.notify_one();
}

void Checkpointer::note_erased() {
  {
    const std::lock_guard lock{mutex_};
    if (empty_at_) {
      return;  // many erasures, one emptying
    }
    empty_at_ = std::chrono::steady_clock::now() + kEraseWithin;
  }
  wake_.notify_one();
}

void Checkpointer::note_wal_emptied() {
  const std::lock_guard lock{mutex_};
  empty_at_.reset();
}

void Checkpointer::work() {
  std::unique_lock lock{mutex_};
  while (true) {
    const auto is_worth_it = [this] { return is_stopping_ || wal_pages_ >= checkpoint_at_; };
    if (empty_at_) {
      const auto until = *empty_at_;
      wake_.wait_until(lock, until, is_worth_it);
    } else {
      wake_.wait(lock, [&] { return is_worth_it() || empty_at_; });
    }
    if (is_stopping_) {
      return;
    }
    const auto now = std::chrono::steady_clock::now();
    const bool empties = empty_at_ && now >= *empty_at_;
    if (!empties && wal_pages_ < checkpoint_at_) {
      continue;
    }
    if (empties) {
      empty_at_ = now + kEmptyAgain;  // until it is said to be empty
    }
    const int pages = wal_pages_;
    checkpoint_at_ = pages + kCheckpointPages;
    lock.unlock();
    checkpoint();
    if (pages >= kFinishPages) {
      // All of it done, the next commit starts the WAL over. While commits keep coming there is
      // always a little left: a second pass makes it less, and the writer does the rest between
      // two commits.
      checkpoint();
      requests_.finish();
    }
    if (empties) {
      requests_.empty_wal();
    }
    lock.lock();
  }
}

void Checkpointer::checkpoint() {
  const int code = sqlite3_wal_checkpoint_v2(db_->handle(), nullptr, SQLITE_CHECKPOINT_PASSIVE,
                                             nullptr, nullptr);
  if (code == SQLITE_OK) {
    is_failing_ = false;
  } else if (code != SQLITE_BUSY &&
             !std::exchange(is_failing_, true)) {  // busy: the writer is at it
    log_.warning("the store's log cannot be brought into its file; it grows",
                 {{"error", sqlite3_errmsg(db_->handle())}});
  }
}

}  // namespace dispatcher::sqlite
