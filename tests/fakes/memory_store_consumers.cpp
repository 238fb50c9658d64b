// Consumers over HTTP: leases, acknowledgements, reports, deletion.
#include "fakes/memory_store_perform.hpp"

#include <algorithm>

namespace dispatcher::fakes {
namespace {

Error not_found(const EventId& id) {
  return make_error(ErrorKind::not_found, "Event with ID " + to_string(id) + " not found");
}

Error held(const EventId& id) {
  return make_error(ErrorKind::conflict,
                    "Lease of event " + to_string(id) + " is held by another consumer");
}

std::int64_t millis_between(WallTime from, WallTime to) {
  return std::max<std::int64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(to - from).count(), 0);
}

}  // namespace

boost::asio::awaitable<Result<LeasedEvents>> MemoryStore::lease(LeaseRequest request) {
  auto apply = [this, request = std::move(request)] { return lease_now(request); };
  return perform<LeasedEvents>(StoreOperation::consume, std::move(apply));
}

Result<LeasedEvents> MemoryStore::lease_now(const LeaseRequest& request) {
  const WallTime now = clock_.wall();
  LeasedEvents leased;
  leased.token = "lease-" + std::to_string(disk_.next_token++);
  std::map<std::pair<WallTime, std::int64_t>, MemoryEvent*> due;
  for (auto& [id, row] : disk_.events) {
    if (row.status != EventStatus::pending || row.is_leased(now) || is_in_flight(row)) {
      continue;
    }
    std::optional<WallTime> earliest;
    for (const auto& [number, delivery] : row.deliveries) {
      if (delivery.state == DeliveryState::waiting && delivery.due <= now) {
        earliest = earliest ? std::min(*earliest, delivery.due) : delivery.due;
      }
    }
    if (earliest) {
      due.emplace(std::pair{*earliest, row.sequence}, &row);
    }
  }
  for (const auto& [order, row] : due) {
    if (leased.events.size() == request.limit) {
      break;
    }
    row->lease_token = leased.token;
    row->lease_until = now + request.duration;
    leased.events.push_back(view_of(*row, false));
  }
  return leased;
}

bool MemoryStore::is_held_by_another(const MemoryEvent& row, const std::string& token) const {
  return row.lease_token != token && (row.is_leased(clock_.wall()) || is_in_flight(row));
}

boost::asio::awaitable<Result<std::vector<bool>>> MemoryStore::renew(
    std::string token, std::vector<EventId> ids, std::chrono::seconds duration) {
  auto apply = [this, token = std::move(token), ids = std::move(ids),
                duration]() -> Result<std::vector<bool>> {
    std::vector<bool> renewed;
    for (const EventId& id : ids) {
      MemoryEvent* row = find(id);
      const bool is_ours = row != nullptr && row->status == EventStatus::pending &&
                           !token.empty() && row->lease_token == token;
      if (is_ours) {
        row->lease_until = clock_.wall() + duration;
      }
      renewed.push_back(is_ours);
    }
    return renewed;
  };
  return perform<std::vector<bool>>(StoreOperation::consume, std::move(apply));
}

boost::asio::awaitable<Result<std::vector<Result<AckAnswer>>>> MemoryStore::ack(
    std::vector<EventId> ids, std::optional<std::string> token) {
  auto apply = [this, ids = std::move(ids),
                token = std::move(token)]() -> Result<std::vector<Result<AckAnswer>>> {
    std::vector<Result<AckAnswer>> answers;
    for (const EventId& id : ids) {
      answers.push_back(ack_now(id, token));
    }
    return answers;
  };
  return perform<std::vector<Result<AckAnswer>>>(StoreOperation::consume, std::move(apply));
}

Result<AckAnswer> MemoryStore::ack_now(const EventId& id, const std::optional<std::string>& token) {
  MemoryEvent* row = find(id);
  if (row == nullptr) {
    return not_found(id);
  }
  if (row->status != EventStatus::delivered) {
    if (token && is_held_by_another(*row, *token)) {
      return held(id);
    }
    row->updated_at = clock_.wall();
    row->latency_ms = millis_between(row->event->created_at, row->updated_at);
    for (auto& [number, delivery] : row->deliveries) {
      if (delivery.state != DeliveryState::delivered) {
        delivery.state = DeliveryState::discarded;
        delivery.reason.reset();
      }
    }
    forget_claims_of(id);
    update_status(*row);
  }
  const EventProgress progress = view_of(*row, false).progress;
  return AckAnswer{id, row->status, row->updated_at, progress.delivery_latency_ms.value_or(0)};
}

