// What persons do with deliveries that ended or wait for one.
#include "fakes/memory_store_perform.hpp"

#include <algorithm>

namespace dispatcher::fakes {
namespace {

constexpr std::int64_t kDiscardStep = 100;
// A position holds where the walk is and, above it, where it ends.
constexpr int kPositionBits = 31;

Error not_found(const EventId& id) {
  return make_error(ErrorKind::not_found, "Event with ID " + to_string(id) + " not found");
}

}  // namespace

boost::asio::awaitable<Result<std::int64_t>> MemoryStore::release(
    EventId id, std::optional<std::string> endpoint_id, ReleaseAction action, ReleaseNote note) {
  auto apply = [this, id, endpoint_id = std::move(endpoint_id), action, note = std::move(note)] {
    return release_now(id, endpoint_id, action, note);
  };
  return perform<std::int64_t>(StoreOperation::release, std::move(apply));
}

Result<std::int64_t> MemoryStore::release_now(const EventId& id,
                                              const std::optional<std::string>& endpoint_id,
                                              ReleaseAction action, const ReleaseNote& note) {
  MemoryEvent* row = find(id);
  if (row == nullptr) {
    return not_found(id);
  }
  if (endpoint_id) {
    const MemoryEndpoint* endpoint = find_endpoint(*endpoint_id);
    if (endpoint == nullptr || !row->deliveries.contains(endpoint->endpoint.number) ||
        (action == ReleaseAction::replay && endpoint->is_removed)) {
      return make_error(ErrorKind::not_found, "the event has no delivery to that endpoint");
    }
  }
  EventQuery query;
  query.endpoint_id = endpoint_id;
  return release_deliveries(*row, query, action, note);
}

std::int64_t MemoryStore::release_deliveries(MemoryEvent& row, const EventQuery& query,
                                             ReleaseAction action, const ReleaseNote& note) {
  std::int64_t released = 0;
  for (auto& [number, delivery] : row.deliveries) {
    if (!is_releasable(row, number, query, action)) {
      continue;
    }
    const MemoryEndpoint* endpoint = find_endpoint(number);
    if (action == ReleaseAction::discard) {
      discard(row, number, note);
    } else {
      delivery.state = DeliveryState::waiting;
      delivery.reason.reset();
      delivery.due = clock_.wall();
      delivery.delivered_at.reset();
      delivery.progress.retries_used = 0;
      delivery.progress.step = 0;
      row.latency_ms.reset();
      row.releases.push_back(
          {endpoint == nullptr ? "" : endpoint->endpoint.id, action, clock_.wall(), note});
      became_due(number, delivery.due);
    }
    ++released;
  }
  if (released > 0) {
    row.updated_at = clock_.wall();
    update_status(row);
  }
  return released;
}

bool MemoryStore::is_releasable(const MemoryEvent& row, EndpointNumber number,
                                const EventQuery& query, ReleaseAction action) const {
  const MemoryEndpoint* endpoint = find_endpoint(number);
  const bool is_name = endpoint != nullptr && !endpoint->is_routed() && !endpoint->is_removed;
  if (is_name || is_claimed(row, number) || !has_delivery(query, row, number)) {
    return false;
  }
  const DeliveryState state = row.deliveries.at(number).state;
  return action == ReleaseAction::replay
             ? is_replayable(row, number)
             : state == DeliveryState::waiting || state == DeliveryState::review;
}

bool MemoryStore::is_replayable(const MemoryEvent& row, EndpointNumber number) const {
  if (row.deliveries.at(number).state == DeliveryState::waiting) {
    return false;
  }
  const auto is_ours = [this](const auto& one) {
    const MemoryEndpoint* endpoint = find_endpoint(one.first);
    return endpoint != nullptr && (endpoint->is_routed() || endpoint->is_removed);
  };
  if (number == kNoEndpoint) {
    return std::none_of(row.deliveries.begin(), row.deliveries.end(), is_ours);
  }
  const MemoryEndpoint* endpoint = find_endpoint(number);
  return endpoint != nullptr && endpoint->is_routed();
}

void MemoryStore::discard(MemoryEvent& row, EndpointNumber number, const ReleaseNote& note) {
  MemoryDelivery& delivery = row.deliveries.at(number);
  delivery.state = DeliveryState::discarded;
  delivery.reason.reset();
  const MemoryEndpoint* endpoint = find_endpoint(number);
  row.releases.push_back({endpoint == nullptr ? "" : endpoint->endpoint.id, ReleaseAction::discard,
                          clock_.wall(), note});
}

boost::asio::awaitable<Result<ReleaseStep>> MemoryStore::release_step(
    EventQuery query, std::optional<std::int64_t> after, std::size_t max_events,
    ReleaseAction action, ReleaseNote note) {
  auto apply = [this, query = std::move(query), after, max_events, action, note = std::move(note)] {
    return release_step_now(query, after, max_events, [&](MemoryEvent& row) {
      return release_deliveries(row, query, action, note);
    });
  };
  return perform<ReleaseStep>(StoreOperation::release, std::move(apply));
}

boost::asio::awaitable<Result<ReleaseStep>> MemoryStore::try_release_step(
    EventQuery query, std::optional<std::int64_t> after, std::size_t max_events,
    ReleaseAction action) {
  auto apply = [this, query = std::move(query), after, max_events, action] {
    return release_step_now(query, after, max_events, [&](const MemoryEvent& row) {
      return std::count_if(row.deliveries.begin(), row.deliveries.end(), [&](const auto& one) {
        return is_releasable(row, one.first, query, action);
      });
    });
  };
  return perform<ReleaseStep>(StoreOperation::read, std::move(apply));
}

template <class Apply>
Result<ReleaseStep> MemoryStore::release_step_now(const EventQuery& query,
                                                  std::optional<std::int64_t> after,
                                                  std::size_t max_events, const Apply& release) {
  std::int64_t from = after.value_or(0);
  std::int64_t last = disk_.next_sequence - 1;
  if (after) {
    last = *after >> kPositionBits;
    from = *after & ((std::int64_t{1} << kPositionBits) - 1);
  }
  ReleaseStep step;
  for (auto one = disk_.by_sequence.upper_bound(from);
       one != disk_.by_sequence.end() && one->first <= last; ++one) {
    MemoryEvent& row = disk_.events.at(one->second);
    if (!matches(query, row)) {
      continue;
    }
    ++step.matched;
    step.released += release(row);
    if (step.matched == static_cast<std::int64_t>(max_events)) {
      step.next = last << kPositionBits | one->first;
      break;
    }
  }
  return step;
}

boost::asio::awaitable<Result<std::vector<Release>>> MemoryStore::releases(EventId id) {
  auto apply = [this, id]() -> Result<std::vector<Release>> {
    const MemoryEvent* row = find(id);
    if (row == nullptr) {
      return not_found(id);
    }
    return row->releases;
  };
  return perform<std::vector<Release>>(StoreOperation::read, std::move(apply));
}

bool MemoryStore::discard_removed() {
  std::int64_t discarded = 0;
  for (const MemoryEndpoint& endpoint : disk_.endpoints) {
    if (!endpoint.discard_note) {
      continue;
    }
    EventQuery query;
    query.endpoint_id = endpoint.endpoint.id;
    for (auto& [id, row] : disk_.events) {
      if (discarded == kDiscardStep) {
        return true;
      }
      if (row.deliveries.contains(endpoint.endpoint.number)) {
        discarded += release_deliveries(row, query, ReleaseAction::discard, *endpoint.discard_note);
      }
    }
  }
  return false;
}

}  // namespace dispatcher::fakes
