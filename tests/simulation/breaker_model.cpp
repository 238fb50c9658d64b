#include "simulation/breaker_model.hpp"

#include <algorithm>

namespace dispatcher::simulation {
namespace {

using fakes::Visit;
using std::chrono::minutes;
using std::chrono::seconds;

// "opens at ≥ 20 attempts in 60 s of which ≥ 95 % failed retryably"
constexpr std::size_t kLeastAttempts = 20;
constexpr std::size_t kFailedPercent = 95;
constexpr seconds kWindow{60};
// Who counts in slots may forget an attempt this much earlier.
constexpr seconds kBlur{2};
// "probes after 30 s, doubling to 10 min"
constexpr seconds kFirstWait{30};
constexpr seconds kLongestWait = minutes{10};

enum class Meaning { failed, answered, nothing };

Meaning meaning_of(const Visit& visit) {
  if (visit.failure) {
    const bool says_nothing =
        visit.failure == FailureKind::aborted || visit.failure == FailureKind::blocked;
    return says_nothing ? Meaning::nothing : Meaning::failed;
  }
  return visit.status == 429 || visit.status >= 500 ? Meaning::failed : Meaning::answered;
}

}  // namespace

BreakerModel::Began BreakerModel::on_sent(std::size_t visit, MonoTime now) {
  if (!is_known_) {
    return {Kind::unknown, false};
  }
  if (!is_open_) {
    return {Kind::ordinary, false};
  }
  const bool is_too_early = probe_ || now < probe_from_;
  probe_ = visit;
  return {Kind::probe, is_too_early};
}

void BreakerModel::on_ended(std::size_t index, const Visit& visit, bool opens_at_once) {
  if (!is_known_) {
    return;
  }
  const Meaning meaning = opens_at_once ? Meaning::failed : meaning_of(visit);
  const MonoTime now = *visit.ended_at;
  if (probe_ == index) {
    probe_.reset();
    if (meaning == Meaning::answered) {
      *this = BreakerModel{};
    } else if (meaning == Meaning::failed) {
      open(now);
    } else {
      probe_from_ = now;  // nobody was asked: it may be tried again
    }
    return;
  }
  if (is_open_ || meaning == Meaning::nothing) {
    return;
  }
  if (opens_at_once) {
    open(now);
  } else {
    count(now, meaning == Meaning::failed);
  }
}

void BreakerModel::count(MonoTime at, bool is_failed) {
  ended_.push_back({at, is_failed});
  while (ended_.front().at <= at - kWindow) {
    ended_.pop_front();
  }
  const bool opens = is_failing_without(0);
  for (std::size_t oldest = 0; oldest < ended_.size(); ++oldest) {
    if (ended_[oldest].at > at - kWindow + kBlur) {
      break;
    }
    is_known_ = is_known_ && is_failing_without(oldest + 1) == opens;
  }
  if (is_known_ && opens) {
    open(at);
  }
}

bool BreakerModel::is_failing_without(std::size_t oldest) const {
  const std::size_t attempts = ended_.size() - oldest;
  const auto failed = static_cast<std::size_t>(
      std::count_if(ended_.begin() + static_cast<std::ptrdiff_t>(oldest), ended_.end(),
                    [](const Ended& one) { return one.is_failed; }));
  return attempts >= kLeastAttempts && failed * 100 >= attempts * kFailedPercent;
}

void BreakerModel::open(MonoTime now) {
  is_open_ = true;
  probe_from_ = now + next_wait_;
  next_wait_ = std::min(next_wait_ * 2, kLongestWait);
}

}  // namespace dispatcher::simulation
