#include "adapters/sqlite/readers.hpp"

#include <pthread.h>

namespace dispatcher::sqlite {

Readers::Readers(std::vector<std::unique_ptr<Connection>> connections, const Clock& clock,
                 std::function<InFlight()> in_flight, std::size_t max_queued)
    : connections_(std::move(connections)),
      clock_(clock),
      in_flight_(std::move(in_flight)),
      max_queued_(max_queued) {
  for (const auto& connection : connections_) {
    threads_.emplace_back([this, &connection] {
      pthread_setname_np(pthread_self(), "store-reader");
      work(*connection);
    });
  }
}

Readers::~Readers() {
  {
    const std::lock_guard lock{mutex_};
    is_stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) {
    thread.join();
  }
  const Error stopped = make_error(ErrorKind::stopped, "the store is closing");
  for (auto& operation : queue_) {
    fail(std::move(operation), stopped);
  }
}

void Readers::push(std::unique_ptr<ReadOperation> operation) {
  std::optional<Error> refusal;
  {
    const std::lock_guard lock{mutex_};
    if (is_stopping_) {
      refusal = make_error(ErrorKind::stopped, "the store is closing");
    } else if (queue_.size() >= max_queued_ && operation->admission() == Admission::limited) {
      refusal = make_error(ErrorKind::overloaded, "too many reads wait for the store");
    } else {
      queue_.push_back(std::move(operation));
    }
  }
  if (refusal) {
    fail(std::move(operation), *refusal);
  } else {
    wake_.notify_one();
  }
}

void Readers::work(Connection& db) {
  while (true) {
    std::unique_lock lock{mutex_};
    wake_.wait(lock, [this] { return is_stopping_ || !queue_.empty(); });
    if (is_stopping_) {
      return;
    }
    auto operation = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    run(db, std::move(operation));
  }
}

void Readers::run(Connection& db, std::unique_ptr<ReadOperation> operation) {
  const InFlight in_flight = in_flight_();
  const Reading reading{db, in_flight, micros_since_epoch(clock_.wall())};
  db.execute("BEGIN");
  operation->perform(reading);
  db.execute("COMMIT");
  if (!db.failure()) {
    complete(std::move(operation));
    return;
  }
  fail(std::move(operation), *db.failure());
  db.clear_failure();
  if (db.is_in_transaction()) {
    db.execute("ROLLBACK");
    // What fails here fails the next BEGIN again, and is told there.
    db.clear_failure();
  }
}

}  // namespace dispatcher::sqlite
