#include "adapters/https/deadlines.hpp"

#include <algorithm>

namespace dispatcher {
namespace {

void stop(Watch& watch, Stop reason) {
  watch.stop = reason;
  if (watch.end_wait != nullptr) {
    watch.end_wait(watch.waited_for);
  }
}

}  // namespace

Deadlines::Deadlines(const boost::asio::any_io_executor& loop, const Clock& clock)
    : timer_(loop), clock_(clock) {}

void Deadlines::set(Watch& watch, MonoTime at) {
  watch.unlink();
  if (is_aborted_) {
    watch.stop = Stop::aborted;
    return;
  }
  if (at <= clock_.monotonic()) {
    watch.stop = Stop::timed_out;
    return;
  }
  watch.at = at;
  watch.stop = Stop::none;
  watches_.insert(watch);
  if (at < armed_at_) {
    arm(at);
  }
}

void Deadlines::arm(MonoTime at) {
  armed_at_ = at;
  timer_.expires_after(std::max(at - clock_.monotonic(), MonoTime::duration::zero()));
  timer_.async_wait([weak = weak_from_this()](boost::system::error_code error) {
    const auto self = weak.lock();
    if (self && !error) {  // else it was armed anew, or let go
      self->expire();
    }
  });
}

void Deadlines::expire() {
  armed_at_ = MonoTime::max();
  const MonoTime now = clock_.monotonic();
  while (!watches_.empty() && watches_.begin()->at <= now) {
    Watch& due = *watches_.begin();
    due.unlink();
    stop(due, Stop::timed_out);
  }
  // What was stopped may have set a watch, and so the timer, already.
  if (!watches_.empty() && watches_.begin()->at < armed_at_) {
    arm(watches_.begin()->at);
  }
}

void Deadlines::abort_all() {
  is_aborted_ = true;
  while (!watches_.empty()) {
    Watch& watch = *watches_.begin();
    watch.unlink();
    stop(watch, Stop::aborted);
  }
  timer_.cancel();
  armed_at_ = MonoTime::max();
}

Failure stopped(const Watch& watch) {
  if (watch.stop == Stop::aborted) {
    return {FailureKind::aborted, "given up because the dispatcher is stopping"};
  }
  return {FailureKind::timeout, std::string{watch.phase}};
}

}  // namespace dispatcher
