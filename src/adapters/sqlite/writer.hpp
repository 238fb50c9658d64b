// The one thread that writes. All that arrives while one commit runs goes in the next: a group is
// one transaction and one fsync, and its callers are answered after it. What only looks at what is
// committed, as a claim does, is answered before the group is written.
#pragma once

#include "adapters/sqlite/connection.hpp"
#include "adapters/sqlite/operation.hpp"
#include "adapters/sqlite/transaction.hpp"
#include "base/log.hpp"
#include "ports/clock.hpp"
#include "ports/inbox.hpp"
#include "ports/random.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace dispatcher::sqlite {

using WriteOperation = Operation<Transaction>;

struct WriterOptions {
  // What may wait for the thread; more is answered `overloaded`.
  std::size_t max_queued = 16'384;
  std::size_t max_queued_bytes = 64 * 1024 * 1024;
  std::vector<std::chrono::seconds> consumer_schedule;
};

// Called on the writer's thread.
struct WriterListeners {
  // After each commit that wrote.
  std::function<void(int wal_pages, bool has_erased)> on_commit;
  // Nothing is left in the WAL of what was committed before.
  std::function<void()> on_wal_emptied;
};

class Writer {
 public:
  Writer(std::unique_ptr<Connection> db, const Clock& clock, Random& random, const Log& log,
         WriterOptions options, WriterListeners listeners);
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // Reads what is known by heart; before `start`.
  [[nodiscard]] Result<void> load();
  void start();
  // Ends the group that is under way; what is queued behind it is answered `stopped`.
  void stop();

  // Any thread.
  void push(std::unique_ptr<WriteOperation> operation);
  void on_due(Inbox::DueHint hint);
  [[nodiscard]] std::size_t queued() const;
  [[nodiscard]] std::int64_t commits() const { return commits_.load(std::memory_order_relaxed); }
  [[nodiscard]] InFlight in_flight() const { return state_.claims.in_flight(); }
  [[nodiscard]] std::size_t in_flight_count() const { return state_.claims.size(); }
  // Has the thread finish a checkpoint that is nearly done, between two groups: only so can the
  // WAL start over while writes keep coming.
  void finish_checkpoint() { is_checkpoint_wanted_ = true; }
  // Has the thread empty the WAL, between two groups: after a checkpoint there is little left to
  // do. Where a read stands in the way for more than a moment, nothing happens.
  void empty_wal();

 private:
  using Group = std::vector<std::unique_ptr<WriteOperation>>;

  // Why it is not taken into the queue; empty when it is. With the lock held.
  [[nodiscard]] std::optional<Error> refusal_of(const WriteOperation& operation) const;
  void work();
  // Waits for work. Empty when it is to stop; a group of none when the WAL is to be emptied.
  [[nodiscard]] std::optional<Group> take_group();
  // Under the lock: the queue is worth a group.
  [[nodiscard]] bool is_group_ready() const;
  [[nodiscard]] Transaction make_transaction();
  // Performs and answers what writes nothing, and leaves the others in the group.
  void answer_claims(Group& group);
  void run_group(Group& group);
  // Performs and commits all of them. False: nothing happened, see the connection's failure.
  [[nodiscard]] bool commit(std::span<std::unique_ptr<WriteOperation>> operations);
  void run_apart(Group& group);
  // Takes back what they did, for the connection's failure.
  void fail_all(Group& group);
  void roll_back();
  void note_failure(const Error& error);
  void note_success();
  void tell_hints();
  void checkpoint();
  void truncate_wal();

  std::unique_ptr<Connection> db_;
  const Clock& clock_;
  Random& random_;
  const Log& log_;
  WriterOptions options_;
  WriterListeners listeners_;
  WriterState state_;
  int wal_pages_ = 0;
  bool is_failing_ = false;
  bool empties_wal_ = false;  // after this group
  std::atomic<std::int64_t> commits_ = 0;
  std::atomic<bool> is_checkpoint_wanted_ = false;

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  Group queue_;
  std::size_t queued_bytes_ = 0;
  std::size_t queued_claims_ = 0;
  std::size_t wanted_ = 1;      // how many queued operations wake the thread
  std::size_t last_group_ = 0;  // how many there were
  bool is_stopping_ = false;
  bool is_emptying_wanted_ = false;

  std::mutex hint_mutex_;
  Inbox::DueHint hint_;

  std::thread thread_;
};

}  // namespace dispatcher::sqlite
