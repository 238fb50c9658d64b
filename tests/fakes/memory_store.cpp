// The store's way in, and the engine's side of it.
#include "fakes/memory_store.hpp"

#include "fakes/memory_store_perform.hpp"

#include <algorithm>

namespace dispatcher::fakes {
namespace {

// Of the payloads that are claimed with a settlement.
constexpr std::size_t kMaxNextBytes = 4 * 1024 * 1024;

}  // namespace

void MemoryStore::crash() {
  claims_.clear();
  claimed_.clear();
  fresh_review_.clear();
  hint_ = nullptr;
  due_to_tell_.clear();
}

void MemoryStore::on_due(DueHint hint) {
  const std::lock_guard lock{mutex_};
  hint_ = std::move(hint);
}

boost::asio::awaitable<Result<AppendAnswer>> MemoryStore::append(AppendRequest request) {
  auto apply = [this, request = std::move(request)]() mutable {
    return append_now(std::move(request));
  };
  return perform<AppendAnswer>(StoreOperation::append, std::move(apply));
}

boost::asio::awaitable<Result<ClaimAnswer>> MemoryStore::claim(std::vector<ClaimRequest> requests,
                                                               std::size_t max_bytes) {
  auto apply = [this, requests = std::move(requests), max_bytes]() mutable {
    return claim_now(std::move(requests), max_bytes);
  };
  return perform<ClaimAnswer>(StoreOperation::claim, std::move(apply));
}

boost::asio::awaitable<Result<SettleAnswer>> MemoryStore::settle(Settlement settlement) {
  auto apply = [this, settlement = std::move(settlement)]() -> Result<SettleAnswer> {
    const auto settled = settle_now(settlement);
    const MemoryEndpoint* endpoint = std::as_const(*this).find_endpoint(settlement.endpoint);
    SettleAnswer answer;
    if (!settlement.disables_endpoint.empty()) {
      disable(settlement.endpoint, settlement.disables_endpoint);
      const bool is_made_by_api =
          endpoint != nullptr && endpoint->endpoint.origin == EndpointOrigin::api;
      answer.disabled_in = is_made_by_api ? endpoint->revision : 0;
    }
    if (!settled) {
      return settled.error();
    }
    if (settlement.claim_next > 0 && endpoint != nullptr &&
        endpoint->endpoint.state == EndpointState::active) {
      const auto claimed = claim_now({{settlement.endpoint, settlement.claim_next}}, kMaxNextBytes);
      answer.next = claimed->deliveries;
      answer.lane = claimed->lanes.front();
    }
    return answer;
  };
  return perform<SettleAnswer>(StoreOperation::settle, std::move(apply));
}

boost::asio::awaitable<Result<void>> MemoryStore::give_back(std::vector<ClaimToken> tokens) {
  auto apply = [this, tokens = std::move(tokens)]() -> Result<void> {
    for (const ClaimToken& token : tokens) {
      if (const auto claim = claims_.extract(token.value)) {
        const auto& [id, endpoint] = claim.mapped();
        claimed_.erase(claim.mapped());
        if (const MemoryEvent* row = find(id)) {
          became_due(endpoint, row->deliveries.at(endpoint).due);
        }
      }
    }
    return {};
  };
  return perform<void>(StoreOperation::give_back, std::move(apply));
}

Result<AppendAnswer> MemoryStore::append_now(AppendRequest request) {
  const WallTime now = clock_.wall();
  if (request.idempotency) {
    const auto known = disk_.keys.find(request.idempotency->key);
    if (known != disk_.keys.end() && known->second.made_at + kMemoryKeyLifetime > now) {
      if (known->second.body_hash != request.idempotency->body_hash) {
        return make_error(ErrorKind::conflict, "the idempotency key was used with another body");
      }
      AppendAnswer replay = known->second.answer;
      replay.is_replay = true;
      return replay;
    }
  }
  AppendAnswer answer;
  for (Event& event : request.events) {
    answer.events.push_back({event.id, event.created_at});
    MemoryEvent row;
    row.sequence = disk_.next_sequence++;
    row.updated_at = event.created_at;
    row.event = std::make_shared<const Event>(std::move(event));
    route(row);
    became_due(row);
    disk_.by_sequence.emplace(row.sequence, row.event->id);
    disk_.events.insert_or_assign(row.event->id, std::move(row));
  }
  if (request.idempotency) {
    disk_.keys.insert_or_assign(request.idempotency->key,
                                MemoryKey{request.idempotency->body_hash, answer, now});
  }
  return answer;
}

void MemoryStore::route(MemoryEvent& row) {
  MemoryDelivery delivery;
  delivery.due = row.event->created_at;
  for (const MemoryEndpoint& one : disk_.endpoints) {
    if (one.is_routed() && one.endpoint.state != EndpointState::disabled &&
        one.endpoint.filter.matches(row.event->type, row.event->source)) {
      row.deliveries.emplace(one.endpoint.number, delivery);
    }
  }
  if (row.deliveries.empty()) {
    row.deliveries.emplace(kNoEndpoint, delivery);
  }
}

Result<ClaimAnswer> MemoryStore::claim_now(std::vector<ClaimRequest> requests,
                                           std::size_t max_bytes) {
  const WallTime now = clock_.wall();
  ClaimAnswer answer;
  std::size_t bytes = 0;
  for (const ClaimRequest& request : requests) {
    if (const auto* endpoint = find_endpoint(request.endpoint);
        endpoint != nullptr && endpoint->is_removed) {
      continue;  // what still waits is about to be discarded
    }
    std::map<std::pair<WallTime, std::int64_t>, MemoryEvent*> due;
    for (auto& [id, row] : disk_.events) {
      const auto found = row.deliveries.find(request.endpoint);
      if (found != row.deliveries.end() && found->second.state == DeliveryState::waiting &&
          found->second.due <= now && !row.is_leased(now) && !is_claimed(row, request.endpoint)) {
        due.emplace(std::pair{found->second.due, row.sequence}, &row);
      }
    }
    std::size_t taken = 0;
    for (const auto& [order, row] : due) {
      const bool is_first = answer.deliveries.empty();
      if (taken == request.max || (!is_first && bytes + row->event->payload.size() > max_bytes)) {
        break;
      }
      ++taken;
      bytes += row->event->payload.size();
      // An expired lease that nobody has taken is its holder's; now it is taken.
      row->lease_token.clear();
      const ClaimToken token{disk_.next_token++};
      claims_.emplace(token.value, DeliveryKey{row->event->id, request.endpoint});
      claimed_.insert({row->event->id, request.endpoint});
      answer.deliveries.push_back(
          {row->event, request.endpoint, token, row->deliveries.at(request.endpoint).progress});
    }
  }
  for (const ClaimRequest& request : requests) {
    answer.lanes.push_back({request.endpoint, next_due(request.endpoint)});
  }
  return answer;
}

std::optional<WallTime> MemoryStore::next_due(EndpointNumber endpoint) const {
  std::optional<WallTime> next;
  if (const auto* known = find_endpoint(endpoint); known != nullptr && known->is_removed) {
    return next;
  }
  for (const auto& [id, row] : disk_.events) {
    const auto found = row.deliveries.find(endpoint);
    if (found == row.deliveries.end() || found->second.state != DeliveryState::waiting ||
        is_claimed(row, endpoint)) {
      continue;
    }
    const WallTime at = row.is_leased(clock_.wall()) ? std::max(found->second.due, row.lease_until)
                                                     : found->second.due;
    next = next ? std::min(*next, at) : at;
  }
  return next;
}

Result<void> MemoryStore::settle_now(Settlement settlement) {
  const auto claim = claims_.extract(settlement.token.value);
  const DeliveryKey key{settlement.event_id, settlement.endpoint};
  const bool is_holder = claim && claim.mapped() == key;
  if (is_holder) {
    claimed_.erase(key);
  }
  MemoryEvent* row = find(settlement.event_id);
  if (row == nullptr || !row->deliveries.contains(settlement.endpoint)) {
    return make_error(ErrorKind::not_found, "the event was deleted");
  }
  MemoryDelivery& delivery = row->deliveries.at(settlement.endpoint);
  ++delivery.progress.attempts;
  delivery.last_attempt = settlement.attempt.started_at;
  const bool is_settled =
      delivery.state == DeliveryState::delivered || delivery.state == DeliveryState::discarded;
  const bool is_success = std::holds_alternative<Delivered>(settlement.decision);
  const bool is_recorded = !is_settled && (is_success || is_holder);
  if (is_recorded) {
    delivery.last_status = settlement.attempt.status;
    delivery.last_error = settlement.attempt.error;
    delivery.reason.reset();
    const MemoryEndpoint* endpoint = find_endpoint(settlement.endpoint);
    if (is_success) {
      delivery.state = DeliveryState::delivered;
      delivery.delivered_at = clock_.wall();
      note_delivered(settlement.endpoint);
    } else if (endpoint != nullptr && endpoint->is_removed) {
      discard(*row, settlement.endpoint, endpoint->discard_note.value_or(ReleaseNote{}));
    } else if (const auto* again = std::get_if<Again>(&settlement.decision)) {
      delivery.state = DeliveryState::waiting;
      delivery.due = again->at;
      delivery.progress.retries_used = again->retries_used;
      delivery.progress.step = again->step;
      became_due(settlement.endpoint, again->at);
    } else if (endpoint != nullptr && settlement.token.value < endpoint->replaced_at) {
      delivery.state = DeliveryState::waiting;
      delivery.due = clock_.wall();
      delivery.progress.retries_used = 0;
      delivery.progress.step = 0;
      became_due(settlement.endpoint, delivery.due);
    } else {
      send_to_review(*row, settlement.endpoint, std::get<SentToReview>(settlement.decision).reason);
    }
    row->updated_at = clock_.wall();
    update_status(*row);
  }
  // Where a replay overtook it, it is not the number that its claimer counted to.
  settlement.attempt.number = delivery.progress.attempts;
  note_attempt(*row, settlement.endpoint, std::move(settlement.attempt));
  const bool is_known = is_success && delivery.state == DeliveryState::delivered;
  if (!is_recorded && !is_known) {
    return make_error(ErrorKind::conflict, "the delivery has ended or another holds it");
  }
  return {};
}

void MemoryStore::update_status(MemoryEvent& row) {
  const auto has = [&row](DeliveryState state) {
    return std::any_of(row.deliveries.begin(), row.deliveries.end(),
                       [state](const auto& one) { return one.second.state == state; });
  };
  if (has(DeliveryState::waiting) || has(DeliveryState::review)) {
    row.status = EventStatus::pending;
    return;
  }
  row.status = has(DeliveryState::delivered) || row.latency_ms ? EventStatus::delivered
                                                               : EventStatus::failed;
  row.lease_token.clear();
}

void MemoryStore::became_due(EndpointNumber endpoint, WallTime due) {
  const auto [known, is_new] = due_to_tell_.emplace(endpoint, due);
  known->second = std::min(known->second, due);
}

void MemoryStore::became_due(const MemoryEvent& row) {
  for (const auto& [endpoint, delivery] : row.deliveries) {
    if (delivery.state == DeliveryState::waiting) {
      became_due(endpoint, delivery.due);
    }
  }
}

void MemoryStore::tell_what_became_due() {
  std::vector<LaneDue> lanes;
  DueHint hint;
  {
    const std::lock_guard lock{mutex_};
    for (const auto& [endpoint, due] : std::exchange(due_to_tell_, {})) {
      if (endpoint != kNoEndpoint) {
        lanes.push_back({endpoint, due});
      }
    }
    hint = hint_;
  }
  if (hint && !lanes.empty()) {
    hint(lanes);
  }
}

bool MemoryStore::is_claimed(const MemoryEvent& row, EndpointNumber endpoint) const {
  return claimed_.contains({row.event->id, endpoint});
}

bool MemoryStore::is_in_flight(const MemoryEvent& row) const {
  return std::any_of(row.deliveries.begin(), row.deliveries.end(),
                     [&](const auto& one) { return is_claimed(row, one.first); });
}

void MemoryStore::forget_claims_of(const EventId& id) {
  std::erase_if(claims_, [&id](const auto& claim) { return claim.second.first == id; });
  std::erase_if(claimed_, [&id](const auto& key) { return key.first == id; });
}

MemoryEvent* MemoryStore::find(const EventId& id) {
  const auto found = disk_.events.find(id);
  return found == disk_.events.end() ? nullptr : &found->second;
}

const MemoryEndpoint* MemoryStore::find_endpoint(EndpointNumber number) const {
  const auto found = std::lower_bound(disk_.endpoints.begin(), disk_.endpoints.end(), number,
                                      [](const MemoryEndpoint& row, EndpointNumber wanted) {
                                        return row.endpoint.number < wanted;
                                      });
  return found == disk_.endpoints.end() || found->endpoint.number != number ? nullptr : &*found;
}

MemoryEndpoint* MemoryStore::find_endpoint(EndpointNumber number) {
  return const_cast<MemoryEndpoint*>(std::as_const(*this).find_endpoint(number));
}

MemoryEndpoint* MemoryStore::find_endpoint(const std::string& id) {
  const auto found = std::find_if(disk_.endpoints.begin(), disk_.endpoints.end(),
                                  [&id](const auto& row) { return row.endpoint.id == id; });
  return found == disk_.endpoints.end() ? nullptr : &*found;
}

}  // namespace dispatcher::fakes
