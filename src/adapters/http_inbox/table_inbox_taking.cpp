// What a table's items bring into a run.
#include "adapters/http_inbox/concurrently.hpp"
#include "adapters/http_inbox/table_inbox.hpp"

#include <algorithm>
#include <utility>

namespace dispatcher {
namespace {

std::vector<KnownDelivery> known_of(const std::vector<TableDelivery>& deliveries) {
  std::vector<KnownDelivery> known;
  for (const TableDelivery& delivery : deliveries) {
    KnownDelivery one;
    one.endpoint_id = delivery.endpoint_id;
    one.is_delivered = delivery.state == DeliveryState::delivered;
    one.is_rejected = delivery.state == DeliveryState::review;
    one.attempts = delivery.attempts;
    one.step = delivery.step;
    one.due = delivery.due;
    known.push_back(std::move(one));
  }
  return known;
}

}  // namespace

void TableInbox::use_if_unreadable(const std::vector<InboxEvent>& shown) {
  for (const InboxEvent& one : shown) {
    fallback_.push_back({to_string(one.event->id), format_timestamp(one.event->created_at)});
  }
  // Newest first is what the API shows.
  std::stable_sort(fallback_.begin(), fallback_.end(), [](const EventKey& a, const EventKey& b) {
    return a.created_at < b.created_at;
  });
}

bool TableInbox::may_take() const {
  const bool is_over = listed_.empty() && (!is_scan_used_ || scan_.is_over());
  return !is_stopped_ && !failure_ && !is_over && budget_ > 0 && !calls_.is_past_deadline();
}

// Until something is taken, or nothing is left: what was found may be another's by now.
boost::asio::awaitable<Result<void>> TableInbox::take(const std::vector<ClaimRequest>& requests,
                                                      std::size_t wanted) {
  while (may_take() && !taken_.has_due(requests, clock_.wall())) {
    // No more than may be claimed at once, so that the first are on their way soon.
    const std::size_t count = std::min({wanted, kMaxCalls, static_cast<std::size_t>(budget_)});
    const auto found = co_await find(count);
    if (!found) {
      co_return found.error();
    }
    const std::vector<EventKey> keys = take_keys(count);
    std::vector<std::optional<Error>> errors(keys.size());
    const auto claim_one = [&](std::size_t i) -> boost::asio::awaitable<void> {
      errors[i] = co_await take_one(keys[i]);
    };
    co_await for_each_concurrently(keys.size(), kMaxCalls, claim_one);
    std::optional<Error> error;
    for (std::size_t i = keys.size(); i-- > 0;) {  // backwards: the first is put back last
      if (!errors[i]) {
        continue;
      }
      error = errors[i];
      put_back(keys[i]);
    }
    if (error && !taken_.has_due(requests, clock_.wall())) {
      co_return *error;
    }
  }
  co_return Result<void>{};
}

boost::asio::awaitable<Result<void>> TableInbox::find(std::size_t wanted) {
  if (!is_scan_used_) {
    co_return Result<void>{};
  }
  const auto looked = co_await scan_.look_for(wanted);
  if (looked || looked.error().kind != ErrorKind::refused || fallback_.empty()) {
    co_return looked;
  }
  log_.warning(
      "the table's index cannot be read; only the newest 100 events, which the API shows, are "
      "reachable (allow dynamodb:Query on the table's indexes)",
      {{"error", looked.error().message}});
  is_scan_used_ = false;
  listed_.assign(fallback_.begin(), fallback_.end());
  co_return Result<void>{};
}

std::vector<EventKey> TableInbox::take_keys(std::size_t wanted) {
  std::vector<EventKey> keys;
  while (keys.size() < wanted) {
    if (is_scan_used_) {
      auto key = scan_.take();
      if (!key) {
        break;
      }
      keys.push_back(std::move(*key));
    } else if (!listed_.empty()) {
      keys.push_back(std::move(listed_.front()));
      listed_.pop_front();
    } else {
      break;
    }
  }
  return keys;
}

// Of a stream, what could not be asked about comes again with the stream.
void TableInbox::put_back(EventKey key) {
  if (is_scan_used_) {
    scan_.put_back(std::move(key));
  } else if (!options_.only) {
    listed_.push_front(std::move(key));
  }
}

// An error when nobody could be asked.
boost::asio::awaitable<std::optional<Error>> TableInbox::take_one(EventKey key) {
  const MonoTime began = clock_.monotonic();
  TableLease lease{options_.lease_token, clock_.wall() + lease_time()};
  auto claimed = co_await table_->claim(key, std::move(lease));
  if (claimed) {
    co_await hold(std::move(key), std::move(*claimed), began + lease_time());
    co_return std::nullopt;
  }
  if (claimed.error().kind == ErrorKind::invalid) {
    co_await put_aside(std::move(key), claimed.error().message);
    co_return std::nullopt;
  }
  if (claimed.error().kind == ErrorKind::conflict) {
    unresolved_.erase(key);
    co_return std::nullopt;
  }
  co_return claimed.error();
}

boost::asio::awaitable<void> TableInbox::hold(EventKey key, TableEvent found, MonoTime until) {
  const EventId id = found.event->id;
  InboxEvent event;
  event.event = std::move(found.event);
  EventLease lease{options_.lease_token, until};
  const auto open = taken_.add(event, std::move(lease), known_of(found.deliveries), clock_.wall());
  keys_.insert_or_assign(id, std::move(key));
  const bool is_delivered = taken_.find(id)->is_delivered();
  if (open == 0 && !is_delivered) {
    // The index was behind: nothing of it is due.
    unresolved_.erase(keys_.at(id));
    co_await give_event_back(id);
    co_return;
  }
  --budget_;
  ++stats_.events;
  stats_.deliveries += static_cast<std::int64_t>(open);
  if (is_delivered) {
    co_await acknowledge_delivered(id);
  }
}

// Every endpoint had taken it before; what cannot be acknowledged now is found again.
boost::asio::awaitable<void> TableInbox::acknowledge_delivered(EventId id) {
  const auto told = co_await calls_.acknowledge(id, {});
  if (told) {
    ++stats_.acknowledged;
    unresolved_.erase(keys_.at(id));
    forget(id);
  } else {
    co_await give_event_back(id);
  }
}

// An item that cannot be sent needs a person: it is in review, and says why.
boost::asio::awaitable<void> TableInbox::put_aside(EventKey key, std::string why) {
  log_.warning("an event cannot be sent; it is in review", {{"event_id", key.id}, {"error", why}});
  --budget_;
  ++stats_.events;
  for (const Endpoint& endpoint : endpoints_) {
    ++stats_.deliveries;
    TableRecord record;
    record.key = key;
    record.lease_token = options_.lease_token;
    record.delivery.endpoint_id = endpoint.id;
    record.delivery.state = DeliveryState::review;
    record.delivery.reason = ReviewReason::rejected;
    record.delivery.error = "protocol: " + why;
    if (&endpoint != &endpoints_.back()) {
      record.lease_until = clock_.wall() + lease_time();
    }
    const auto recorded = co_await table_->record(std::move(record));
    if (!recorded) {
      log_.warning("an event in review could not be recorded",
                   {{"event_id", key.id}, {"error", recorded.error().message}});
      co_return;
    }
  }
  unresolved_.erase(key);
}

Error TableInbox::note_failure(Error error) {
  if (error.kind == ErrorKind::stopped) {
    is_stopped_ = true;  // our own stop is no failure
    return error;
  }
  const bool may_pass = error.kind == ErrorKind::retry_later;
  if (may_pass && ++failures_ < kMaxFailures) {
    return error;
  }
  if (may_pass && options_.only) {
    is_stopped_ = true;
    return make_error(ErrorKind::stopped, std::move(error.message));
  }
  failure_ = RunFailure{"Table", std::move(error)};
  return make_error(ErrorKind::refused, failure_->error.message);
}

}  // namespace dispatcher
