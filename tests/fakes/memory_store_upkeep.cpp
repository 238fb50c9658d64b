// The store's endpoints as settings give them, and its maintenance.
#include "fakes/memory_store_perform.hpp"

#include <algorithm>

namespace dispatcher::fakes {
namespace {

constexpr std::size_t kMaintenanceStep = 100;

}  // namespace

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

Result<std::vector<Endpoint>> MemoryStore::configure_now(std::vector<Endpoint> endpoints,
                                                         std::vector<Sha256Digest> url_hashes) {
  std::vector<MemoryEndpoint*> left;
  for (MemoryEndpoint& row : disk_.endpoints) {
    const bool is_named =
        std::find(url_hashes.begin(), url_hashes.end(), row.url_hash) != url_hashes.end();
    if (row.url_hash && !is_named && !row.is_gone) {
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
      row->is_gone = true;
      row->endpoint.state = EndpointState::disabled;
      row->updated_at = clock_.wall();
      ++row->revision;
    }
  }
  for (std::size_t i = 0; i < endpoints.size(); ++i) {
    MemoryEndpoint& row = endpoint_for(endpoints[i], url_hashes[i], replaced);
    const bool is_same = !row.is_gone && row.target == endpoints[i].url.display() &&
                         row.endpoint.filter.types == endpoints[i].filter.types &&
                         row.endpoint.filter.sources == endpoints[i].filter.sources;
    row.is_gone = false;
    row.target = endpoints[i].url.display();
    endpoints[i].number = row.endpoint.number;
    endpoints[i].id = row.endpoint.id;
    endpoints[i].state = row.chosen_state;
    row.endpoint = endpoints[i];
    if (!is_same) {
      row.updated_at = clock_.wall();
      ++row.revision;
    }
  }
  return endpoints;
}

MemoryEndpoint& MemoryStore::endpoint_for(Endpoint& endpoint, const Sha256Digest& url_hash,
                                          MemoryEndpoint* replaced) {
  for (MemoryEndpoint& row : disk_.endpoints) {
    if (row.url_hash == url_hash) {
      // What came while it was away, and matched nothing, is for it too.
      row.wants_backlog = row.wants_backlog || row.is_gone;
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
      row.created_at = clock_.wall();
      return row;
    }
    // Its id went to the URL that took its place.
    endpoint.id += "-" + std::to_string(disk_.next_endpoint);
    break;
  }
  endpoint.number = disk_.next_endpoint++;
  MemoryEndpoint& fresh = disk_.endpoints.emplace_back();
  fresh.endpoint = endpoint;
  fresh.url_hash = url_hash;
  fresh.wants_backlog = true;
  fresh.created_at = clock_.wall();
  return fresh;
}

void MemoryStore::take_over(MemoryEndpoint& row, const Endpoint& endpoint,
                            const Sha256Digest& url_hash) {
  row.url_hash = url_hash;
  row.target.clear();  // it is another's now
  row.endpoint.url = endpoint.url;
  row.releases_review_to = disk_.next_sequence - 1;
  row.replaced_at = disk_.next_token;
  std::erase_if(fresh_review_,
                [&row](const DeliveryKey& key) { return key.second == row.endpoint.number; });
}

void MemoryStore::send_to_review(MemoryEvent& row, EndpointNumber endpoint, ReviewReason reason) {
  MemoryDelivery& delivery = row.deliveries.at(endpoint);
  delivery.state = DeliveryState::review;
  delivery.reason = reason;
  fresh_review_.insert({row.event->id, endpoint});
}

bool MemoryStore::release_replaced() {
  std::size_t released = 0;
  for (MemoryEndpoint& endpoint : disk_.endpoints) {
    const EndpointNumber number = endpoint.endpoint.number;
    for (auto& [sequence, id] : disk_.by_sequence) {
      if (!endpoint.releases_review_to || sequence > *endpoint.releases_review_to) {
        break;
      }
      MemoryEvent& row = disk_.events.at(id);
      const auto found = row.deliveries.find(number);
      if (found == row.deliveries.end() || found->second.state != DeliveryState::review ||
          fresh_review_.contains({id, number})) {
        continue;
      }
      if (released == kMaintenanceStep) {
        return true;
      }
      ++released;
      MemoryDelivery& delivery = found->second;
      delivery.state = DeliveryState::waiting;
      delivery.reason.reset();
      delivery.due = clock_.wall();
      delivery.progress.retries_used = 0;
      delivery.progress.step = 0;
      became_due(number, delivery.due);
    }
    endpoint.releases_review_to.reset();
  }
  return false;
}

Result<bool> MemoryStore::maintain_now(const RetentionPolicy& policy) {
  std::erase_if(disk_.keys, [this](const auto& key) {
    return key.second.made_at + kMemoryKeyLifetime <= clock_.wall();
  });
  const bool has_more_expired = expire_done(policy);
  const bool has_more_backlog = route_backlog();
  const bool has_more_review = release_replaced();
  const bool has_more_discards = discard_removed();
  return has_more_expired || has_more_review || has_more_backlog || has_more_discards;
}

bool MemoryStore::route_backlog() {
  const auto& all = disk_.endpoints;
  if (std::ranges::none_of(all, &MemoryEndpoint::gets_backlog)) {
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
    endpoint.wants_backlog = endpoint.wants_backlog && !endpoint.gets_backlog();
  }
  return false;
}

bool MemoryStore::route_backlog_of(MemoryEvent& row) {
  MemoryDelivery delivery = row.deliveries.at(kNoEndpoint);
  delivery.state = DeliveryState::waiting;
  delivery.reason.reset();
  bool is_matched = false;
  for (const MemoryEndpoint& one : disk_.endpoints) {
    if (one.gets_backlog() && one.endpoint.filter.matches(row.event->type, row.event->source)) {
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

}  // namespace dispatcher::fakes
