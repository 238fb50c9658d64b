#include "simulation/checker.hpp"

#include "simulation/semantics.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace dispatcher::simulation {
namespace {

using fakes::MemoryEvent;
using fakes::Visit;
using std::chrono::microseconds;

}  // namespace

Checker::Checker(const Scenario& scenario, const fakes::SimWorld& world,
                 const fakes::MemoryStore& store, const fakes::SimReceivers& receivers)
    : scenario_(scenario), world_(world), store_(store), receivers_(receivers) {}

void Checker::fail(std::string what) {
  if (!violation_) {
    violation_ = std::move(what);
  }
}

void Checker::on_accepted(std::size_t planned, const EventId& id) {
  accepted_.emplace(planned, id);
  if (!store_.disk().events.contains(id) && !consumed_[id].may_be_erased) {
    fail("lost: an event was answered and is not there: " + to_string(id));
  }
}

void Checker::on_leased(const EventId& id, MonoTime asked_at, WallTime until) {
  leases_.insert_or_assign(id, Lease{asked_at, until});
}

void Checker::on_releasing(const EventId& id) {
  leases_.erase(id);
}

void Checker::on_reporting(const EventId& id, std::optional<ReviewReason> reason) {
  on_releasing(id);
  if (reason) {
    consumed_[id].may_be_reviewed.insert(*reason);
  } else {
    consumed_[id].may_be_reported = true;
  }
}

std::size_t Checker::on_acknowledging(const EventId& id) {
  on_releasing(id);
  consumed_[id].may_be_acknowledged = true;
  ++consumed_[id].acknowledgements;
  const auto row = store_.disk().events.find(id);
  return row == store_.disk().events.end() ? 0 : ReleaseRules::replays(row->second, std::nullopt);
}

void Checker::on_acknowledged(const EventId& id, std::size_t replays) {
  Consumed& consumed = consumed_[id];
  --consumed.acknowledgements;
  consumed.acknowledged_at = world_.clock().monotonic();
  consumed.replays = std::max(consumed.replays, replays);
}

void Checker::on_erasing(const EventId& id) {
  on_releasing(id);
  consumed_[id].may_be_erased = true;
}

void Checker::on_erased(const EventId& id) {
  consumed_[id].erased_at = world_.clock().monotonic();
}

void Checker::on_life_begins(int process, std::optional<MonoTime> deadline) {
  process_ = process;
  deadline_ = deadline;
  may_abort_from_ = deadline;
  first_visit_ = receivers_.visits().size();
  under_way_.clear();
  pauses_.clear();
  breakers_.clear();
  configuration_.on_life_begins();
}

void Checker::on_stopping(MonoTime may_abort_from) {
  may_abort_from_ = may_abort_from;
}

void Checker::on_life_ends(std::size_t in_flight, bool was_stopping) {
  const bool may_give_up = was_stopping && scenario_.store.settle_fails > 0;
  const std::size_t unrecorded = unrecorded_visits();
  if (unrecorded > in_flight && !may_give_up) {
    fail(fmt::format("{} attempts may be repeated by an end with {} in flight", unrecorded,
                     in_flight));
  }
  for (const auto& [id, row] : store_.disk().events) {
    for (const auto& [number, delivery] : row.deliveries) {
      if (delivery.state != DeliveryState::waiting) {
        ended_in_earlier_life_.insert_or_assign({id, number}, replays_of({id, number}));
      }
    }
  }
  check_erased();
  forget_unrecorded_410s();
}

std::size_t Checker::unrecorded_visits() const {
  std::size_t visits = 0;
  std::size_t known = 0;
  for (const auto& [key, all] : visits_) {
    const auto row = store_.disk().events.find(key.first);
    if (row == store_.disk().events.end()) {
      continue;  // deleted, with its attempts
    }
    const auto is_of_this_life = [this](std::size_t visit) { return visit >= first_visit_; };
    visits += static_cast<std::size_t>(std::count_if(all.begin(), all.end(), is_of_this_life));
    for (const Recorded& one : recorded(row->second, key.second)) {
      known += one.visit != nullptr && one.visit->process == process_ ? 1 : 0;
    }
  }
  return visits > known ? visits - known : 0;
}

void Checker::on_sent(std::size_t index) {
  const Visit& visit = receivers_.visits()[index];
  const auto id = parse_uuid(visit.webhook_id);
  configuration_.adopt(visit.host, number_at(visit.host), world_.clock().monotonic());
  const Endpoint* endpoint = endpoint_at(visit.host);
  if (!id || endpoint == nullptr) {
    fail("a request without a webhook-id, or to nobody's host " + visit.host);
    return;
  }
  const DeliveryKey key{*id, number_of(visit.host)};
  check_limits(*endpoint, visit);
  replays_[index] = {replays_of(key), 0};
  check_not_ended(key, visit);
  check_discard(key, visit);
  check_against_earlier(key, visit);
  check_lease(*id, visit);
  check_pause(visit);
  check_breaker(index, visit);
  check_schedule(key, *endpoint, visit);
  visits_[key].push_back(index);
  under_way_.insert(index);
}

