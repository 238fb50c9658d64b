// The threads that read, each with a connection of its own: a read never waits for a commit.
#pragma once

#include "adapters/sqlite/connection.hpp"
#include "adapters/sqlite/operation.hpp"
#include "adapters/sqlite/queries.hpp"
#include "ports/clock.hpp"

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace dispatcher::sqlite {

using ReadOperation = Operation<const Reading>;

class Readers {
 public:
  // A thread for each connection. `in_flight` says what is in flight now.
  Readers(std::vector<std::unique_ptr<Connection>> connections, const Clock& clock,
          std::function<InFlight()> in_flight, std::size_t max_queued);
  // Ends the reads that are under way; what is queued behind them is answered `stopped`.
  ~Readers();
  Readers(const Readers&) = delete;
  Readers& operator=(const Readers&) = delete;

  // Any thread.
  void push(std::unique_ptr<ReadOperation> operation);

 private:
  void work(Connection& db);
  void run(Connection& db, std::unique_ptr<ReadOperation> operation);

  std::vector<std::unique_ptr<Connection>> connections_;
  const Clock& clock_;
  std::function<InFlight()> in_flight_;
  std::size_t max_queued_;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::unique_ptr<ReadOperation>> queue_;
  bool is_stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace dispatcher::sqlite
