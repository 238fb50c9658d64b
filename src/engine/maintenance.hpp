// What the store can do when there is time: retention, routing a backlog to a new endpoint. In
// small steps, so that nothing else waits for long.
#pragma once

#include "base/log.hpp"
#include "engine/wakeup.hpp"
#include "ports/clock.hpp"
#include "ports/store.hpp"

namespace dispatcher {

class Maintenance {
 public:
  // All outlive it; everything runs on the loop of `timers`.
  Maintenance(Store& store, const Clock& clock, Timers& timers, const Log& log,
              RetentionPolicy policy)
      : store_(store), clock_(clock), log_(log), policy_(policy), wakeup_(timers) {}

  // Returns after `stop`. Call once.
  [[nodiscard]] boost::asio::awaitable<void> run();

  // There may be more to do at once: a new endpoint has a backlog.
  void wake();
  void stop();

 private:
  Store& store_;
  const Clock& clock_;
  const Log& log_;
  RetentionPolicy policy_;
  bool is_stopping_ = false;
  bool has_failed_ = false;
  Wakeup wakeup_;
};

}  // namespace dispatcher
