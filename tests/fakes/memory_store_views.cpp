// The store as readers see it.
#include "fakes/memory_store_perform.hpp"

#include <algorithm>
#include <cctype>

namespace dispatcher::fakes {
namespace {

constexpr std::size_t kMaxLogEntries = 1'000;
constexpr std::size_t kMaxLogBytes = 8 * 1024 * 1024;
constexpr std::chrono::hours kDay{24};

Error not_found(const EventId& id) {
  return make_error(ErrorKind::not_found, "Event with ID " + to_string(id) + " not found");
}

std::int64_t millis_between(WallTime from, WallTime to) {
  return std::max<std::int64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(to - from).count(), 0);
}

bool contains_in_any_case(std::string_view text, std::string_view what) {
  const auto same = [](char left, char right) {
    return std::tolower(static_cast<unsigned char>(left)) ==
           std::tolower(static_cast<unsigned char>(right));
  };
  return std::search(text.begin(), text.end(), what.begin(), what.end(), same) != text.end();
}

}  // namespace

EventView MemoryStore::view_of(const MemoryEvent& row, bool with_deliveries) const {
  EventView view;
  view.event = *row.event;
  view.progress.status = row.status;
  view.progress.updated_at = row.updated_at;
  view.progress.delivery_latency_ms = row.latency_ms;
  std::optional<WallTime> last_error_at;
  for (const auto& [number, delivery] : row.deliveries) {
    EventProgress& sum = view.progress;
    sum.delivery_attempts += delivery.progress.attempts;
    sum.last_delivery_attempt = std::max(sum.last_delivery_attempt, delivery.last_attempt);
    if (delivery.last_error && delivery.last_attempt >= last_error_at) {
      last_error_at = delivery.last_attempt;
      sum.error_message = delivery.last_error;
    }
    if (delivery.delivered_at) {
      const auto latency = millis_between(row.event->created_at, *delivery.delivered_at);
      sum.delivery_latency_ms = std::max(sum.delivery_latency_ms.value_or(0), latency);
    }
    const MemoryEndpoint* endpoint = find_endpoint(number);
    const bool is_reported = delivery.state == DeliveryState::review ||
                             (delivery.state == DeliveryState::waiting &&
                              (delivery.progress.attempts > 0 || delivery.last_error));
    if (!with_deliveries || (endpoint == nullptr && !is_reported)) {
      continue;
    }
    DeliveryView one;
    one.endpoint_id = endpoint == nullptr ? std::string{} : endpoint->endpoint.id;
    one.state = is_claimed(row, number) ? DeliveryState::in_flight : delivery.state;
    one.attempts = delivery.progress.attempts;
    if (one.state == DeliveryState::waiting) {
      one.next_attempt_at = delivery.due;
    }
    one.review_reason = delivery.reason;
    one.last_status = delivery.last_status;
    one.last_error = delivery.last_error;
    one.delivered_at = delivery.delivered_at;
    if (endpoint == nullptr) {
      view.unmatched = std::move(one);
    } else {
      view.deliveries.push_back(std::move(one));
    }
  }
  return view;
}

boost::asio::awaitable<Result<EventView>> MemoryStore::event(EventId id) {
  auto apply = [this, id]() -> Result<EventView> {
    const MemoryEvent* row = find(id);
    if (row == nullptr) {
      return not_found(id);
    }
    return view_of(*row, true);
  };
  return perform<EventView>(StoreOperation::read, std::move(apply));
}

boost::asio::awaitable<Result<std::vector<Attempt>>> MemoryStore::attempts(EventId id) {
  auto apply = [this, id]() -> Result<std::vector<Attempt>> {
    const MemoryEvent* row = find(id);
    if (row == nullptr) {
      return not_found(id);
    }
    return row->attempts;
  };
  return perform<std::vector<Attempt>>(StoreOperation::read, std::move(apply));
}

