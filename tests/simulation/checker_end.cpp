// What must hold when all has been well for long enough.
#include "simulation/checker.hpp"
#include "simulation/semantics.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace dispatcher::simulation {
namespace {

using fakes::MemoryDelivery;
using fakes::MemoryEvent;
using fakes::Visit;

}  // namespace

bool Checker::is_settled() const {
  if (accepted_.size() != scenario_.events.size()) {
    return false;
  }
  const auto& events = store_.disk().events;
  return std::all_of(events.begin(), events.end(), [](const auto& event) {
    const auto& deliveries = event.second.deliveries;
    return std::all_of(deliveries.begin(), deliveries.end(), [](const auto& one) {
      return one.first == kNoEndpoint || one.second.state != DeliveryState::waiting;
    });
  });
}

void Checker::check_end() {
  for (const auto& [planned, id] : accepted_) {
    check_event_at_end(planned, id);
  }
  std::map<std::string, int> copies;
  for (const auto& [id, row] : store_.disk().events) {
    check_attempts_at_end(row);
    check_status_at_end(row);
    if (const auto fault = releases_.fault_of(row)) {
      fail(*fault);
    }
    if (++copies[row.event->payload] > 1) {
      fail("one request with an idempotency key made two events: " + row.event->payload);
    }
  }
}

void Checker::check_event_at_end(std::size_t planned, const EventId& id) {
  const auto consumed = consumed_.find(id);
  const auto found = store_.disk().events.find(id);
  if (found == store_.disk().events.end()) {
    if (consumed == consumed_.end() || !consumed->second.may_be_erased) {
      fail("lost: an event was answered and is gone: " + to_string(id));
    }
    return;
  }
  const MemoryEvent& row = found->second;
  if (row.event->payload != scenario_.events[planned].payload) {
    fail("the payload is not what was sent: " + to_string(id));
  }
  const bool is_acknowledged = consumed != consumed_.end() && consumed->second.acknowledged_at &&
                               consumed->second.replays == ReleaseRules::replays(row, std::nullopt);
  if (is_acknowledged && row.status == EventStatus::pending) {
    fail("pending though a consumer's acknowledgement was answered: " + to_string(id));
  }
  for (const auto& [number, delivery] : row.deliveries) {
    if (number != kNoEndpoint) {
      check_delivery_at_end(row, number, delivery);
    }
  }
}

void Checker::check_delivery_at_end(const MemoryEvent& row, EndpointNumber number,
                                    const MemoryDelivery& delivery) {
  const EventId& id = row.event->id;
  const auto consumed = consumed_.find(id);
  check_replay_at_end(row, number, delivery);
  switch (delivery.state) {
    case DeliveryState::delivered: {
      const auto& all = visits_[{id, number}];
      if (std::none_of(all.begin(), all.end(), [this](std::size_t visit) {
            return receivers_.visits()[visit].is_read_success();
          })) {
        fail("called delivered though no receiver took it: " + to_string(id));
      }
      break;
    }
    case DeliveryState::review:
      if (!is_review_explained(row, number, *delivery.reason)) {
        fail(fmt::format("in review ({}) without a cause: {}", to_string(*delivery.reason),
                         to_string(id)));
      }
      break;
    case DeliveryState::discarded:
      if ((consumed == consumed_.end() || !consumed->second.may_be_acknowledged) &&
          !releases_.discard(row, endpoint_id_of(number))) {
        fail("discarded though nobody acknowledged or discarded it: " + to_string(id));
      }
      break;
    case DeliveryState::waiting:
    case DeliveryState::in_flight:
      fail("not delivered though its receiver takes everything: " + to_string(id));
  }
}

bool Checker::is_review_explained(const MemoryEvent& row, EndpointNumber number,
                                  ReviewReason reason) const {
  const auto consumed = consumed_.find(row.event->id);
  if (consumed != consumed_.end() &&
      (consumed->second.may_be_reviewed.contains(reason) ||
       (reason == ReviewReason::exhausted && consumed->second.may_be_reported))) {
    return true;
  }
  const Visit* last = nullptr;
  for (const Recorded& one : recorded_since_replay(row, number)) {
    last = one.visit;
  }
  if (last == nullptr) {
    return false;
  }
  switch (reason) {
    case ReviewReason::rejected: return last->is_read() && is_rejection(last->status);
    case ReviewReason::redirected: return last->is_read() && is_redirect(last->status);
    case ReviewReason::blocked: return last->failure == FailureKind::blocked;
    case ReviewReason::exhausted: break;
  }
  const Endpoint* endpoint = endpoint_at(last->host);
  // A probe's failure ends nothing.
  return kind_of(*last) != BreakerModel::Kind::probe &&
         may_be_last(endpoint->retry, failures_of(row, number));
}

void Checker::check_attempts_at_end(const MemoryEvent& row) {
  for (const auto& [number, delivery] : row.deliveries) {
    std::int64_t next = 1;
    for (const Recorded& one : recorded(row, number)) {
      if (one.visit == nullptr) {
        fail("an attempt is recorded that was not made: " + to_string(row.event->id));
        return;
      }
      if (one.attempt->number != next++) {
        fail("attempts are not numbered one after the other: " + to_string(row.event->id));
      }
    }
  }
}

}  // namespace dispatcher::simulation
