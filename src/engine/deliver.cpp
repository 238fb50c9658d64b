// What becomes of one claimed delivery: its attempt, what that means for it and for its endpoint,
// and the write that says so.
#include "engine/engine.hpp"
#include "engine/pauses.hpp"
#include "engine/report.hpp"

#include <utility>

namespace dispatcher {
namespace {

using std::chrono::milliseconds;

// RFC 9110, section 15.5.11: gone, and likely for good.
constexpr int kGone = 410;

constexpr std::string_view kGoneReason = "410 Gone: its receiver says that it is there no more";

bool says_gone(const Verdict& verdict) {
  return verdict.outcome == Outcome::refused && verdict.status == kGone;
}

}  // namespace

boost::asio::awaitable<void> Engine::work(ClaimedDelivery delivery, Lane& lane, Start start) {
  while (true) {
    auto endpoint = lane.endpoint;
    Tried tried = co_await attempt(ports_.http, ports_.clock, options_.identity, endpoint, delivery,
                                   start.deadline);
    Ended ended = conclude(std::move(tried), delivery, std::move(endpoint), lane, start.is_probe);
    count(ended, delivery);
    heed_answer(ended, lane);
    report_attempt(ports_.log, delivery.event->id, *ended.endpoint, ended.tried, ended.decision);
    Settlement settlement = settlement_of(delivery, ended);
    const bool goes_on = may_go_on(lane);
    settlement.claim_next = goes_on ? 1 : 0;
    lane.reserved += goes_on ? 1 : 0;
    const auto question = goes_on ? std::optional{lane.ask()} : std::nullopt;
    const bool disables = !settlement.disables_endpoint.empty();
    auto settled = co_await settle(std::move(settlement));
    // The slot is free only now that the attempt is recorded: what a kill can repeat is bounded by
    // the slots.
    lane.reserved -= goes_on ? 1 : 0;
    --lane.in_flight;
    if (disables) {
      // Where the delivery had ended, the answer has no revision: it is a later one than is known.
      const bool is_told = settled && settled->disabled_in > 0;
      const auto revision = is_told ? settled->disabled_in : lane.endpoint->revision + 1;
      --lane.disabling;
      lane.disabled_in = std::max(lane.disabled_in, revision);
      if (lane.is_active()) {
        lane.hint(WallTime{});  // somebody set it right meanwhile
      }
    }
    if (question) {
      lane.answer(*question, settled && settled->lane ? &*settled->lane : nullptr);
    }
    const auto* again = std::get_if<Again>(&ended.decision);
    if (settled && settled->lane && again != nullptr) {
      lane.hint(again->at);  // an older answer that is still on its way does not know of it
    }
    const bool has_next = settled && !settled->next.empty();
    const auto next_start = has_next ? begin(lane) : std::nullopt;
    lanes_.refresh(lane, now());  // without anything in flight, one that has left ends with this
    if (next_start) {
      wake_if_due_sooner();
      delivery = std::move(settled->next.front());
      start = *next_start;
      continue;
    }
    if (has_next) {
      co_await give_back(std::move(settled->next));
    }
    break;
  }
  --in_flight_;
  if (in_flight_ == 0) {
    wakeup_.wake();
  } else {
    wake_if_due_sooner();
  }
}

std::optional<Engine::Start> Engine::begin(Lane& lane) {
  const MonoTime at = ports_.clock.monotonic();
  const auto deadline = limit_.attempt_deadline(at, lane.endpoint->timeout);
  if (is_stopping_ || !deadline || lane.may_begin(at) == 0) {
    return std::nullopt;
  }
  lane.rate.take(at);
  ++lane.in_flight;
  const bool is_probe = lane.breaker.begin();
  if (is_probe) {
    report_probe(ports_.log, *lane.endpoint);
  }
  return Start{*deadline, is_probe};
}

Engine::Ended Engine::conclude(Tried tried, const ClaimedDelivery& delivery,
                               std::shared_ptr<const Endpoint> endpoint, const Lane& lane,
                               bool is_probe) {
  const WallTime at = ports_.clock.wall();
  const double jitter = ports_.random.next_unit();
  Ended ended;
  ended.decision = is_probe
                       ? decide_probe(tried.verdict, delivery.progress, endpoint->retry, at, jitter)
                       : decide(tried.verdict, delivery.progress, endpoint->retry, at, jitter);
  ended.tried = std::move(tried);
  ended.is_probe = is_probe;
  ended.is_of_lane = lane.endpoint == endpoint || is_same_url(lane.endpoint->url, endpoint->url);
  ended.endpoint = std::move(endpoint);
  return ended;
}

Settlement Engine::settlement_of(const ClaimedDelivery& delivery, Ended& ended) {
  Settlement settlement;
  settlement.token = delivery.token;
  settlement.event_id = delivery.event->id;
  settlement.endpoint = delivery.endpoint;
  settlement.attempt = std::move(ended.tried.attempt);
  settlement.decision = ended.decision;
  if (ended.is_of_lane && says_gone(ended.tried.verdict) &&
      ended.endpoint->origin == EndpointOrigin::api) {
    settlement.disables_endpoint = kGoneReason;
  }
  return settlement;
}

// What its answer means for the endpoint.
void Engine::heed_answer(const Ended& ended, Lane& lane) {
  if (!ended.is_of_lane) {
    return;
  }
  const Verdict& verdict = ended.tried.verdict;
  const MonoTime at = ports_.clock.monotonic();
  const double jitter = ports_.random.next_unit();
  if (says_gone(verdict)) {
    if (ended.endpoint->origin == EndpointOrigin::secret) {
      heed_change(lane.breaker.open_at_once(ended.is_probe, at, jitter), lane);
      return;
    }
    const bool was_disabled = lane.endpoint->state == EndpointState::disabled ||
                              lane.disabling > 0 || lane.endpoint->revision < lane.disabled_in;
    ++lane.disabling;
    if (!was_disabled) {
      ports_.metrics.add(Metric::endpoints_disabled);
      report_disabled(ports_.log, *lane.endpoint);
    }
  }
  heed_change(lane.breaker.record(verdict.outcome, ended.is_probe, at, jitter), lane);
  if (verdict.pauses_endpoint) {
    if (lane.paused_until <= at && verdict.retry_after->count() > 0) {
      ports_.metrics.add(Metric::endpoints_paused);
      report_pause(ports_.log, *lane.endpoint, *verdict.retry_after);
    }
    lane.paused_until = std::max<MonoTime>(lane.paused_until, at + *verdict.retry_after);
  }
  if (verdict.outcome == Outcome::delivered) {
    if (lane.latency == nullptr) {
      lane.latency = std::make_unique<LatencyHistogram>();
    }
    lane.latency->add(ended.tried.attempt.duration);
  }
}

void Engine::heed_change(BreakerChange change, const Lane& lane) {
  if (change == BreakerChange::none) {
    return;
  }
  ports_.metrics.add(Metric::breakers_opened, change == BreakerChange::opened ? 1 : 0);
  report_breaker(ports_.log, *lane.endpoint, change,
                 lane.breaker.probe_at() - ports_.clock.monotonic());
}

bool Engine::may_go_on(const Lane& lane) {
  const Now at = now();
  const bool is_due = lane.next_due && *lane.next_due <= at.wall;
  if (is_stopping_ || !is_due || lane.breaker.state() != BreakerState::closed) {
    return false;
  }
  const bool has_time = limit_.attempt_deadline(at.mono, lane.endpoint->timeout).has_value();
  if (!has_time || lane.may_begin(at.mono, 1) == 0) {
    return false;
  }
  const std::size_t besides = lane.in_flight - 1;
  const Slots free_now = slots();
  const Slots with_its_own{free_now.all, free_now.free + 1};
  if (with_its_own.share(besides) == 0) {
    return false;
  }
  // One that holds no more, and gets none of those that are free, waits for this very slot.
  const auto first = lanes_.held_by_first(at);
  return !first || *first > besides || free_now.share(*first) > 0;
}

boost::asio::awaitable<std::optional<SettleAnswer>> Engine::settle(Settlement settlement) {
  milliseconds pause = kFirstPause;
  bool is_reported = false;
  while (true) {
    auto recorded = co_await ports_.inbox.settle(settlement);
    if (recorded) {
      co_return std::move(*recorded);
    }
    const Error& error = recorded.error();
    const bool is_final = error.kind == ErrorKind::not_found || error.kind == ErrorKind::conflict;
    if (is_final) {
      // Deleted, or ended by a consumer, while the request was under way.
      ports_.log.info("an attempt's delivery had ended meanwhile",
                      {{"event_id", to_string(settlement.event_id)}, {"reason", error.message}});
      co_return std::nullopt;
    }
    const MonoTime at = ports_.clock.monotonic();
    const bool is_too_late = give_up_at_ && at >= *give_up_at_;
    if (error.kind == ErrorKind::refused || error.kind == ErrorKind::stopped || is_too_late) {
      ports_.log.error("an attempt could not be recorded; the event may be delivered again",
                       {{"event_id", to_string(settlement.event_id)}, {"error", error.message}});
      co_return std::nullopt;
    }
    if (!std::exchange(is_reported, true)) {
      ports_.log.warning("cannot record an attempt; trying again",
                         {{"event_id", to_string(settlement.event_id)}, {"error", error.message}});
    }
    co_await sleep(give_up_at_ ? std::min(pause, std::chrono::ceil<milliseconds>(*give_up_at_ - at))
                               : pause);
    pause = next_pause(pause);
    settlement.claim_next = 0;  // what was so when it was asked for may not be so any more
  }
}

void Engine::count(const Ended& ended, const ClaimedDelivery& delivery) {
  const Outcome outcome = ended.tried.verdict.outcome;
  const bool is_success = outcome == Outcome::delivered;
  const bool is_abandoned = outcome == Outcome::abandoned;
  const bool is_first = delivery.progress.attempts == 0;
  const bool is_retry = delivery.progress.retries_used > 0;
  ++(is_retry ? counts_.retries : counts_.attempted);
  ports_.metrics.add(is_first ? Metric::events_processed : Metric::retry_attempts);
  if (is_success) {
    ++counts_.successful;
    counts_.successful_time += ended.tried.attempt.duration;
    ports_.metrics.observe(Metric::delivery_latency, ended.tried.attempt.duration);
    ports_.metrics.add(Metric::successful_deliveries);
  } else if (is_abandoned) {
    ports_.metrics.add(Metric::attempts_abandoned);
  } else {
    ++counts_.failed_attempts;
    ports_.metrics.add(Metric::failed_deliveries);
  }
  const std::uint64_t opened = ports_.http.connections_opened();
  if (opened != connections_seen_) {
    ports_.metrics.add(
        Metric::connections_opened,
        static_cast<std::int64_t>(opened - std::exchange(connections_seen_, opened)));
  }
}

}  // namespace dispatcher