bool MemoryStore::matches(const EventQuery& query, const MemoryEvent& row) const {
  const Event& event = *row.event;
  if ((query.status && row.status != *query.status) || (query.type && event.type != *query.type) ||
      (query.source && event.source != *query.source) ||
      (query.from && event.created_at < *query.from) ||
      (query.to && event.created_at > *query.to)) {
    return false;
  }
  if (!query.state && !query.endpoint_id && !query.reason) {
    return true;
  }
  return std::any_of(row.deliveries.begin(), row.deliveries.end(),
                     [&](const auto& one) { return has_delivery(query, row, one.first); });
}

bool MemoryStore::has_delivery(const EventQuery& query, const MemoryEvent& row,
                               EndpointNumber endpoint) const {
  const MemoryDelivery& delivery = row.deliveries.at(endpoint);
  const auto state = is_claimed(row, endpoint) ? DeliveryState::in_flight : delivery.state;
  const MemoryEndpoint* known = find_endpoint(endpoint);
  return (!query.state || state == *query.state) &&
         (!query.reason || delivery.reason == query.reason) &&
         (!query.endpoint_id || (known != nullptr && known->endpoint.id == *query.endpoint_id));
}

boost::asio::awaitable<Result<EventPage>> MemoryStore::list(EventQuery query,
                                                            std::optional<std::int64_t> after,
                                                            std::size_t limit,
                                                            std::size_t max_bytes) {
  auto apply = [this, query = std::move(query), after, limit, max_bytes]() -> Result<EventPage> {
    EventPage page;
    std::size_t bytes = 0;
    // False when the page is full before this one.
    const auto add = [&](const auto& position) {
      const MemoryEvent& row = disk_.events.at(position.second);
      const bool is_past =
          after && (query.newest_first ? position.first >= *after : position.first <= *after);
      if (is_past || !matches(query, row)) {
        return true;
      }
      if (page.events.size() == limit || (!page.events.empty() && bytes >= max_bytes)) {
        return false;
      }
      bytes += row.event->payload.size();
      page.events.push_back(view_of(row, false));
      page.next = position.first;
      return true;
    };
    const auto& all = disk_.by_sequence;
    const bool has_ended = query.newest_first ? std::all_of(all.rbegin(), all.rend(), add)
                                              : std::all_of(all.begin(), all.end(), add);
    if (has_ended) {
      page.next.reset();
    }
    return page;
  };
  return perform<EventPage>(StoreOperation::read, std::move(apply));
}

boost::asio::awaitable<Result<std::int64_t>> MemoryStore::count(EventQuery query) {
  auto apply = [this, query = std::move(query)]() -> Result<std::int64_t> {
    return std::count_if(disk_.events.begin(), disk_.events.end(),
                         [&](const auto& one) { return matches(query, one.second); });
  };
  return perform<std::int64_t>(StoreOperation::read, std::move(apply));
}

boost::asio::awaitable<Result<std::vector<EventView>>> MemoryStore::pending(std::size_t limit,
                                                                            std::size_t max_bytes) {
  auto apply = [this, limit, max_bytes]() -> Result<std::vector<EventView>> {
    std::vector<EventView> views;
    std::size_t bytes = 0;
    for (auto one = disk_.by_sequence.rbegin(); one != disk_.by_sequence.rend(); ++one) {
      const MemoryEvent& row = disk_.events.at(one->second);
      if (row.status != EventStatus::pending || row.is_leased(clock_.wall()) || is_in_flight(row)) {
        continue;
      }
      if (views.size() == limit || (!views.empty() && bytes >= max_bytes)) {
        break;
      }
      bytes += row.event->payload.size();
      views.push_back(view_of(row, false));
    }
    return views;
  };
  return perform<std::vector<EventView>>(StoreOperation::read, std::move(apply));
}

