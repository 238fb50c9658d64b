#include "adapters/http_inbox/taken_events.hpp"

#include "base/check.hpp"

#include <algorithm>

namespace dispatcher {
namespace {

using State = TakenDelivery::State;

// A wait within a run is at most this, or what the endpoint's own backoff asks for.
constexpr std::chrono::seconds kLongestShortWait{60};
// A delivery whose lease has ended unrenewed is looked at again after this.
constexpr std::chrono::seconds kLeasePause{1};
// How long a lease must outlast the wait that it covers.
constexpr std::chrono::seconds kLeaseMargin{2};

bool is_short(const Again& again, const DeliveryProgress& progress, const RetryPolicy& policy,
              WallTime now) {
  if (again.step != progress.step) {
    return false;  // the round is over
  }
  const auto longest = std::max<std::chrono::microseconds>(
      kLongestShortWait, backoff(policy, again.retries_used, 1.0));
  return again.at - now <= longest;
}

// Whether the receiver asked for a longer wait than the schedule's.
bool is_asked_for(const Again& again, const DeliveryProgress& progress, const RetryPolicy& policy,
                  WallTime now) {
  if (again.step == progress.step) {
    return true;
  }
  const auto step = static_cast<std::size_t>(progress.step);
  const std::chrono::microseconds wait =
      step < policy.schedule.size() ? policy.schedule[step] : std::chrono::seconds{0};
  return again.at - now > wait + wait / 4;  // a quarter is the jitter's
}

}  // namespace

bool TakenEvent::is_delivered() const {
  return std::all_of(deliveries.begin(), deliveries.end(), [](const TakenDelivery& delivery) {
    return delivery.state == State::delivered;
  });
}

bool TakenEvent::is_open() const {
  return std::any_of(deliveries.begin(), deliveries.end(), [](const TakenDelivery& delivery) {
    return delivery.state == State::queued || delivery.state == State::claimed;
  });
}

bool TakenEvent::is_lost() const {
  return std::any_of(deliveries.begin(), deliveries.end(),
                     [](const TakenDelivery& delivery) { return delivery.state == State::lost; });
}

TakenDelivery& TakenEvent::delivery_of(EndpointNumber endpoint) {
  const auto found =
      std::find_if(deliveries.begin(), deliveries.end(),
                   [&](const TakenDelivery& one) { return one.endpoint == endpoint; });
  DISPATCHER_CHECK(found != deliveries.end());
  return *found;
}

TakenEvents::TakenEvents(std::span<const Endpoint> endpoints, ShortWaits waits,
                         MonoTime::duration least_lease)
    : waits_(waits), least_lease_(least_lease) {
  for (const Endpoint& endpoint : endpoints) {
    endpoints_.emplace(endpoint.number, endpoint);
  }
}

std::size_t TakenEvents::add(const InboxEvent& event, EventLease lease,
                             const std::vector<KnownDelivery>& known, WallTime now) {
  const EventId id = event.event->id;
  if (TakenEvent* held = find(id)) {
    held->lease = std::move(lease);
    return 0;
  }
  TakenEvent taken;
  taken.event = event.event;
  taken.lease = std::move(lease);
  std::size_t open = 0;
  for (const auto& [number, endpoint] : endpoints_) {
    const auto found = std::find_if(known.begin(), known.end(),
                                    [&wanted = endpoint.id](const KnownDelivery& delivery) {
                                      return delivery.endpoint_id == wanted;
                                    });
    TakenDelivery delivery;
    delivery.endpoint = number;
    delivery.due = now;
    // With one endpoint the event's attempts are its delivery's.
    delivery.progress.attempts = found != known.end()     ? found->attempts
                                 : endpoints_.size() == 1 ? event.delivery_attempts
                                                          : 0;
    if (found != known.end()) {
      delivery.progress.step = found->step;
      delivery.progress.retries_used = found->retries;
    }
    if (found != known.end() && found->is_delivered) {
      delivery.state = State::delivered;
    } else if (found != known.end() && found->due && *found->due > now) {
      delivery.state = State::again;
      delivery.retry_at = found->due;
    } else if (found != known.end() && found->is_rejected) {
      delivery.state = State::review;
      delivery.reason = ReviewReason::rejected;
    } else {
      ++open;
    }
    taken.deliveries.push_back(delivery);
  }
  TakenEvent& placed = events_.emplace(id, std::move(taken)).first->second;
  for (TakenDelivery& delivery : placed.deliveries) {
    if (delivery.state == State::queued) {
      enqueue(placed, delivery);
    }
  }
  return open;
}

void TakenEvents::enqueue(const TakenEvent& taken, TakenDelivery& delivery) {
  delivery.state = State::queued;
  queues_[delivery.endpoint].emplace(delivery.due, ++last_arrival_, taken.event->id);
}

void TakenEvents::unqueue(const EventId& id) {
  for (auto& [endpoint, queue] : queues_) {
    std::erase_if(queue, [&](const auto& entry) { return std::get<EventId>(entry) == id; });
  }
}

std::optional<ClaimedDelivery> TakenEvents::claim(EndpointNumber endpoint, WallTime now,
                                                  MonoTime mono_now) {
  Queue& queue = queues_[endpoint];
  while (!queue.empty() && std::get<WallTime>(*queue.begin()) <= now) {
    const EventId id = std::get<EventId>(*queue.begin());
    queue.erase(queue.begin());
    TakenEvent& taken = events_.at(id);
    TakenDelivery& delivery = taken.delivery_of(endpoint);
    DISPATCHER_CHECK(delivery.state == State::queued);
    if (!taken.lease.token.empty() && taken.lease.until <= mono_now + least_lease_) {
      delivery.due = now + kLeasePause;
      enqueue(taken, delivery);
      continue;
    }
    delivery.state = State::claimed;
    ++taken.claims;
    const ClaimToken token{++last_token_};
    claims_[token.value] = {
        id, static_cast<std::size_t>(&delivery - taken.deliveries.data()), false, {}};
    return ClaimedDelivery{taken.event, endpoint, token, delivery.progress};
  }
  return std::nullopt;
}

void TakenEvents::hand_out(const std::vector<ClaimRequest>& requests, std::size_t max_bytes,
                           WallTime now, MonoTime mono_now,
                           std::vector<ClaimedDelivery>& deliveries) {
  std::size_t bytes = 0;
  for (const ClaimRequest& request : requests) {
    for (std::size_t i = 0; i < request.max && (bytes < max_bytes || bytes == 0); ++i) {
      auto claimed = claim(request.endpoint, now, mono_now);
      if (!claimed) {
        break;
      }
      bytes += claimed->event->payload.size() + 1;
      deliveries.push_back(std::move(*claimed));
    }
  }
}

bool TakenEvents::has_due(const std::vector<ClaimRequest>& requests, WallTime now) const {
  return std::any_of(requests.begin(), requests.end(), [&](const ClaimRequest& request) {
    const auto due = next_due(request.endpoint);
    return due && *due <= now;
  });
}

std::optional<WallTime> TakenEvents::next_due(EndpointNumber endpoint) const {
  const auto queue = queues_.find(endpoint);
  if (queue == queues_.end() || queue->second.empty()) {
    return std::nullopt;
  }
  return std::get<WallTime>(*queue->second.begin());
}

TakenEvent* TakenEvents::find(ClaimToken token) {
  const auto claim = claims_.find(token.value);
  return claim == claims_.end() ? nullptr : find(claim->second.event);
}

TakenEvent* TakenEvents::find(const EventId& id) {
  const auto found = events_.find(id);
  return found == events_.end() ? nullptr : &found->second;
}

std::optional<WallTime> TakenEvents::record(const Settlement& settlement, WallTime now) {
  Claim& claim = claims_.at(settlement.token.value);
  if (claim.is_recorded) {
    return claim.kept_until;
  }
  claim.is_recorded = true;
  TakenEvent& taken = events_.at(claim.event);
  TakenDelivery& delivery = taken.deliveries.at(claim.index);
  DISPATCHER_CHECK(delivery.state == State::claimed);
  taken.attempts.push_back(settlement.attempt);
  if (std::holds_alternative<Delivered>(settlement.decision)) {
    delivery.state = State::delivered;
    return std::nullopt;
  }
  if (const auto* review = std::get_if<SentToReview>(&settlement.decision)) {
    delivery.state = State::review;
    delivery.reason = review->reason;
    return std::nullopt;
  }
  const auto& again = std::get<Again>(settlement.decision);
  const RetryPolicy& policy = endpoints_.at(delivery.endpoint).retry;
  delivery.retry_at.reset();
  if (is_asked_for(again, delivery.progress, policy, now)) {
    delivery.retry_at = again.at;
  }
  const bool is_kept =
      waits_ == ShortWaits::kept && is_short(again, delivery.progress, policy, now);
  delivery.progress = {settlement.attempt.number, again.retries_used, again.step};
  if (!is_kept) {
    delivery.state = State::again;
    return std::nullopt;
  }
  delivery.due = again.at;
  claim.kept_until = again.at;
  return claim.kept_until;
}

void TakenEvents::requeue(ClaimToken token) {
  const auto claim = claims_.find(token.value);
  if (claim != claims_.end() && claim->second.kept_until) {
    TakenEvent& taken = events_.at(claim->second.event);
    enqueue(taken, taken.deliveries.at(claim->second.index));
  }
  drop_claim(token);
}

void TakenEvents::lose_claim(ClaimToken token) {
  const auto claim = claims_.find(token.value);
  if (claim != claims_.end() && claim->second.kept_until) {
    events_.at(claim->second.event).deliveries.at(claim->second.index).state = State::lost;
  }
  drop_claim(token);
}

bool TakenEvents::put_back(ClaimToken token) {
  const auto claim = claims_.find(token.value);
  DISPATCHER_CHECK(claim != claims_.end() && !claim->second.is_recorded);
  TakenEvent& taken = events_.at(claim->second.event);
  enqueue(taken, taken.deliveries.at(claim->second.index));
  drop_claim(token);
  return taken.attempts.empty() &&
         std::none_of(taken.deliveries.begin(), taken.deliveries.end(),
                      [](const TakenDelivery& one) { return one.state == State::claimed; });
}

void TakenEvents::drop_claim(ClaimToken token) {
  const auto claim = claims_.find(token.value);
  if (claim == claims_.end()) {
    return;
  }
  if (TakenEvent* taken = find(claim->second.event)) {
    --taken->claims;
  }
  claims_.erase(claim);
}

void TakenEvents::erase(const EventId& id) {
  const TakenEvent* taken = find(id);
  if (taken != nullptr && taken->is_open()) {
    unqueue(id);
  }
  events_.erase(id);
}

std::vector<TakenEvent*> TakenEvents::expiring(WallTime now, MonoTime mono_now,
                                               MonoTime::duration margin) {
  std::vector<TakenEvent*> found;
  for (auto& [id, held] : events_) {
    TakenEvent& taken = held;
    if (taken.lease.token.empty() || taken.is_renewing) {
      continue;
    }
    const bool is_expiring = std::any_of(
        taken.deliveries.begin(), taken.deliveries.end(), [&](const TakenDelivery& one) {
          const MonoTime needed =
              one.due <= now ? mono_now + margin : mono_now + (one.due - now) + kLeaseMargin;
          return one.state == State::queued && taken.lease.until < needed;
        });
    if (is_expiring) {
      found.push_back(&taken);
    }
  }
  return found;
}

void TakenEvents::lose(const EventId& id) {
  TakenEvent* taken = find(id);
  if (taken == nullptr) {
    return;
  }
  unqueue(id);
  for (TakenDelivery& delivery : taken->deliveries) {
    if (delivery.state == State::queued) {
      delivery.state = State::lost;
    }
  }
  if (!taken->is_open() && taken->claims == 0) {
    events_.erase(id);
  }
}

std::vector<EventId> TakenEvents::ids() const {
  std::vector<EventId> ids;
  ids.reserve(events_.size());
  for (const auto& [id, taken] : events_) {
    ids.push_back(id);
  }
  return ids;
}

NackRequest TakenEvents::report(const TakenEvent& taken, WallTime now) const {
  NackRequest report;
  report.attempts = taken.attempts;
  for (const Attempt& attempt : taken.attempts) {
    const bool is_failure =
        attempt.outcome != Outcome::delivered && attempt.outcome != Outcome::abandoned;
    if (is_failure) {
      report.error = attempt.error;
    }
  }
  bool waits_for_schedule = false;
  bool is_untried = false;
  std::optional<WallTime> retry_at;
  std::optional<ReviewReason> reason;
  for (const TakenDelivery& delivery : taken.deliveries) {
    const bool has_failed = delivery.state == State::again ||
                            (delivery.state == State::queued && delivery.retry_at.has_value());
    if (delivery.state == State::delivered) {
      report.delivered.push_back(endpoints_.at(delivery.endpoint).id);
    } else if (delivery.state == State::review) {
      reason = reason.value_or(*delivery.reason);
    } else if (has_failed && delivery.retry_at) {
      retry_at = std::min(retry_at.value_or(*delivery.retry_at), *delivery.retry_at);
    } else if (has_failed) {
      waits_for_schedule = true;
    } else {
      is_untried = true;
    }
  }
  if (retry_at && !waits_for_schedule) {
    report.retry_after = std::max<std::chrono::microseconds>(*retry_at - now, {});
  }
  // Review is the whole event's: not while one of its deliveries has still a chance.
  if (!retry_at && !waits_for_schedule && !is_untried) {
    report.reason = reason;
  }
  return report;
}

}  // namespace dispatcher
