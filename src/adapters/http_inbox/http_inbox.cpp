#include "adapters/http_inbox/http_inbox.hpp"

#include "adapters/http_inbox/concurrently.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

namespace dispatcher {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// The contract's.
constexpr std::size_t kMaxFetch = 1000;
constexpr std::size_t kMaxRenewed = 1000;

// A reserve for recording after an attempt has ended.
constexpr seconds kSettleReserve{5};

}  // namespace

HttpInbox::HttpInbox(TriggersApi& api, const Clock& clock, const Log& log,
                     std::vector<Endpoint> endpoints, InboxMemory& memory, HttpInboxOptions options)
    : calls_(api, clock, options.deadline),
      clock_(clock),
      log_(log),
      memory_(memory),
      endpoints_(std::move(endpoints)),
      options_(std::move(options)),
      taken_(endpoints_),
      budget_(options_.max_events) {}

// -- claiming

boost::asio::awaitable<Result<ClaimAnswer>> HttpInbox::claim(std::vector<ClaimRequest> requests,
                                                             std::size_t max_bytes) {
  if (beside_) {
    co_return co_await beside_->claim(std::move(requests), max_bytes);
  }
  if (failure_) {
    co_return final_failure();
  }
  co_await renew_expiring();
  ClaimAnswer answer;
  taken_.hand_out(requests, max_bytes, clock_.wall(), clock_.monotonic(), answer.deliveries);
  if (answer.deliveries.empty() && may_fetch() && !fetch_pause_end()) {
    const auto fetched = co_await fetch(fetch_size(requests));
    if (!fetched) {
      co_return note_fetch_failure(fetched.error());
    }
    fetch_failures_ = 0;
    last_fetch_error_.reset();
    if (beside_) {
      co_return co_await beside_->claim(std::move(requests), max_bytes);
    }
    taken_.hand_out(requests, max_bytes, clock_.wall(), clock_.monotonic(), answer.deliveries);
  }
  for (const ClaimRequest& request : requests) {
    answer.lanes.push_back({request.endpoint, lane_due(request.endpoint)});
  }
  co_return answer;
}

std::optional<WallTime> HttpInbox::lane_due(EndpointNumber endpoint) const {
  auto due = taken_.next_due(endpoint);
  if (may_fetch()) {
    const auto pause_end = fetch_pause_end();
    const WallTime next =
        clock_.wall() +
        (pause_end ? std::chrono::ceil<std::chrono::microseconds>(*pause_end - clock_.monotonic())
                   : std::chrono::microseconds{0});
    due = std::min(due.value_or(next), next);
  }
  return due;
}

bool HttpInbox::may_fetch() const {
  if (is_exhausted_ || failure_ || budget_ <= 0 || calls_.is_past_deadline()) {
    return false;
  }
  return mode_ != Mode::plain || taken_.empty();
}

std::optional<MonoTime> HttpInbox::fetch_pause_end() const {
  if (!last_fetch_ || taken_.claimed() == 0) {
    return std::nullopt;
  }
  const MonoTime end = *last_fetch_ + kFetchPause;
  return end > clock_.monotonic() ? std::optional{end} : std::nullopt;
}

// Just in time: no more than the endpoints' free slots.
std::size_t HttpInbox::fetch_size(const std::vector<ClaimRequest>& requests) const {
  std::size_t free = 1;
  for (const ClaimRequest& request : requests) {
    free = std::max(free, request.max);
  }
  return std::min({free, static_cast<std::size_t>(budget_), kMaxFetch});
}

Error HttpInbox::note_fetch_failure(Error error) {
  const bool is_final = error.kind == ErrorKind::refused || ++fetch_failures_ >= kMaxFetchFailures;
  if (error.kind == ErrorKind::stopped) {
    is_exhausted_ = true;  // our own stop is no failure
    return error;
  }
  last_fetch_error_ = error;
  if (is_final) {
    failure_ = RunFailure{"Api", std::move(error)};
    return final_failure();
  }
  return error;
}

// So that the engine asks no more.
Error HttpInbox::final_failure() const {
  return make_error(ErrorKind::refused, failure_->error.message);
}

// -- settling