boost::asio::awaitable<Result<StoreFigures>> MemoryStore::figures() {
  auto apply = [this]() -> Result<StoreFigures> {
    StoreFigures figures;
    for (const auto& [id, row] : disk_.events) {
      const bool is_waiting =
          std::any_of(row.deliveries.begin(), row.deliveries.end(),
                      [](const auto& one) { return one.second.state == DeliveryState::waiting; });
      Summary& summary = figures.events;
      ++summary.total;
      summary.delivered += row.status == EventStatus::delivered ? 1 : 0;
      const bool is_pending = row.status == EventStatus::pending;
      summary.pending += is_pending && is_waiting ? 1 : 0;
      summary.failed += row.status == EventStatus::failed || (is_pending && !is_waiting) ? 1 : 0;
      figures.ingested_last_24h += row.event->created_at + kDay > clock_.wall() ? 1 : 0;
      figures.in_review += is_pending && !is_waiting ? 1 : 0;
      if (is_pending && is_waiting) {
        figures.oldest_pending =
            std::min(figures.oldest_pending.value_or(row.event->created_at), row.event->created_at);
      }
    }
    figures.in_flight = static_cast<std::int64_t>(claims_.size());
    return figures;
  };
  return perform<StoreFigures>(StoreOperation::read, std::move(apply));
}

boost::asio::awaitable<Result<LatencyFigures>> MemoryStore::latency() {
  auto apply = [this]() -> Result<LatencyFigures> {
    std::vector<double> seconds;
    for (const auto& [id, row] : disk_.events) {
      if (row.status == EventStatus::delivered && row.updated_at + kDay > clock_.wall()) {
        const auto millis = view_of(row, false).progress.delivery_latency_ms.value_or(0);
        seconds.push_back(static_cast<double>(millis) / 1000);
      }
    }
    std::sort(seconds.begin(), seconds.end());
    const auto at = [&seconds](double share) {
      const auto rank = static_cast<std::size_t>(share * static_cast<double>(seconds.size()));
      return seconds.empty() ? 0.0 : seconds[std::min(rank, seconds.size() - 1)];
    };
    return LatencyFigures{at(0.5), at(0.95), at(0.99), static_cast<std::int64_t>(seconds.size())};
  };
  return perform<LatencyFigures>(StoreOperation::read, std::move(apply));
}

boost::asio::awaitable<Result<void>> MemoryStore::append_webhook_log(WebhookLogEntry entry) {
  auto apply = [this, entry = std::move(entry)]() mutable -> Result<void> {
    auto& log = disk_.webhook_log;
    log.push_back(std::move(entry));
    std::size_t bytes = 0;
    std::size_t kept = 0;
    while (kept < log.size() && kept < kMaxLogEntries) {
      bytes += log[log.size() - 1 - kept].payload.size();
      if (bytes > kMaxLogBytes) {
        break;
      }
      ++kept;
    }
    log.erase(log.begin(), log.end() - static_cast<std::ptrdiff_t>(kept));
    return {};
  };
  return perform<void>(StoreOperation::consume, std::move(apply));
}

boost::asio::awaitable<Result<std::vector<WebhookLogEntry>>> MemoryStore::webhook_log(
    WebhookLogQuery query) {
  auto apply = [this, query = std::move(query)]() -> Result<std::vector<WebhookLogEntry>> {
    std::vector<WebhookLogEntry> found;
    const auto& log = disk_.webhook_log;
    for (auto entry = log.rbegin(); entry != log.rend() && found.size() < query.limit; ++entry) {
      if ((!query.event_type || entry->event_type == *query.event_type) &&
          (!query.from || entry->timestamp >= *query.from) &&
          (!query.to || entry->timestamp <= *query.to) &&
          (!query.search || contains_in_any_case(entry->event_type, *query.search) ||
           contains_in_any_case(entry->payload, *query.search))) {
        found.push_back(*entry);
      }
    }
    return found;
  };
  return perform<std::vector<WebhookLogEntry>>(StoreOperation::read, std::move(apply));
}

}  // namespace dispatcher::fakes