void Checker::on_ended(std::size_t index) {
  const Visit& visit = receivers_.visits()[index];
  under_way_.erase(index);
  if (const auto id = parse_uuid(visit.webhook_id)) {
    replays_[index].at_end = replays_of({*id, number_of(visit.host)});
  }
  const bool is_gone = visit.is_read() && visit.status == 410;
  const bool is_made_by_api = endpoint_at(visit.host)->origin == EndpointOrigin::api;
  breakers_[visit.host].on_ended(index, visit, is_gone && !is_made_by_api);
  if (is_gone) {
    configuration_.on_gone(visit);
    was_gone_.insert(number_of(visit.host));
    gone_.insert_or_assign(number_of(visit.host), index);
  }
  if (visit.ended_at > visit.deadline) {
    fail("a request outlived its deadline");
  }
  const bool is_aborted = visit.failure == FailureKind::aborted;
  if (is_aborted && (!may_abort_from_ || visit.ended_at < may_abort_from_)) {
    fail("given up before a stop's grace had ended: " + visit.webhook_id);
  }
  if (visit.status == 429 && visit.retry_not_before()) {
    const auto length =
        std::min<microseconds>(*visit.retry_not_before() - visit.ended_wall, kMaxRetryAfter);
    const auto known = pauses_.find(visit.host);
    if (known == pauses_.end() ||
        known->second.since + known->second.length < *visit.ended_at + length) {
      pauses_.insert_or_assign(visit.host, Pause{*visit.ended_at, length});
    }
  }
}

void Checker::check_limits(const Endpoint& endpoint, const Visit& visit) {
  const auto at_endpoint =
      std::count_if(under_way_.begin(), under_way_.end(), [&](std::size_t other) {
        return number_of(receivers_.visits()[other].host) == endpoint.number;
      });
  const auto fault = configuration_.fault_of(visit, static_cast<std::size_t>(at_endpoint));
  if (fault) {
    fail(*fault);
  }
  if (under_way_.size() >= scenario_.max_in_flight) {
    fail(fmt::format("{} requests at once, and the most is {}", under_way_.size() + 1,
                     scenario_.max_in_flight));
  }
  if (visit.deadline - visit.sent_at > endpoint.timeout) {
    fail("an attempt was given more than its endpoint's timeout");
  }
  if (deadline_ && visit.deadline > *deadline_) {
    fail("an attempt was started that could end after the run's deadline");
  }
}

void Checker::check_not_ended(const DeliveryKey& key, const Visit& visit) {
  const auto ended = ended_in_earlier_life_.find(key);
  // Where it was deleted nobody knows whether it had been replayed before.
  const auto row = store_.disk().events.find(key.first);
  const bool is_there = row != store_.disk().events.end();
  if (is_there && ended != ended_in_earlier_life_.end() && ended->second == replays_of(key)) {
    fail("sent again though an earlier life had recorded its end: " + visit.webhook_id);
  }
  const auto consumed = consumed_.find(key.first);
  if (consumed == consumed_.end()) {
    return;
  }
  const auto is_over = [&](const std::optional<MonoTime>& answered_at) {
    return answered_at && visit.sent_at > *answered_at + call_time();
  };
  if (is_over(consumed->second.erased_at)) {
    fail("sent though it was deleted: " + visit.webhook_id);
  }
  if (is_over(consumed->second.acknowledged_at) && is_there &&
      ReleaseRules::replays(row->second, std::nullopt) == consumed->second.replays) {
    fail("sent though a consumer had acknowledged it: " + visit.webhook_id);
  }
}

void Checker::check_against_earlier(const DeliveryKey& key, const Visit& visit) {
  const auto known = visits_.find(key);
  if (known == visits_.end()) {
    return;
  }
  const Visit& first = receivers_.visits()[known->second.front()];
  if (first.body != visit.body) {
    fail("the body changed between attempts: " + visit.webhook_id);
  }
  // What was in flight when a consumer acknowledged it is in nobody's way any more.
  const auto consumed = consumed_.find(key.first);
  const bool may_overlap = consumed != consumed_.end() && consumed->second.may_be_acknowledged;
  const bool is_there = store_.disk().events.contains(key.first);
  for (const std::size_t index : known->second) {
    const Visit& earlier = receivers_.visits()[index];
    const bool is_replayed = !is_there || replays_at(earlier).at_start < replays_of(key);
    if (earlier.process != process_) {
      continue;
    }
    if (!earlier.ended_at) {
      if (!is_replayed || !may_overlap) {
        fail("sent while an attempt of it was under way: " + visit.webhook_id);
      }
    } else if (is_replayed) {
      continue;
    } else if (earlier.is_read_success()) {
      fail("sent again after its success was read: " + visit.webhook_id);
    } else if (earlier.is_read() && (is_rejection(earlier.status) || is_redirect(earlier.status))) {
      fail("sent again after an answer that is not retryable: " + visit.webhook_id);
    } else if (earlier.failure == FailureKind::blocked) {
      fail("sent again though policy refuses it: " + visit.webhook_id);
    }
  }
}

