#include "adapters/sqlite/writer.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <iterator>

#include <pthread.h>

namespace dispatcher::sqlite {
namespace {

// A group's limits keep the memory of one transaction, and the wait for its end, small.
constexpr std::size_t kMaxGroupOperations = 1'024;
constexpr std::size_t kMaxGroupBytes = 8 * 1024 * 1024;

// Where the last group had this many operations, the next one waits for as many, but no longer than
// this: the cost of a commit, much the same for one operation as for dozens, is shared by more of
// them, and what it adds to a call's time is less than the commit itself takes. Claims are not
// waited over.
constexpr std::size_t kBusyGroup = 8;
constexpr std::chrono::microseconds kLinger{200};

// For the reads that still need the WAL: as long as a read takes, or a commit.
constexpr int kTruncationWaitMs = 20;

int note_wal_pages(void* pages, sqlite3* /*handle*/, const char* /*database*/, int count) {
  *static_cast<int*>(pages) = count;
  return SQLITE_OK;
}

}  // namespace

Writer::Writer(std::unique_ptr<Connection> db, const Clock& clock, Random& random, const Log& log,
               WriterOptions options, WriterListeners listeners)
    : db_(std::move(db)),
      clock_(clock),
      random_(random),
      log_(log),
      options_(std::move(options)),
      listeners_(std::move(listeners)),
      state_(random.next()) {
  // Replaces the hook that checkpoints inside of commits.
  sqlite3_wal_hook(db_->handle(), note_wal_pages, &wal_pages_);
}

Writer::~Writer() {
  stop();
}

void Writer::stop() {
  {
    const std::lock_guard lock{mutex_};
    is_stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) {
    thread_.join();
  }
  const Error stopped = make_error(ErrorKind::stopped, "the store is closing");
  for (auto& operation : queue_) {
    fail(std::move(operation), stopped);
  }
  queue_.clear();
}

Result<void> Writer::load() {
  load_state(*db_, state_);
  if (db_->failure()) {
    return *db_->failure();
  }
  return {};
}

void Writer::start() {
  thread_ = std::thread{[this] {
    pthread_setname_np(pthread_self(), "store-writer");
    work();
  }};
}

std::optional<Error> Writer::refusal_of(const WriteOperation& operation) const {
  if (is_stopping_) {
    return make_error(ErrorKind::stopped, "the store is closing");
  }
  const bool is_full = queue_.size() >= options_.max_queued ||
                       queued_bytes_ + operation.bytes() > options_.max_queued_bytes;
  if (is_full && operation.admission() == Admission::limited) {
    return make_error(ErrorKind::overloaded, "too many writes wait for the store's disk");
  }
  return std::nullopt;
}

void Writer::push(std::unique_ptr<WriteOperation> operation) {
  std::unique_lock lock{mutex_};
  if (const auto refusal = refusal_of(*operation)) {
    lock.unlock();
    fail(std::move(operation), *refusal);
    return;
  }
  queued_bytes_ += operation->bytes();
  queued_claims_ += operation->effect() == Effect::remembered ? 1 : 0;
  queue_.push_back(std::move(operation));
  const bool wakes = is_group_ready();
  lock.unlock();
  if (wakes) {
    wake_.notify_one();
  }
}

void Writer::on_due(Inbox::DueHint hint) {
  const std::lock_guard lock{hint_mutex_};
  hint_ = std::move(hint);
}

std::size_t Writer::queued() const {
  const std::lock_guard lock{mutex_};
  return queue_.size();
}

void Writer::work() {
  while (true) {
    auto group = take_group();
    if (!group) {
      return;
    }
    answer_claims(*group);
    if (!group->empty()) {
      run_group(*group);
    }
    if (std::exchange(empties_wal_, false)) {
      truncate_wal();
    }
    if (is_checkpoint_wanted_.exchange(false)) {
      checkpoint();
    }
  }
}

std::optional<Writer::Group> Writer::take_group() {
  std::unique_lock lock{mutex_};
  wake_.wait(lock, [this] { return is_stopping_ || !queue_.empty() || is_emptying_wanted_; });
  empties_wal_ = std::exchange(is_emptying_wanted_, false);
  if (!empties_wal_ && last_group_ >= kBusyGroup) {
    wanted_ = last_group_;
    wake_.wait_for(lock, kLinger, [this] { return is_stopping_ || is_group_ready(); });
    wanted_ = 1;
  }
  if (is_stopping_) {
    return std::nullopt;
  }
  std::size_t bytes = 0;
  auto end = queue_.begin();
  while (end != queue_.end() && bytes < kMaxGroupBytes &&
         end - queue_.begin() < static_cast<std::ptrdiff_t>(kMaxGroupOperations)) {
    bytes += (*end)->bytes();
    ++end;
  }
  Group group{std::make_move_iterator(queue_.begin()), std::make_move_iterator(end)};
  queue_.erase(queue_.begin(), end);
  queued_bytes_ -= bytes;
  queued_claims_ -= static_cast<std::size_t>(std::ranges::count_if(
      group, [](const auto& operation) { return operation->effect() == Effect::remembered; }));
  last_group_ = group.size();
  return group;
}

bool Writer::is_group_ready() const {
  return queue_.size() >= wanted_ || queued_claims_ > 0;
}

Transaction Writer::make_transaction() {
  return {*db_, state_, random_, options_.consumer_schedule, micros_since_epoch(clock_.wall())};
}

// A read transaction of their own: nothing of the group is written yet, and no failure of the group
// takes back a claim that was given out. What the group then makes due sooner than they say is
// hinted after its commit.
void Writer::answer_claims(Group& group) {
  const auto first_claim = std::stable_partition(
      group.begin(), group.end(),
      [](const auto& operation) { return operation->effect() == Effect::written; });
  if (first_claim == group.end()) {
    return;
  }
  Group claims{std::make_move_iterator(first_claim), std::make_move_iterator(group.end())};
  group.erase(first_claim, group.end());
  Transaction transaction = make_transaction();
  db_->execute("BEGIN");
  for (const auto& operation : claims) {
    operation->perform(transaction);
  }
  db_->execute("COMMIT");
  if (db_->failure()) {
    fail_all(claims);
    return;
  }
  state_.claims.commit();
  complete_all(std::move(claims));
}

void Writer::fail_all(Group& group) {
  const Error error = *db_->failure();
  note_failure(error);
  roll_back();
  for (const auto& operation : group) {
    operation->fail(error);
  }
  complete_all(std::move(group));
}

void Writer::run_group(Group& group) {
  if (commit(group)) {
    note_success();
    complete_all(std::move(group));
    tell_hints();
    return;
  }
  if (db_->is_failure_of_one() && group.size() > 1) {
    run_apart(group);
    return;
  }
  fail_all(group);
}

// One of the group is at fault: each gets a transaction of its own, so that the others do not pay.
void Writer::run_apart(Group& group) {
  roll_back();
  for (auto& operation : group) {
    Group alone;
    alone.push_back(std::move(operation));
    run_group(alone);
  }
}

bool Writer::commit(std::span<std::unique_ptr<WriteOperation>> operations) {
  wal_pages_ = 0;
  Transaction transaction = make_transaction();
  db_->execute("BEGIN");
  for (const auto& operation : operations) {
    operation->perform(transaction);
    if (db_->failure()) {
      return false;
    }
  }
  state_.tallies.write(*db_);
  db_->execute("COMMIT");
  if (db_->failure()) {
    return false;
  }
  state_.tallies.clear();
  state_.claims.commit();
  return true;
}

void Writer::roll_back() {
  db_->clear_failure();
  if (db_->is_in_transaction()) {
    db_->execute("ROLLBACK");
  }
  db_->execute("PRAGMA secure_delete=OFF");  // as it is but for an erasure, which did not end
  state_.tallies.clear();
  state_.claims.roll_back();
  state_.lanes.forget();
  load_state(*db_, state_);
  // A file that cannot be read now fails the next group, which reads it too.
  db_->clear_failure();
}

void Writer::note_failure(const Error& error) {
  if (error.kind == ErrorKind::conflict || error.kind == ErrorKind::invalid) {
    return;  // its caller's fault, not the disk's
  }
  if (!std::exchange(is_failing_, true)) {
    log_.error("the store cannot write; callers are told to try again", {{"error", error.message}});
  }
}

void Writer::note_success() {
  if (wal_pages_ == 0) {
    return;  // nothing was written
  }
  commits_.fetch_add(1, std::memory_order_relaxed);
  if (std::exchange(is_failing_, false)) {
    log_.info("the store can write again");
  }
  listeners_.on_commit(wal_pages_, std::exchange(state_.has_erased, false));
}

void Writer::tell_hints() {
  const std::vector<LaneDue> hints = state_.lanes.take_hints();
  if (hints.empty()) {
    return;
  }
  const std::lock_guard lock{hint_mutex_};
  if (hint_) {
    hint_(hints);
  }
}

void Writer::checkpoint() {
  // Its failure is the checkpointer's to report: it meets the same one.
  (void)sqlite3_wal_checkpoint_v2(db_->handle(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr,
                                  nullptr);
}

void Writer::empty_wal() {
  {
    const std::lock_guard lock{mutex_};
    is_emptying_wanted_ = true;
  }
  wake_.notify_one();
}

void Writer::truncate_wal() {
  sqlite3_busy_timeout(db_->handle(), kTruncationWaitMs);
  const int code = sqlite3_wal_checkpoint_v2(db_->handle(), nullptr, SQLITE_CHECKPOINT_TRUNCATE,
                                             nullptr, nullptr);
  sqlite3_busy_timeout(db_->handle(), kBusyTimeoutMs);
  if (code == SQLITE_OK) {
    listeners_.on_wal_emptied();
  }  // else the checkpointer asks again
}

}  // namespace dispatcher::sqlite
