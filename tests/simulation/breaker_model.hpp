// The breaker as the page of the delivery semantics has it, told from outside: from when attempts
// began and how they ended. It keeps every attempt of the last minute instead of counting in slots,
// and says that it does not know where the page leaves room.
#pragma once

#include "fakes/sim_http_client.hpp"

#include <chrono>
#include <cstddef>
#include <deque>
#include <optional>
#include <set>

namespace dispatcher::simulation {

class BreakerModel {
 public:
  // What an attempt that begins now is.
  enum class Kind { ordinary, probe, unknown };
  struct Began {
    Kind kind = Kind::ordinary;
    bool is_too_early = false;  // it is open, and its wait is not over or a probe is under way
  };

  Began on_sent(std::size_t visit, MonoTime now);
  // `opens_at_once`: the answer says that the endpoint is gone.
  void on_ended(std::size_t index, const fakes::Visit& visit, bool opens_at_once);
  // From now on it cannot be told any more.
  void lose_track() { is_known_ = false; }

 private:
  struct Ended {
    MonoTime at;
    bool is_failed;
  };

  void count(MonoTime at, bool is_failed);
  // Of those of the last minute but the oldest ones.
  [[nodiscard]] bool is_failing_without(std::size_t oldest) const;
  void open(MonoTime now);

  bool is_known_ = true;
  bool is_open_ = false;
  std::chrono::seconds next_wait_{30};
  MonoTime probe_from_{};
  std::optional<std::size_t> probe_;  // under way
  std::deque<Ended> ended_;
};

}  // namespace dispatcher::simulation
