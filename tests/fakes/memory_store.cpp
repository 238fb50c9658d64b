// The store's way in and the engine's side; consumers and readers are in memory_store_views.cpp.
#include "fakes/memory_store.hpp"

#include "fakes/memory_store_perform.hpp"

#include <algorithm>

namespace dispatcher::fakes {
namespace {

constexpr std::chrono::hours kKeyLifetime{24};
constexpr std::size_t kMaintenanceStep = 100;

}  // namespace

void MemoryStore::crash() {
  claims_.clear();
  claimed_.clear();
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

boost::asio::awaitable<Result<void>> MemoryStore::settle(Settlement settlement) {
  auto apply = [this, settlement = std::move(settlement)]() mutable {
    return settle_now(std::move(settlement));
  };
  return perform<void>(StoreOperation::settle, std::move(apply));
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

boost::asio::awaitable<Result<std::vector<Endpoint>>> MemoryStore::configure_endpoints(
    std::vector<Endpoint> endpoints, std::vector<Sha256Digest> url_hashes) {
  auto apply = [this, endpoints = std::move(endpoints),
                url_hashes = std::move(url_hashes)]() mutable {
    return configure_now(std::move(endpoints), std::move(url_hashes));
  };
  return perform<std::vector<Endpoint>>(StoreOperation::configure, std::move(apply));
}

boost::asio::awaitable<Result<bool>> MemoryStore::maintain(RetentionPolicy policy) {
  auto apply = [this, policy] { return maintain_now(policy); };
  return perform<bool>(StoreOperation::maintain, std::move(apply));
}

Result<AppendAnswer> MemoryStore::append_now(AppendRequest request) {
  const WallTime now = clock_.wall();
  if (request.idempotency) {
    const auto known = disk_.keys.find(request.idempotency->key);
    if (known != disk_.keys.end() && known->second.made_at + kKeyLifetime > now) {
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
    if (one.endpoint.state != EndpointState::disabled &&
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
  const MemoryEndpoint* endpoint = find_endpoint(settlement.endpoint);
  settlement.attempt.endpoint_id = endpoint == nullptr ? "" : endpoint->endpoint.id;
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
    if (is_success) {
      delivery.state = DeliveryState::delivered;
      delivery.delivered_at = clock_.wall();
    } else if (const auto* again = std::get_if<Again>(&settlement.decision)) {
      delivery.state = DeliveryState::waiting;
      delivery.due = again->at;
      delivery.progress.retries_used = again->retries_used;
      delivery.progress.step = again->step;
      became_due(settlement.endpoint, again->at);
    } else {
      delivery.state = DeliveryState::review;
      delivery.reason = std::get<SentToReview>(settlement.decision).reason;
    }
    row->updated_at = clock_.wall();
    update_status(*row);
  }
  row->attempts.push_back(std::move(settlement.attempt));
  const bool is_known = is_success && delivery.state == DeliveryState::delivered;
  if (!is_recorded && !is_known) {
    return make_error(ErrorKind::conflict, "the delivery has ended or another holds it");
  }
  return {};
}

Result<std::vector<Endpoint>> MemoryStore::configure_now(std::vector<Endpoint> endpoints,
                                                         std::vector<Sha256Digest> url_hashes) {
  std::vector<MemoryEndpoint*> left;
  for (MemoryEndpoint& row : disk_.endpoints) {
    const bool is_named =
        std::find(url_hashes.begin(), url_hashes.end(), row.url_hash) != url_hashes.end();
    if (!is_named && row.endpoint.state != EndpointState::disabled) {
      left.push_back(&row);
    }
  }
  const auto came = std::count_if(url_hashes.begin(), url_hashes.end(), [this](const auto& hash) {
    return std::none_of(disk_.endpoints.begin(), disk_.endpoints.end(),
                        [&hash](const MemoryEndpoint& row) { return row.url_hash == hash; });
  });
  MemoryEndpoint* replaced = left.size() == 1 && came == 1 ? left[0] : nullptr;
  for (MemoryEndpoint* row : left) {
    if (row != replaced) {
      row->endpoint.state = EndpointState::disabled;
    }
  }
  for (std::size_t i = 0; i < endpoints.size(); ++i) {
    MemoryEndpoint& row = endpoint_for(endpoints[i], url_hashes[i], replaced);
    endpoints[i].number = row.endpoint.number;
    endpoints[i].id = row.endpoint.id;
    if (row.endpoint.state == EndpointState::paused) {
      endpoints[i].state = EndpointState::paused;
    }
    row.endpoint = endpoints[i];
  }
  return endpoints;
}

MemoryEndpoint& MemoryStore::endpoint_for(Endpoint& endpoint, const Sha256Digest& url_hash,
                                          MemoryEndpoint* replaced) {
  for (MemoryEndpoint& row : disk_.endpoints) {
    if (row.url_hash == url_hash) {
      return row;
    }
  }
  if (replaced != nullptr) {
    take_over(*replaced, endpoint, url_hash);
    return *replaced;
  }
  for (MemoryEndpoint& row : disk_.endpoints) {
    if (row.endpoint.id != endpoint.id) {
      continue;
    }
    if (!row.url_hash) {  // so far only a consumer's name for it
      row.url_hash = url_hash;
      row.wants_backlog = true;
      return row;
    }
    // Its id went to the URL that took its place.
    endpoint.id += "-" + std::to_string(disk_.next_endpoint);
    break;
  }
  endpoint.number = disk_.next_endpoint++;
  disk_.endpoints.push_back({endpoint, url_hash, true});
  return disk_.endpoints.back();
}

void MemoryStore::take_over(MemoryEndpoint& row, const Endpoint& endpoint,
                            const Sha256Digest& url_hash) {
  row.url_hash = url_hash;
  row.endpoint.url = endpoint.url;
  for (auto& [id, event] : disk_.events) {
    const auto delivery = event.deliveries.find(row.endpoint.number);
    if (delivery != event.deliveries.end() && delivery->second.state == DeliveryState::review) {
      delivery->second.state = DeliveryState::waiting;
      delivery->second.reason.reset();
      delivery->second.due = clock_.wall();
      delivery->second.progress.retries_used = 0;
      delivery->second.progress.step = 0;
      became_due(row.endpoint.number, delivery->second.due);
    }
  }
}

Result<bool> MemoryStore::maintain_now(const RetentionPolicy& policy) {
  std::erase_if(disk_.keys, [this](const auto& key) {
    return key.second.made_at + kKeyLifetime <= clock_.wall();
  });
  const bool has_more_expired = expire_done(policy);
  const bool has_more_backlog = route_backlog();
  return has_more_expired || has_more_backlog;
}

bool MemoryStore::route_backlog() {
  const auto& all = disk_.endpoints;
  if (std::none_of(all.begin(), all.end(), [](const auto& row) { return row.wants_backlog; })) {
    return false;
  }
  std::size_t routed = 0;
  for (auto& [sequence, id] : disk_.by_sequence) {
    MemoryEvent& row = disk_.events.at(id);
    if (row.status != EventStatus::pending || !row.deliveries.contains(kNoEndpoint)) {
      continue;
    }
    if (routed == kMaintenanceStep) {
      return true;
    }
    routed += route_backlog_of(row) ? 1 : 0;
  }
  for (MemoryEndpoint& endpoint : disk_.endpoints) {
    endpoint.wants_backlog = false;
  }
  return false;
}

bool MemoryStore::route_backlog_of(MemoryEvent& row) {
  MemoryDelivery delivery = row.deliveries.at(kNoEndpoint);
  delivery.state = DeliveryState::waiting;
  delivery.reason.reset();
  bool is_matched = false;
  for (const MemoryEndpoint& one : disk_.endpoints) {
    if (one.wants_backlog && one.endpoint.filter.matches(row.event->type, row.event->source)) {
      is_matched = true;
      row.deliveries.emplace(one.endpoint.number, delivery);  // unless it has it already
    }
  }
  if (is_matched) {
    row.deliveries.erase(kNoEndpoint);
    update_status(row);
    became_due(row);
  }
  return is_matched;
}

bool MemoryStore::expire_done(const RetentionPolicy& policy) {
  std::vector<EventId> expired;
  std::int64_t done = std::count_if(disk_.events.begin(), disk_.events.end(), [](const auto& one) {
    return one.second.status != EventStatus::pending;
  });
  for (const auto& [sequence, id] : disk_.by_sequence) {
    const MemoryEvent& row = disk_.events.at(id);
    if (row.status == EventStatus::pending) {
      continue;
    }
    const bool is_old = row.updated_at + policy.keep_done <= clock_.wall();
    if (!is_old && done <= policy.max_done) {
      continue;
    }
    if (expired.size() == kMaintenanceStep) {
      break;
    }
    --done;
    expired.push_back(id);
  }
  for (const EventId& id : expired) {
    (void)erase_now(id);  // it was found a moment ago
  }
  return expired.size() == kMaintenanceStep;
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
  const auto found =
      std::find_if(disk_.endpoints.begin(), disk_.endpoints.end(),
                   [number](const auto& row) { return row.endpoint.number == number; });
  return found == disk_.endpoints.end() ? nullptr : &*found;
}

}  // namespace dispatcher::fakes