boost::asio::awaitable<Result<SettleAnswer>> HttpInbox::settle(Settlement settlement) {
  if (beside_) {
    co_return co_await beside_->settle(std::move(settlement));
  }
  const ClaimToken token = settlement.token;
  if (taken_.find(token) == nullptr) {
    taken_.drop_claim(token);
    co_return make_error(ErrorKind::conflict, "this claim has ended");
  }
  const EventId id = settlement.event_id;
  const EndpointNumber endpoint = settlement.endpoint;
  const auto kept_until = taken_.record(settlement, clock_.wall());
  remember(settlement);
  if (taken_.find(token)->is_open()) {
    taken_.requeue(token);
    if (kept_until) {
      co_await renew_expiring();
      hint(endpoint, *kept_until);
    }
    co_return SettleAnswer{};
  }
  co_return co_await conclude(token, id);
}

// For the runs to come, what the API does not keep.
void HttpInbox::remember(const Settlement& settlement) {
  if (std::holds_alternative<Delivered>(settlement.decision)) {
    if (mode_ == Mode::plain) {
      memory_.note_delivered(settlement.event_id, settlement.attempt.endpoint_id);
    }
  } else if (std::holds_alternative<SentToReview>(settlement.decision)) {
    memory_.note_rejected(settlement.event_id, settlement.attempt.endpoint_id);
  } else if (mode_ == Mode::plain) {
    memory_.note_failed(settlement.event_id, clock_.wall());
  }
}

// Tells the API what became of an event of which nothing is open any more. A failure that may pass
// leaves everything as it is, so that the caller can try again.
boost::asio::awaitable<Result<SettleAnswer>> HttpInbox::conclude(ClaimToken token, EventId id) {
  auto told = co_await report(id);
  if (!told && told.error().kind == ErrorKind::retry_later) {
    const MonoTime now = clock_.monotonic();
    const MonoTime since = failing_since_.try_emplace(id, now).first->second;
    if (now - since < kSettlePatience && !calls_.is_past_deadline()) {
      co_return told.error();
    }
    told = make_error(ErrorKind::refused, told.error().message);
  }
  taken_.drop_claim(token);
  forget(id);
  if (!told) {
    co_return told.error();
  }
  co_return SettleAnswer{};
}

boost::asio::awaitable<Result<void>> HttpInbox::report(EventId id) {
  const TakenEvent* taken = taken_.find(id);
  if (taken == nullptr) {
    co_return Result<void>{};
  }
  if (taken->is_delivered()) {
    co_return co_await acknowledge(id);
  }
  if (mode_ == Mode::plain || taken->is_lost()) {
    co_return Result<void>{};  // there is nobody to tell, or it is another's by now
  }
  NackRequest report = taken_.report(*taken, clock_.wall());
  co_return co_await calls_.give_back(id, taken->lease.token, std::move(report));
}

boost::asio::awaitable<Result<void>> HttpInbox::acknowledge(EventId id) {
  auto told = co_await calls_.acknowledge(id, taken_.find(id)->lease.token);
  if (told) {
    ++stats_.acknowledged;
    if (mode_ == Mode::plain) {
      memory_.note_acknowledged(id, clock_.wall());
    }
  } else if (told.error().kind == ErrorKind::not_found) {
    log_.info("a delivered event had been deleted meanwhile", {{"event_id", to_string(id)}});
    co_return Result<void>{};
  } else if (told.error().kind == ErrorKind::conflict) {
    log_.warning("a delivered event is leased by another consumer, which may deliver it again",
                 {{"event_id", to_string(id)}});
  }
  co_return told;
}

void HttpInbox::forget(const EventId& id) {
  failing_since_.erase(id);
  taken_.erase(id);
  if (mode_ == Mode::plain && may_fetch()) {
    hint_all(clock_.wall());  // all that was taken is done: the next answer has others
  }
}

boost::asio::awaitable<Result<void>> HttpInbox::give_back(std::vector<ClaimToken> tokens) {
  if (beside_) {
    co_return co_await beside_->give_back(std::move(tokens));
  }
  for (const ClaimToken token : tokens) {
    const TakenEvent* taken = taken_.find(token);
    if (taken == nullptr) {
      continue;
    }
    const EventId id = taken->event->id;
    if (taken_.put_back(token) && mode_ == Mode::leases) {
      co_await give_back_event(id);
    }
  }
  co_return Result<void>{};
}

