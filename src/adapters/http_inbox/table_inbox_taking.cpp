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
    one.retries = delivery.retries;
    known.push_back(std::move(one));
  }
  return known;
}

}  // namespace

void TableInbox::use_if_unreadable(const std::vector<InboxEvent>& shown) {
  for (const InboxEvent& one : shown) {
    fallback_.push_back({{to_string(one.event->id), format_timestamp(one.event->created_at)}, {}});
  }
  // Newest first is what the API shows.
  std::stable_sort(
      fallback_.begin(), fallback_.end(),
      [](const FoundEvent& a, const FoundEvent& b) { return a.key.created_at < b.key.created_at; });
}

std::vector<TableLane> TableInbox::lanes_of(const std::vector<ClaimRequest>& requests) const {
  std::vector<TableLane> lanes;
  lanes.reserve(requests.size() + 1);
  for (const ClaimRequest& request : requests) {
    lanes.push_back(static_cast<TableLane>(request.endpoint - 1));
  }
  if (!is_ack_refused_) {
    lanes.push_back(endpoints_.size());
  }
  return lanes;
}

bool TableInbox::may_take(std::span<const TableLane> asked) const {
  const bool is_over = listed_.empty() && (!is_scan_used_ || scan_.is_over(asked));
  return !is_stopped_ && !failure_ && !is_over && budget_ > 0 && !calls_.is_past_deadline();
}

// Until something is taken, or nothing is left: what was found may be another's by now.
boost::asio::awaitable<Result<void>> TableInbox::take(const std::vector<ClaimRequest>& requests,
                                                      std::size_t wanted) {
  auto asked = lanes_of(requests);
  while (may_take(asked) && !taken_.has_due(requests, clock_.wall())) {
    // No more than may be claimed at once, so that the first are on their way soon.
    const std::size_t count = std::min({wanted, kMaxCalls, static_cast<std::size_t>(budget_)});
    const auto looked = co_await find(count, asked);
    if (!looked) {
      co_return looked.error();
    }
    std::vector<FoundEvent> found = take_found(count, asked);
    std::vector<std::optional<Error>> errors(found.size());
    const auto claim_one = [&](std::size_t i) -> boost::asio::awaitable<void> {
      errors[i] = co_await take_one(found[i].key);
    };
    co_await for_each_concurrently(found.size(), kMaxCalls, claim_one);
    std::optional<Error> error;
    for (std::size_t i = 0; i < found.size(); ++i) {
      if (errors[i]) {
        put_back(std::move(found[i]), *errors[i]);
        error = std::move(errors[i]);
      } else {
        failures_ = 0;
      }
    }
    if (error && !taken_.has_due(requests, clock_.wall())) {
      co_return *error;
    }
    asked = lanes_of(requests);
  }
  co_return Result<void>{};
}

boost::asio::awaitable<Result<void>> TableInbox::find(std::size_t wanted,
                                                      std::span<const TableLane> asked) {
  if (!is_scan_used_) {
    co_return Result<void>{};
  }
  const auto looked = co_await scan_.look_for(wanted, asked);
  if (looked || looked.error().kind != ErrorKind::refused || fallback_.empty()) {
    co_return looked;
  }
  log_.warning(
      "the table's index cannot be read; only the newest 100 events, which the API shows, are "
      "reachable (allow dynamodb:Query on the table's indexes)",
      {{"error", looked.error().message}});
  is_scan_used_ = false;
  listed_ = fallback_;
  co_return Result<void>{};
}

std::vector<FoundEvent> TableInbox::take_found(std::size_t wanted,
                                               std::span<const TableLane> asked) {
  std::vector<FoundEvent> found;
  while (found.size() < wanted) {
    if (is_scan_used_) {
      auto next = scan_.take(asked);
      if (!next) {
        break;
      }
      found.push_back(std::move(*next));
    } else if (!listed_.empty()) {
      found.push_back(std::move(listed_.front()));
      listed_.pop_front();
    } else {
      break;
    }
  }
  return found;
}

// What could not be claimed waits behind the others. Of a stream it comes again with the stream; an
// event that fails again and again must not fail the run.
void TableInbox::put_back(FoundEvent found, const Error& error) {
  const bool is_unchangeable = error.kind == ErrorKind::invalid;
  if (options_.only && !is_unchangeable) {
    unresolved_.insert(found.key);
    return;
  }
  if (options_.only || is_unchangeable || ++found.failures >= kMaxClaims) {
    log_.warning("an event cannot be claimed; it is left to a later run",
                 {{"event_id", found.key.id}, {"error", error.message}});
    return;
  }
  if (is_scan_used_) {
    scan_.put_back(std::move(found));
  } else {
    listed_.push_back(std::move(found));
  }
}

