// The deadlines of everything a client waits for, on one timer that is set anew only when something
// is due sooner than it.
#pragma once

#include "base/time.hpp"
#include "model/exchange.hpp"
#include "ports/clock.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/intrusive/set.hpp>

#include <memory>
#include <string_view>

namespace dispatcher {

enum class Stop : std::uint8_t { none, timed_out, aborted };

// One thing with a deadline, while it lives. It has one wait under way at most, which ends early
// when the deadline passes; `stop` then says why. To be looked at before each wait too: a deadline
// that passes between two waits ends neither.
class Watch : public boost::intrusive::set_base_hook<
                  boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  MonoTime at{};
  Stop stop = Stop::none;
  std::string_view phase;  // what is being done, for the message; a literal

  // How the wait under way is ended; called once, on the loop.
  void (*end_wait)(void* waited_for) = nullptr;
  void* waited_for = nullptr;

  friend bool operator<(const Watch& left, const Watch& right) { return left.at < right.at; }
};

// A wait on something that has `cancel()`, for the time of a block.
template <class Cancellable>
class Waiting {
 public:
  Waiting(Watch& watch, Cancellable& waited_for) : watch_(watch) {
    watch_.waited_for = &waited_for;
    watch_.end_wait = [](void* pointer) { static_cast<Cancellable*>(pointer)->cancel(); };
  }
  ~Waiting() { watch_.end_wait = nullptr; }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

 private:
  Watch& watch_;
};

// Shared with handlers in the loop's queue, which may outlive the client.
class Deadlines : public std::enable_shared_from_this<Deadlines> {
 public:
  Deadlines(const boost::asio::any_io_executor& loop, const Clock& clock);

  // From now on the watch is stopped at this time; an earlier time given to it is forgotten. When
  // that time has passed, or after `abort_all`, it is stopped here.
  void set(Watch& watch, MonoTime at);
  // Stops every watch, and lets the timer go.
  void abort_all();

  [[nodiscard]] const Clock& clock() const { return clock_; }
  [[nodiscard]] MonoTime now() const { return clock_.monotonic(); }
  [[nodiscard]] bool is_aborted() const { return is_aborted_; }

 private:
  using Watches = boost::intrusive::multiset<Watch, boost::intrusive::constant_time_size<false>>;

  void arm(MonoTime at);
  void expire();

  boost::asio::steady_timer timer_;
  const Clock& clock_;
  Watches watches_;
  MonoTime armed_at_ = MonoTime::max();
  bool is_aborted_ = false;
};

// Why a stopped watch ended: `timeout: connecting`, or `aborted: …`.
[[nodiscard]] Failure stopped(const Watch& watch);

}  // namespace dispatcher