boost::asio::awaitable<Result<EventView>> MemoryStore::nack(EventId id, std::string token,
                                                            NackRequest request) {
  auto apply = [this, id, token = std::move(token), request = std::move(request)] {
    return nack_now(id, token, request);
  };
  return perform<EventView>(StoreOperation::consume, std::move(apply));
}

Result<EventView> MemoryStore::nack_now(const EventId& id, const std::string& token,
                                        const NackRequest& request) {
  MemoryEvent* row = find(id);
  if (row == nullptr) {
    return not_found(id);
  }
  if (row->status == EventStatus::pending && is_held_by_another(*row, token)) {
    return held(id);
  }
  if (row->status != EventStatus::pending || token.empty() || row->lease_token != token) {
    return make_error(ErrorKind::refused,
                      "Event " + to_string(id) + " is not leased under that token");
  }
  row->lease_token.clear();
  apply_nack(*row, request);
  update_status(*row);
  became_due(*row);
  return view_of(*row, true);
}

void MemoryStore::apply_nack(MemoryEvent& row, const NackRequest& request) {
  const WallTime now = clock_.wall();
  for (const Attempt& attempt : request.attempts) {
    record_reported(row, attempt);
  }
  for (const std::string& id : request.delivered) {
    MemoryDelivery& delivery = named_delivery(row, id);
    if (delivery.state != DeliveryState::delivered) {
      delivery.state = DeliveryState::delivered;
      delivery.reason.reset();
      delivery.delivered_at = now;
      note_delivered(find_endpoint(id)->endpoint.number);
    }
  }
  const bool is_failure =
      request.error || request.reason ||
      std::any_of(request.attempts.begin(), request.attempts.end(), [](const Attempt& attempt) {
        return attempt.outcome != Outcome::abandoned && attempt.outcome != Outcome::delivered;
      });
  if (is_failure || !request.delivered.empty()) {
    row.updated_at = now;
  }
  for (auto& [number, delivery] : row.deliveries) {
    if (!is_failure || delivery.state != DeliveryState::waiting) {
      continue;
    }
    if (request.error) {
      delivery.last_error = request.error;
    }
    const MemoryEndpoint* endpoint = std::as_const(*this).find_endpoint(number);
    const auto schedule =
        endpoint == nullptr ? RetryPolicy::default_schedule() : endpoint->endpoint.retry.schedule;
    const auto step = static_cast<std::size_t>(delivery.progress.step);
    if (request.reason || (!request.retry_after && step >= schedule.size())) {
      send_to_review(row, number, request.reason.value_or(ReviewReason::exhausted));
      continue;
    }
    const std::chrono::microseconds wait =
        request.retry_after ? *request.retry_after : std::chrono::microseconds{schedule[step]};
    delivery.due = std::max(delivery.due, now + wait);  // what waits longer still does
    delivery.progress.retries_used = 0;
    delivery.progress.step = static_cast<int>(std::min(step + 1, schedule.size()));
  }
}

void MemoryStore::record_reported(MemoryEvent& row, Attempt attempt) {
  MemoryDelivery& delivery = named_delivery(row, attempt.endpoint_id);
  attempt.number = ++delivery.progress.attempts;
  delivery.last_attempt = attempt.started_at;
  delivery.last_status = attempt.status;
  delivery.last_error = attempt.error;
  const EndpointNumber number = find_endpoint(attempt.endpoint_id)->endpoint.number;
  note_attempt(row, number, std::move(attempt));
}

MemoryDelivery& MemoryStore::named_delivery(MemoryEvent& row, const std::string& endpoint_id) {
  const MemoryEndpoint* known = find_endpoint(endpoint_id);
  if (known == nullptr) {
    MemoryEndpoint named;
    named.endpoint.number = disk_.next_endpoint++;
    named.endpoint.id = endpoint_id;
    named.endpoint.state = EndpointState::disabled;
    known = &disk_.endpoints.emplace_back(std::move(named));
  }
  MemoryDelivery fresh;
  fresh.due = row.event->created_at;
  return row.deliveries.try_emplace(known->endpoint.number, fresh).first->second;
}

boost::asio::awaitable<Result<void>> MemoryStore::erase(EventId id) {
  auto apply = [this, id] { return erase_now(id); };
  return perform<void>(StoreOperation::consume, std::move(apply));
}

Result<void> MemoryStore::erase_now(const EventId& id) {
  const auto row = disk_.events.extract(id);
  if (!row) {
    return not_found(id);
  }
  disk_.by_sequence.erase(row.mapped().sequence);
  forget_claims_of(id);
  return {};
}

}  // namespace dispatcher::fakes
