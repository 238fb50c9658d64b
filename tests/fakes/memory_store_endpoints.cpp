// Endpoints as the API makes and shows them, and what is counted of them.
#include "fakes/memory_store_perform.hpp"

#include <algorithm>

namespace dispatcher::fakes {
namespace {

Error not_found(const std::string& id) {
  return make_error(ErrorKind::not_found, "endpoint " + id + " is not in the store");
}

EndpointRecord record_of(const MemoryEndpoint& row) {
  EndpointRecord record;
  record.number = row.endpoint.number;
  record.id = row.endpoint.id;
  record.origin = row.endpoint.origin;
  record.state = row.endpoint.state;
  record.state_reason = row.is_gone
                            ? std::optional<std::string>{"its URL is no longer in the secret"}
                            : row.state_reason;
  record.filter = row.endpoint.filter;
  record.target = row.target;
  record.settings = row.settings;
  record.sealed = row.sealed;
  record.created_at = row.created_at;
  record.updated_at = row.updated_at;
  record.revision = row.revision;
  return record;
}

void take(MemoryEndpoint& row, const EndpointRecord& record, WallTime now) {
  // Whoever saves one that is gone as it was shown has not made it what it is.
  if (!row.is_gone || record.state != EndpointState::disabled) {
    row.chosen_state = record.state;
    row.state_reason = record.state_reason;
  }
  row.endpoint.state = row.is_gone ? EndpointState::disabled : row.chosen_state;
  row.endpoint.filter = record.filter;
  row.target = record.target;
  row.settings = record.settings;
  row.sealed = record.sealed;
  row.updated_at = now;
  ++row.revision;
}

bool is_open(const MemoryDelivery& delivery) {
  return delivery.state == DeliveryState::waiting || delivery.state == DeliveryState::review;
}

}  // namespace

boost::asio::awaitable<Result<std::vector<EndpointRecord>>> MemoryStore::endpoints() {
  auto apply = [this]() -> Result<std::vector<EndpointRecord>> {
    std::vector<EndpointRecord> records;
    for (const MemoryEndpoint& row : disk_.endpoints) {
      if (row.is_routed()) {
        records.push_back(record_of(row));
      }
    }
    return records;
  };
  return perform<std::vector<EndpointRecord>>(StoreOperation::read, std::move(apply));
}

boost::asio::awaitable<Result<EndpointRecord>> MemoryStore::create_endpoint(EndpointRecord record,
                                                                            EndpointStart start) {
  auto apply = [this, record = std::move(record), start] { return create_now(record, start); };
  return perform<EndpointRecord>(StoreOperation::configure, std::move(apply));
}

Result<EndpointRecord> MemoryStore::create_now(const EndpointRecord& record, EndpointStart start) {
  if (find_endpoint(record.id) != nullptr) {
    return make_error(ErrorKind::conflict, "there is, or was, an endpoint " + record.id);
  }
  const auto count = std::count_if(disk_.endpoints.begin(), disk_.endpoints.end(),
                                   [](const MemoryEndpoint& row) { return row.is_routed(); });
  if (static_cast<std::size_t>(count) >= kMaxEndpoints) {
    return make_error(ErrorKind::refused, "there are too many endpoints (remove one)");
  }
  MemoryEndpoint& row = disk_.endpoints.emplace_back();
  row.endpoint.number = disk_.next_endpoint++;
  row.endpoint.id = record.id;
  row.endpoint.origin = EndpointOrigin::api;
  row.wants_backlog = start == EndpointStart::pending;
  row.created_at = clock_.wall();
  take(row, record, clock_.wall());
  return record_of(row);
}

boost::asio::awaitable<Result<EndpointRecord>> MemoryStore::save_endpoint(EndpointRecord record) {
  auto apply = [this, record = std::move(record)] { return save_now(record); };
  return perform<EndpointRecord>(StoreOperation::configure, std::move(apply));
}

Result<EndpointRecord> MemoryStore::save_now(const EndpointRecord& record) {
  MemoryEndpoint* row = find_endpoint(record.id);
  if (row == nullptr || !row->is_routed()) {
    return not_found(record.id);
  }
  if (row->revision != record.revision) {
    return make_error(ErrorKind::conflict, "endpoint " + record.id + " was changed meanwhile");
  }
  take(*row, record, clock_.wall());
  return record_of(*row);
}

boost::asio::awaitable<Result<void>> MemoryStore::remove_endpoint(std::string id,
                                                                  bool discards_waiting,
                                                                  ReleaseNote note) {
  auto apply = [this, id = std::move(id), discards_waiting, note = std::move(note)] {
    return remove_now(id, discards_waiting, note);
  };
  return perform<void>(StoreOperation::configure, std::move(apply));
}

Result<void> MemoryStore::remove_now(const std::string& id, bool discards_waiting,
                                     const ReleaseNote& note) {
  MemoryEndpoint* row = find_endpoint(id);
  if (row == nullptr || !row->is_routed()) {
    return not_found(id);
  }
  if (row->endpoint.origin == EndpointOrigin::secret) {
    return make_error(ErrorKind::refused, "endpoint " + id + " is the secret's");
  }
  const EndpointCounts counts = counts_of(row->endpoint.number);
  const bool has_open = counts.waiting + counts.review > 0;
  if (has_open && !discards_waiting) {
    return make_error(ErrorKind::conflict, "deliveries wait or are in review for endpoint " + id);
  }
  row->is_removed = true;
  row->endpoint.state = EndpointState::disabled;
  row->wants_backlog = false;
  row->sealed.clear();
  row->settings.clear();
  if (has_open) {
    row->discard_note = note;
  }
  return {};
}

boost::asio::awaitable<Result<std::vector<EndpointCounts>>> MemoryStore::endpoint_counts(
    std::vector<EndpointNumber> numbers) {
  auto apply = [this, numbers = std::move(numbers)]() -> Result<std::vector<EndpointCounts>> {
    std::vector<EndpointCounts> counts;
    for (const EndpointNumber number : numbers) {
      counts.push_back(counts_of(number));
    }
    return counts;
  };
  return perform<std::vector<EndpointCounts>>(StoreOperation::read, std::move(apply));
}

EndpointCounts MemoryStore::counts_of(EndpointNumber number) const {
  EndpointCounts counts;
  counts.number = number;
  const MemoryEndpoint* endpoint = find_endpoint(number);
  if (endpoint == nullptr) {
    return counts;
  }
  counts.delivered = endpoint->delivered;
  counts.failed = endpoint->failed;
  counts.failing_since = endpoint->failing_since;
  for (const auto& [sequence, id] : disk_.by_sequence) {
    const MemoryEvent& row = disk_.events.at(id);
    const auto found = row.deliveries.find(number);
    if (found == row.deliveries.end() || !is_open(found->second)) {
      continue;
    }
    if (found->second.state == DeliveryState::review) {
      ++counts.review;
      continue;
    }
    ++counts.waiting;
    if (!counts.oldest_waiting) {
      counts.oldest_waiting = row.event->created_at;
    }
  }
  return counts;
}

void MemoryStore::note_attempt(MemoryEvent& row, EndpointNumber number, Attempt attempt) {
  MemoryEndpoint* endpoint = find_endpoint(number);
  attempt.endpoint_id = endpoint == nullptr ? "" : endpoint->endpoint.id;
  if (endpoint != nullptr && attempt.outcome == Outcome::delivered) {
    endpoint->failing_since.reset();
  } else if (endpoint != nullptr && attempt.outcome != Outcome::abandoned) {
    ++endpoint->failed;
    endpoint->failing_since = endpoint->failing_since.value_or(attempt.started_at);
  }
  row.attempts.push_back(std::move(attempt));
}

void MemoryStore::note_delivered(EndpointNumber number) {
  if (MemoryEndpoint* endpoint = find_endpoint(number)) {
    ++endpoint->delivered;
  }
}

void MemoryStore::disable(EndpointNumber number, const std::string& reason) {
  MemoryEndpoint* endpoint = find_endpoint(number);
  if (endpoint == nullptr || endpoint->endpoint.origin != EndpointOrigin::api ||
      endpoint->is_removed || endpoint->chosen_state == EndpointState::disabled) {
    return;
  }
  EndpointRecord disabled = record_of(*endpoint);
  disabled.state = EndpointState::disabled;
  disabled.state_reason = reason;
  take(*endpoint, disabled, clock_.wall());
}

}  // namespace dispatcher::fakes