boost::asio::awaitable<void> HttpInbox::give_back_event(EventId id) {
  const TakenEvent* taken = taken_.find(id);
  if (taken != nullptr && mode_ == Mode::leases) {
    const auto told = co_await report(id);
    if (!told) {
      log_.info("an event could not be given back; its lease will end",
                {{"event_id", to_string(id)}, {"error", told.error().message}});
    }
  }
  forget(id);
}

void HttpInbox::on_due(DueHint hint) {
  hint_ = std::move(hint);
  if (beside_) {
    beside_->on_due(hint_);
  }
}

InboxFigures HttpInbox::figures() const {
  return beside_ ? beside_->figures() : figures_;
}

void HttpInbox::stop() {
  if (beside_) {
    beside_->stop();
  }
  is_exhausted_ = true;
  last_fetch_error_.reset();  // nobody waits for what it would have brought
}

boost::asio::awaitable<void> HttpInbox::finish() {
  if (beside_) {
    co_await beside_->finish();
    co_return;
  }
  is_exhausted_ = true;
  if (!failure_ && last_fetch_error_) {
    failure_ = RunFailure{
        "Api", *last_fetch_error_};  // the run's time was over before it was tried often enough
  }
  calls_.end_by(clock_.monotonic() + kFinishTime);
  const auto ids = taken_.ids();
  const auto give = [&](std::size_t i) { return give_back_event(ids[i]); };
  co_await for_each_concurrently(ids.size(), kMaxCalls, give);
}

// -- leases

boost::asio::awaitable<void> HttpInbox::renew_expiring() {
  if (mode_ != Mode::leases) {
    co_return;
  }
  const WallTime now = clock_.wall();
  const auto margin = std::chrono::ceil<seconds>(options_.attempt_timeout) + kSettleReserve;
  const auto expiring = taken_.expiring(now, clock_.monotonic(), margin);
  std::map<std::string, std::vector<EventId>> by_token;
  seconds longest_wait{0};
  for (TakenEvent* taken : expiring) {
    taken->is_renewing = true;
    by_token[taken->lease.token].push_back(taken->event->id);
    for (const TakenDelivery& delivery : taken->deliveries) {
      if (delivery.state == TakenDelivery::State::queued) {
        longest_wait = std::max(longest_wait, std::chrono::ceil<seconds>(delivery.due - now));
      }
    }
  }
  const std::int64_t lease =
      std::min<std::int64_t>(lease_seconds() + longest_wait.count(), kLongestLease.count());
  for (auto& [token, ids] : by_token) {
    for (std::size_t first = 0; first < ids.size(); first += kMaxRenewed) {
      const auto from = ids.begin() + static_cast<std::ptrdiff_t>(first);
      const auto count = std::min(kMaxRenewed, ids.size() - first);
      co_await renew(token, {from, from + static_cast<std::ptrdiff_t>(count)}, lease);
    }
  }
}

boost::asio::awaitable<void> HttpInbox::renew(std::string token, std::vector<EventId> ids,
                                              std::int64_t lease) {
  const MonoTime began = clock_.monotonic();
  const auto leased = co_await calls_.renew(token, ids, lease);
  if (!leased) {
    log_.info("leases could not be renewed",
              {{"count", ids.size()}, {"error", leased.error().message}});
  }
  for (const EventId& id : ids) {
    TakenEvent* taken = taken_.find(id);
    if (taken == nullptr) {
      continue;  // settled meanwhile
    }
    taken->is_renewing = false;
    if (!leased || taken->lease.token != token) {
      continue;
    }
    if (std::find(leased->begin(), leased->end(), id) != leased->end()) {
      taken->lease.until = began + seconds{lease};
    } else {
      log_.info("an event's lease has gone to another consumer", {{"event_id", to_string(id)}});
      taken_.lose(id);
    }
  }
}

void HttpInbox::hint(EndpointNumber endpoint, WallTime due) const {
  if (hint_) {
    const LaneDue lane{endpoint, due};
    hint_({&lane, 1});
  }
}

void HttpInbox::hint_all(WallTime due) const {
  for (const Endpoint& endpoint : endpoints_) {
    hint(endpoint.number, due);
  }
}

std::int64_t HttpInbox::lease_seconds() const {
  const auto lease = std::chrono::ceil<seconds>(options_.attempt_timeout) + kLeaseReserve;
  return std::min<std::int64_t>(lease.count(), kLongestLease.count());
}

}  // namespace dispatcher