// An error when the table did not say whether it can be had.
boost::asio::awaitable<std::optional<Error>> TableInbox::take_one(EventKey key) {
  const auto id = parse_uuid(key.id);
  if (id && taken_.find(*id) != nullptr) {
    co_return std::nullopt;  // it has been found twice
  }
  const MonoTime began = clock_.monotonic();
  TableLease lease{options_.lease_token, clock_.wall() + lease_time()};
  auto claimed = co_await table_->claim(key, std::move(lease));
  if (!claimed && claimed.error().kind == ErrorKind::conflict) {
    co_return std::nullopt;
  }
  if (!claimed) {
    co_return claimed.error();
  }
  if (claimed->event == nullptr) {
    co_await put_aside(std::move(key), std::move(*claimed));
  } else {
    co_await hold(std::move(key), std::move(*claimed), began + lease_time());
  }
  co_return std::nullopt;
}

boost::asio::awaitable<void> TableInbox::hold(EventKey key, TableEvent found, MonoTime until) {
  const EventId id = found.event->id;
  if (taken_.find(id) != nullptr) {
    co_await give_key_back(std::move(key));  // another item of the same id is under way
    co_return;
  }
  InboxEvent event;
  event.event = std::move(found.event);
  EventLease lease{options_.lease_token, until};
  const auto open = taken_.add(event, std::move(lease), known_of(found.deliveries), clock_.wall());
  keys_.insert_or_assign(id, std::move(key));
  const bool is_delivered = taken_.find(id)->is_delivered();
  if (open == 0 && !is_delivered) {
    // The index was behind: nothing of it is due.
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
    forget(id);
  } else {
    is_ack_refused_ = true;
    co_await give_event_back(id);
  }
}

// An item that cannot be sent needs a person: it is in review, and says why.
boost::asio::awaitable<void> TableInbox::put_aside(EventKey key, TableEvent found) {
  log_.warning("an event cannot be sent; it is in review",
               {{"event_id", key.id}, {"error", found.unsendable}});
  --budget_;
  ++stats_.events;
  bool is_given_back = false;
  for (const Endpoint& endpoint : endpoints_) {
    ++stats_.deliveries;
    const TableDelivery* before = find_delivery(found.deliveries, endpoint.id);
    TableRecord record;
    record.key = key;
    record.lease_token = options_.lease_token;
    record.delivery.endpoint_id = endpoint.id;
    record.delivery.state = DeliveryState::review;
    record.delivery.reason = ReviewReason::rejected;
    record.delivery.error = "protocol: " + found.unsendable;
    // It counts as an attempt, so that it is a later word than what the item says.
    record.delivery.attempts = before == nullptr ? 1 : before->attempts + 1;
    const bool is_last = &endpoint == &endpoints_.back();
    if (!is_last) {
      record.lease_until = clock_.wall() + lease_time();
    }
    const auto recorded = co_await table_->record(std::move(record));
    is_given_back = recorded && is_last;
    // One that had succeeded before stays so.
    if (!recorded && recorded.error().kind != ErrorKind::conflict) {
      log_.warning("an event in review could not be recorded",
                   {{"event_id", key.id}, {"error", recorded.error().message}});
      unresolved_.insert(key);
      break;
    }
  }
  if (!is_given_back) {
    co_await give_key_back(std::move(key));
  }
}

Error TableInbox::note_failure(Error error) {
  if (error.kind == ErrorKind::stopped) {
    is_stopped_ = true;  // our own stop is no failure
    return error;
  }
  const bool may_pass = error.kind == ErrorKind::retry_later || error.kind == ErrorKind::invalid;
  if (may_pass && ++failures_ < kMaxFailures) {
    return error;
  }
  if (may_pass && options_.only) {
    is_stopped_ = true;
    for (const FoundEvent& unasked : listed_) {
      unresolved_.insert(unasked.key);
    }
    return make_error(ErrorKind::stopped, std::move(error.message));
  }
  failure_ = RunFailure{"Table", std::move(error)};
  return make_error(ErrorKind::refused, failure_->error.message);
}

}  // namespace dispatcher