// A success was read since, of an attempt that had begun before.
bool Checker::was_overtaken(const EventId& id, MonoTime since) const {
  const auto from = visits_.lower_bound({id, kNoEndpoint});
  for (auto known = from; known != visits_.end() && known->first.first == id; ++known) {
    for (const std::size_t index : known->second) {
      const Visit& visit = receivers_.visits()[index];
      if (visit.sent_at < since && visit.is_read_success() && *visit.ended_at >= since) {
        return true;
      }
    }
  }
  return false;
}

void Checker::check_lease(const EventId& id, const Visit& visit) {
  const auto lease = leases_.find(id);
  if (lease == leases_.end()) {
    return;
  }
  // Where all that was open was discarded, or another consumer acknowledged it, or an attempt that
  // an acknowledgement and a replay had overtaken succeeded, the event had ended, and the lease
  // too.
  const MonoTime since = lease->second.asked_at;
  const auto row = store_.disk().events.find(id);
  const auto consumed = consumed_.find(id);
  const bool may_have_ended =
      (row != store_.disk().events.end() && releases_.has_discard_since(row->second, since)) ||
      (consumed != consumed_.end() &&
       (consumed->second.acknowledgements > 0 || consumed->second.acknowledged_at >= since ||
        was_overtaken(id, since)));
  if (!may_have_ended && world_.latest_wall_since(since) < lease->second.until) {
    fail("sent while a consumer held its lease: " + visit.webhook_id);
  }
}

void Checker::on_resuming(EndpointNumber number) {
  configuration_.on_resuming(number);
}

void Checker::on_resumed(EndpointNumber number) {
  configuration_.on_resumed(number);
  std::erase_if(pauses_, [&](const auto& one) { return number_of(one.first) == number; });
}

void Checker::check_pause(const Visit& visit) {
  if (configuration_.is_resuming(number_of(visit.host))) {
    return;  // it ends any moment
  }
  const auto pause = pauses_.find(visit.host);
  // What was asked for is a time to wait: it is over when that has passed, whatever the wall clock
  // says meanwhile.
  if (pause != pauses_.end() && visit.sent_at > pause->second.since &&
      visit.sent_at < pause->second.since + pause->second.length) {
    fail("sent to an endpoint that a 429 had paused: " + visit.host);
  }
}

void Checker::check_breaker(std::size_t index, const Visit& visit) {
  const auto began = breakers_[visit.host].on_sent(index, visit.sent_at);
  if (began.kind != BreakerModel::Kind::ordinary) {
    kinds_.emplace(index, began.kind);
  }
  if (began.is_too_early) {
    fail("sent though its endpoint's breaker was open: " + visit.host);
  }
}

void Checker::check_schedule(const DeliveryKey& key, const Endpoint& endpoint, const Visit& visit) {
  const auto row = store_.disk().events.find(key.first);
  if (row == store_.disk().events.end()) {
    return;
  }
  const Visit* last = nullptr;
  bool was_probe = false;
  for (const Recorded& one : recorded_since_replay(row->second, key.second)) {
    if (one.visit == nullptr) {
      fail("an attempt is recorded that was not made: " + visit.webhook_id);
      return;
    }
    last = one.visit->failure == FailureKind::aborted ? nullptr : one.visit;
    was_probe = kind_of(*one.visit) != BreakerModel::Kind::ordinary;
  }
  const Failures failures = failures_of(row->second, key.second);
  if (last == nullptr) {
    return;
  }
  const auto consumed = consumed_.find(key.first);
  const bool is_reported = consumed != consumed_.end() && consumed->second.may_be_reported;
  // After a consumer's report the round starts anew: how far it is, is not known here.
  auto wait = is_reported ? shortest_wait(endpoint.retry) : least_wait(endpoint.retry, failures);
  if (was_probe) {
    wait = kAfterProbe;
  }
  if (!wait) {
    fail("sent again after its last attempt: " + visit.webhook_id);
    return;
  }
  WallTime not_before = last->ended_wall + *wait;
  if (last->retry_not_before()) {
    not_before = std::max(not_before,
                          std::min(*last->retry_not_before(), last->ended_wall + kMaxRetryAfter));
  }
  const WallTime latest = world_.latest_wall_since(*last->ended_at);
  if (latest < not_before) {
    fail(fmt::format("attempt {} of {} came {} us too early", failures.most + 1, visit.webhook_id,
                     (not_before - latest).count()));
  }
}

}  // namespace dispatcher::simulation
