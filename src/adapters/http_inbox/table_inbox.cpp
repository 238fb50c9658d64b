#include "adapters/http_inbox/table_inbox.hpp"

#include "adapters/http_inbox/concurrently.hpp"

#include <algorithm>
#include <utility>

namespace dispatcher {
namespace {

using State = TakenDelivery::State;

std::vector<std::string> ids_of(const std::vector<Endpoint>& endpoints) {
  std::vector<std::string> ids;
  ids.reserve(endpoints.size());
  for (const Endpoint& endpoint : endpoints) {
    ids.push_back(endpoint.id);
  }
  return ids;
}

// What the item says of a delivery from now on.
TableDelivery delivery_after(const Settlement& settlement, std::string endpoint_id, int step) {
  TableDelivery delivery;
  delivery.endpoint_id = std::move(endpoint_id);
  delivery.attempts = settlement.attempt.number;
  delivery.step = step;
  if (std::holds_alternative<Delivered>(settlement.decision)) {
    delivery.state = DeliveryState::delivered;
    return delivery;
  }
  delivery.error = settlement.attempt.error.value_or("");
  if (const auto* review = std::get_if<SentToReview>(&settlement.decision)) {
    delivery.state = DeliveryState::review;
    delivery.reason = review->reason;
    return delivery;
  }
  const auto& again = std::get<Again>(settlement.decision);
  delivery.due = again.at;
  delivery.step = again.step;
  delivery.retries = again.retries_used;
  return delivery;
}

// By when the API's calls have ended, so that there is time for the item.
std::optional<MonoTime> api_deadline(MonoTime now, std::optional<MonoTime> deadline) {
  if (!deadline) {
    return std::nullopt;
  }
  return keeping_back(now, *deadline, TableInbox::kItemTime, TableInbox::kItemPart);
}

}  // namespace

TableInbox::TableInbox(TableInboxParts parts, std::vector<Endpoint> endpoints,
                       TableInboxOptions options)
    : table_(std::move(parts.table)),
      calls_(parts.api, parts.clock, api_deadline(parts.clock.monotonic(), options.deadline)),
      clock_(parts.clock),
      log_(parts.log),
      endpoints_(std::move(endpoints)),
      options_(std::move(options)),
      scan_(*table_, clock_, log_, ids_of(endpoints_), parts.memory,
            static_cast<std::size_t>(options_.max_events)),
      taken_(endpoints_, options_.only ? ShortWaits::left : ShortWaits::kept,
             options_.attempt_timeout),
      budget_(options_.max_events) {
  if (options_.only) {
    is_scan_used_ = false;
    for (EventKey& key : *options_.only) {
      listed_.push_back({std::move(key), {}});
    }
    budget_ = static_cast<std::int64_t>(listed_.size());
  }
}

InboxFigures TableInbox::figures() const {
  InboxFigures figures;
  if (is_scan_used_) {
    figures.expired = scan_.expired();
    if (const auto seen = scan_.figures()) {
      figures.in_review = seen->in_review;
      figures.oldest_pending = seen->oldest_pending;
    }
  }
  return figures;
}

// -- claiming

boost::asio::awaitable<Result<ClaimAnswer>> TableInbox::claim(std::vector<ClaimRequest> requests,
                                                              std::size_t max_bytes) {
  if (failure_) {
    co_return make_error(ErrorKind::refused, failure_->error.message);
  }
  co_await renew_expiring();
  ClaimAnswer answer;
  taken_.hand_out(requests, max_bytes, clock_.wall(), clock_.monotonic(), answer.deliveries);
  if (answer.deliveries.empty() && may_take(lanes_of(requests))) {
    std::size_t free = 1;
    for (const ClaimRequest& request : requests) {
      free = std::max(free, request.max);
    }
    const auto taken = co_await take(requests, free);
    if (!taken) {
      co_return note_failure(taken.error());
    }
    failures_ = 0;
    taken_.hand_out(requests, max_bytes, clock_.wall(), clock_.monotonic(), answer.deliveries);
  }
  for (const ClaimRequest& request : requests) {
    auto due = taken_.next_due(request.endpoint);
    if (may_take(lanes_of({request}))) {
      due = std::min(due.value_or(clock_.wall()), clock_.wall());
    }
    answer.lanes.push_back({request.endpoint, due});
  }
  co_return answer;
}

// -- settling

// What came of an event's several deliveries is written one after the other: the last that is
// written takes the lease away.
boost::asio::awaitable<Result<SettleAnswer>> TableInbox::settle(Settlement settlement) {
  const EventId id = settlement.event_id;
  co_await turns_.take(id);
  auto settled = co_await settle_in_turn(std::move(settlement));
  turns_.end(id);
  co_return settled;
}

boost::asio::awaitable<Result<SettleAnswer>> TableInbox::settle_in_turn(Settlement settlement) {
  const ClaimToken token = settlement.token;
  if (taken_.find(token) == nullptr) {
    taken_.drop_claim(token);
    co_return make_error(ErrorKind::conflict, "this claim has ended");
  }
  const EventId id = settlement.event_id;
  const auto kept_until = taken_.record(settlement, clock_.wall());
  TakenEvent* taken = taken_.find(token);
  Result<void> done;
  if (taken->is_delivered() && !taken->is_acknowledged) {
    done = co_await acknowledge(id, settlement);
  } else if (!taken->is_delivered()) {
    done = co_await record(id, settlement);
  }
  if (!done && done.error().kind == ErrorKind::retry_later) {
    co_return done.error();  // the caller tries again
  }
  failing_since_.erase(id);
  if (!done && done.error().kind != ErrorKind::conflict) {
    unresolved_.insert(keys_.at(id));
  }
  // Only now: what is kept must not be tried again before the item says so.
  if (done) {
    taken_.requeue(token);
  } else {
    taken_.lose_claim(token);
    taken_.lose(id);
  }
  taken = taken_.find(id);
  if (taken == nullptr || (!taken->is_open() && taken->claims == 0)) {
    forget(id);
  }
  if (!done) {
    co_return done.error();
  }
  if (kept_until && hint_) {
    const LaneDue lane{settlement.endpoint, kept_until};
    hint_({&lane, 1});
  }
  co_return SettleAnswer{};
}

// A failure that may pass leaves everything as it is until it has lasted for too long.
Result<void> TableInbox::patience(const EventId& id, Error error, std::chrono::seconds patience) {
  const MonoTime now = clock_.monotonic();
  const MonoTime since = failing_since_.try_emplace(id, now).first->second;
  if (error.kind != ErrorKind::retry_later || now - since >= patience ||
      calls_.is_past_deadline()) {
    return make_error(ErrorKind::refused, std::move(error.message));
  }
  return error;
}

// What every endpoint has taken. Where the API cannot be told, the item is, so that it is not sent
// again: the next run then finds it, and acknowledges it.
boost::asio::awaitable<Result<void>> TableInbox::acknowledge(EventId id,
                                                             const Settlement& settlement) {
  auto told = co_await calls_.acknowledge(id, {});
  if (told) {
    ++stats_.acknowledged;
    taken_.find(id)->is_acknowledged = true;
    co_return Result<void>{};
  }
  const bool is_unknown = told.error().kind == ErrorKind::not_found;
  if (!taken_.find(id)->delivery_of(settlement.endpoint).is_noted) {
    const auto noted = co_await record(id, settlement);
    if (!noted && noted.error().kind == ErrorKind::conflict && is_unknown) {
      log_.info("a delivered event had been deleted meanwhile", {{"event_id", to_string(id)}});
      co_return Result<void>{};
    }
    if (!noted) {
      co_return noted;
    }
    taken_.find(id)->delivery_of(settlement.endpoint).is_noted = true;
  }
  if (is_unknown) {
    told = make_error(ErrorKind::retry_later, told.error().message);  // its reads may lag
  }
  const auto again = patience(id, told.error(), kAckPatience);
  if (again.error().kind == ErrorKind::retry_later) {
    co_return again;
  }
  log_.warning("an event is delivered, but could not be acknowledged; the next run will",
               {{"event_id", to_string(id)}, {"error", told.error().message}});
  // Nothing is lost when this is not done: the lease ends.
  (void)co_await table_->give_back(keys_.at(id), options_.lease_token);
  co_return Result<void>{};
}

boost::asio::awaitable<Result<void>> TableInbox::record(EventId id, const Settlement& settlement) {
  TakenEvent* taken = taken_.find(id);
  if (taken == nullptr) {
    co_return make_error(ErrorKind::conflict, "the event's lease is another's");
  }
  TableRecord record;
  record.key = keys_.at(id);
  record.lease_token = options_.lease_token;
  record.delivery = delivery_after(settlement, endpoint_id(settlement.endpoint),
                                   taken->delivery_of(settlement.endpoint).progress.step);
  const bool is_success = record.delivery.state == DeliveryState::delivered;
  if (!is_success) {
    record.failed_at = settlement.attempt.started_at;
  }
  // A success that is not acknowledged yet is still to be, and what another attempt came to may be
  // known here alone.
  if (taken->is_open() || taken->is_delivered() || taken->claims > 1) {
    record.lease_until = lease_end(*taken);
    taken->lease.until = clock_.monotonic() + (*record.lease_until - clock_.wall());
  }
  Result<void> recorded;
  if (is_success) {
    recorded = co_await record_delivered(std::move(record));
  } else {
    recorded = co_await table_->record(std::move(record));
  }
  if (!recorded && recorded.error().kind != ErrorKind::conflict) {
    co_return patience(id, recorded.error(), kSettlePatience);
  }
  co_return recorded;
}

// A success counts, whoever has the lease by now.
boost::asio::awaitable<Result<void>> TableInbox::record_delivered(TableRecord record) {
  EventKey key = record.key;
  const TableDelivery delivery = record.delivery;
  auto recorded = co_await table_->record(std::move(record));
  if (!recorded && recorded.error().kind == ErrorKind::conflict) {
    recorded = co_await table_->record_success(std::move(key), delivery);
  }
  co_return recorded;
}

boost::asio::awaitable<Result<void>> TableInbox::give_back(std::vector<ClaimToken> tokens) {
  std::vector<EventId> whole;
  for (const ClaimToken token : tokens) {
    const TakenEvent* taken = taken_.find(token);
    if (taken == nullptr) {
      continue;
    }
    const EventId id = taken->event->id;
    if (taken_.put_back(token)) {
      whole.push_back(id);
    }
  }
  const auto give = [&](std::size_t i) { return give_event_back(whole[i]); };
  co_await for_each_concurrently(whole.size(), kMaxCalls, give);
  co_return Result<void>{};
}

boost::asio::awaitable<void> TableInbox::give_event_back(EventId id) {
  const auto key = keys_.find(id);
  if (key == keys_.end()) {
    co_return;
  }
  co_await give_key_back(key->second);
  forget(id);
}

boost::asio::awaitable<void> TableInbox::give_key_back(EventKey key) {
  const std::string id = key.id;
  const auto given = co_await table_->give_back(std::move(key), options_.lease_token);
  if (!given) {
    log_.info("an event could not be given back; its lease will end",
              {{"event_id", id}, {"error", given.error().message}});
  }
}

const std::string& TableInbox::endpoint_id(EndpointNumber number) const {
  return endpoints_.at(static_cast<std::size_t>(number - 1)).id;
}

void TableInbox::forget(const EventId& id) {
  failing_since_.erase(id);
  taken_.erase(id);
  keys_.erase(id);
}

boost::asio::awaitable<void> TableInbox::finish() {
  is_stopped_ = true;
  const MonoTime end = clock_.monotonic() + kFinishTime;
  calls_.end_by(end);
  table_->end_by(end);
  const auto ids = taken_.ids();
  const auto give = [&](std::size_t i) { return give_event_back(ids[i]); };
  co_await for_each_concurrently(ids.size(), kMaxCalls, give);
}

}  // namespace dispatcher
