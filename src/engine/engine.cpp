#include "engine/engine.hpp"

#include "base/check.hpp"
#include "engine/report.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>

#include <utility>

namespace dispatcher {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

// Payloads that one claim may bring into memory.
constexpr std::size_t kMaxClaimBytes = 16 * 1024 * 1024;

// How long a wait for a due time may last before the wall clock, which may jump, is looked at
// again.
constexpr seconds kLongestWait{1};

// What waits for longer than this is not waited for within a pass: the longest short retry.
constexpr seconds kPassPatience{75};

// The pause after the inbox could not claim or record, doubling between these.
constexpr milliseconds kFirstPause{50};
constexpr milliseconds kLastPause{2'000};

void warn_if_shortened(const Log& log, const PassLimit& limit,
                       const std::vector<Endpoint>& endpoints) {
  for (const Endpoint& endpoint : endpoints) {
    if (limit.shortens(endpoint.timeout)) {
      log.warning("the run is shorter than an attempt may take: attempts get what there is",
                  {{"endpoint", endpoint.id},
                   {"timeout_ms", std::chrono::floor<milliseconds>(endpoint.timeout).count()},
                   {"usable_ms", std::chrono::floor<milliseconds>(limit.usable()).count()}});
    }
  }
}

milliseconds next_pause(milliseconds pause) {
  return std::min(pause * 2, kLastPause);
}

}  // namespace

Engine::Engine(boost::asio::any_io_executor executor, EnginePorts ports,
               std::vector<Endpoint> endpoints, EngineOptions options)
    : executor_(std::move(executor)),
      ports_(ports),
      options_(std::move(options)),
      timer_(ports.timers.make()) {
  lanes_.set_endpoints(endpoints);
  if (options_.deadline) {
    limit_ = PassLimit{ports_.clock.monotonic(), *options_.deadline};
    give_up_at_ = limit_.give_up_at();
    warn_if_shortened(ports_.log, limit_, endpoints);
  }
  ports_.inbox.on_due(
      [executor = executor_, weak = std::weak_ptr{self_}](std::span<const LaneDue> lanes) {
        std::vector<LaneDue> copy{lanes.begin(), lanes.end()};
        boost::asio::post(executor, [weak, copy = std::move(copy)] {
          const auto self = weak.lock();
          if (!self) {
            return;
          }
          Engine& engine = **self;
          for (const LaneDue& due : copy) {
            Lane* lane = engine.lanes_.find(due.endpoint);
            if (lane != nullptr && due.next_due) {
              lane->hint(*due.next_due);
            }
          }
          engine.wake();
        });
      });
}

Engine::~Engine() {
  ports_.inbox.on_due({});
}

boost::asio::awaitable<void> Engine::run() {
  while (!is_stopping_) {
    co_await drain();
    if (options_.is_single_pass || !options_.pass_interval) {
      break;
    }
    const MonoTime next_pass = ports_.clock.monotonic() + *options_.pass_interval;
    while (!is_stopping_ && ports_.clock.monotonic() < next_pass) {
      co_await timer_->wait_until(next_pass);
    }
  }
  co_await finish();
}

boost::asio::awaitable<void> Engine::drain() {
  while (!is_stopping_ && !is_pass_over()) {
    auto requests =
        lanes_.share_out(ports_.clock.wall(), options_.max_in_flight - in_flight_,
                         [this](const Lane& lane) { return may_start_when_ready(lane); });
    if (requests.empty()) {
      co_await wait_for_work();
    } else {
      co_await claim(std::move(requests));
    }
  }
}

boost::asio::awaitable<void> Engine::claim(std::vector<ClaimRequest> requests) {
  const auto lanes = requests;
  auto answer = co_await ports_.inbox.claim(std::move(requests), kMaxClaimBytes);
  if (!answer) {
    if (!std::exchange(has_claim_failed_, true)) {
      ports_.log.warning("cannot claim deliveries; trying again",
                         {{"error", answer.error().message}});
    }
    const ErrorKind kind = answer.error().kind;
    if (kind == ErrorKind::stopped || (kind == ErrorKind::refused && options_.is_single_pass)) {
      is_stopping_ = true;  // it will not get better within this pass
      co_return;
    }
    for (const ClaimRequest& request : lanes) {
      if (Lane* lane = lanes_.find(request.endpoint)) {
        lane->hint(WallTime{});
      }
    }
    co_await pause_claiming();
    co_return;
  }
  has_claim_failed_ = false;
  lanes_.note_claimed(answer->lanes);
  std::vector<ClaimToken> unstarted;
  for (ClaimedDelivery& delivery : answer->deliveries) {
    if (is_stopping_ || !start(delivery)) {
      unstarted.push_back(delivery.token);
    }
  }
  if (!unstarted.empty()) {
    co_await give_back(std::move(unstarted));
  }
}

boost::asio::awaitable<void> Engine::pause_claiming() {
  MonoTime until = ports_.clock.monotonic() + kLastPause;
  if (limit_.last_end()) {
    until = std::min(until, *limit_.last_end());
  }
  // What ends meanwhile wakes it, and that must not ask a failing inbox sooner.
  while (!is_stopping_ && ports_.clock.monotonic() < until) {
    co_await timer_->wait_until(until);
  }
}

boost::asio::awaitable<void> Engine::give_back(std::vector<ClaimToken> tokens) {
  milliseconds pause = kFirstPause;
  while (true) {
    const auto given = co_await ports_.inbox.give_back(tokens);
    if (given || given.error().kind == ErrorKind::refused) {
      co_return;
    }
    if (is_stopping_) {
      co_return;  // the claims end with their claimer
    }
    co_await sleep(pause);
    pause = next_pause(pause);
  }
}

bool Engine::start(ClaimedDelivery delivery) {
  // While the claim was under way its endpoint may have left, or been paused.
  Lane* lane = lanes_.find(delivery.endpoint);
  if (lane == nullptr) {
    return false;
  }
  const auto deadline = deadline_at(*lane, ports_.clock.monotonic());
  const bool is_open =
      lane->endpoint->state == EndpointState::active && lane->paused_until <= ports_.clock.wall();
  if (!deadline || !is_open) {
    lane->hint(WallTime{});  // it is due when the lane is open again
    return false;
  }
  ++lane->in_flight;
  ++in_flight_;
  boost::asio::co_spawn(executor_, deliver(std::move(delivery), *lane, *deadline),
                        [](const std::exception_ptr& bug) {
                          if (bug) {
                            std::rethrow_exception(bug);
                          }
                        });
  return true;
}

boost::asio::awaitable<void> Engine::deliver(ClaimedDelivery delivery, Lane& lane,
                                             MonoTime deadline) {
  const auto endpoint = lane.endpoint;
  Tried tried =
      co_await attempt(ports_.http, ports_.clock, options_.identity, endpoint, delivery, deadline);
  const Decision decision = decide(tried.verdict, delivery.progress, endpoint->retry,
                                   ports_.clock.wall(), ports_.random.next_unit());
  note(tried, delivery, decision, lane);
  Settlement settlement;
  settlement.token = delivery.token;
  settlement.event_id = delivery.event->id;
  settlement.endpoint = delivery.endpoint;
  settlement.attempt = std::move(tried.attempt);
  settlement.decision = decision;
  co_await settle(std::move(settlement));
  // The slot is free only now that the attempt is recorded: what a kill can repeat is bounded by
  // the slots.
  --lane.in_flight;
  --in_flight_;
  wake();
}

boost::asio::awaitable<void> Engine::settle(Settlement settlement) {
  milliseconds pause = kFirstPause;
  bool is_reported = false;
  while (true) {
    const auto recorded = co_await ports_.inbox.settle(settlement);
    if (recorded) {
      co_return;
    }
    const Error& error = recorded.error();
    const bool is_final = error.kind == ErrorKind::not_found || error.kind == ErrorKind::conflict;
    if (is_final) {
      // Deleted, or ended by a consumer, while the request was under way.
      ports_.log.info("an attempt's delivery had ended meanwhile",
                      {{"event_id", to_string(settlement.event_id)}, {"reason", error.message}});
      co_return;
    }
    const MonoTime now = ports_.clock.monotonic();
    const bool is_too_late = give_up_at_ && now >= *give_up_at_;
    if (error.kind == ErrorKind::refused || error.kind == ErrorKind::stopped || is_too_late) {
      ports_.log.error("an attempt could not be recorded; the event may be delivered again",
                       {{"event_id", to_string(settlement.event_id)}, {"error", error.message}});
      co_return;
    }
    if (!std::exchange(is_reported, true)) {
      ports_.log.warning("cannot record an attempt; trying again",
                         {{"event_id", to_string(settlement.event_id)}, {"error", error.message}});
    }
    co_await sleep(
        give_up_at_ ? std::min(pause, std::chrono::ceil<milliseconds>(*give_up_at_ - now)) : pause);
    pause = next_pause(pause);
  }
}

void Engine::note(const Tried& tried, const ClaimedDelivery& delivery, const Decision& decision,
                  Lane& lane) {
  const bool is_first = delivery.progress.attempts == 0;
  const bool is_success = tried.verdict.outcome == Outcome::delivered;
  const bool is_retry = delivery.progress.retries_used > 0;
  counts_.attempted += is_retry ? 0 : 1;
  counts_.retries += is_retry ? 1 : 0;
  counts_.successful += is_success ? 1 : 0;
  if (is_success) {
    counts_.successful_time += tried.attempt.duration;
    ports_.metrics.observe(Metric::delivery_latency, tried.attempt.duration);
  }
  const bool is_abandoned = tried.verdict.outcome == Outcome::abandoned;
  counts_.failed_attempts += is_success || is_abandoned ? 0 : 1;
  ports_.metrics.add(Metric::events_processed, is_first ? 1 : 0);
  ports_.metrics.add(Metric::retry_attempts, is_first ? 0 : 1);
  ports_.metrics.add(Metric::successful_deliveries, is_success ? 1 : 0);
  ports_.metrics.add(Metric::failed_deliveries, is_success || is_abandoned ? 0 : 1);
  ports_.metrics.add(Metric::attempts_abandoned, is_abandoned ? 1 : 0);
  const std::uint64_t opened = ports_.http.connections_opened();
  ports_.metrics.add(Metric::connections_opened,
                     static_cast<std::int64_t>(opened - std::exchange(connections_seen_, opened)));
  if (tried.verdict.pauses_endpoint) {
    lane.paused_until =
        std::max(lane.paused_until, ports_.clock.wall() + *tried.verdict.retry_after);
  }
  report_attempt(ports_.log, delivery.event->id, *lane.endpoint, tried, decision);
}

boost::asio::awaitable<void> Engine::wait_for_work() {
  if (std::exchange(is_woken_, false)) {
    co_return;
  }
  const MonoTime now = ports_.clock.monotonic();
  MonoTime until = now + std::chrono::hours{1};
  if (in_flight_ < options_.max_in_flight) {
    const auto next = lanes_.next_ready(
        [this](const Lane& lane) { return lane.free_slots() > 0 && may_start_when_ready(lane); });
    if (next) {
      until = std::min(now + kLongestWait, to_monotonic(*next));
    }
  }
  if (limit_.last_end() && now < *limit_.last_end()) {
    until = std::min(until, *limit_.last_end());
  }
  co_await timer_->wait_until(until);
  is_woken_ = false;
}

bool Engine::is_pass_over() const {
  if (!options_.is_single_pass && !options_.pass_interval) {
    return false;
  }
  if (limit_.last_end() && ports_.clock.monotonic() >= *limit_.last_end()) {
    return true;
  }
  if (in_flight_ > 0) {
    return false;
  }
  const auto next =
      lanes_.next_ready([this](const Lane& lane) { return may_start_when_ready(lane); });
  return !next || *next > ports_.clock.wall() + kPassPatience;
}

boost::asio::awaitable<void> Engine::finish() {
  MonoTime grace_end = ports_.clock.monotonic() + options_.stop_grace;
  if (give_up_at_) {
    grace_end = std::min(grace_end, *give_up_at_);
  }
  while (in_flight_ > 0 && ports_.clock.monotonic() < grace_end) {
    co_await timer_->wait_until(grace_end);
  }
  if (in_flight_ > 0) {
    ports_.http.abort();
  }
  // What is aborted ends at once; recording it may take a moment more, but not for ever.
  give_up_by(ports_.clock.monotonic() + kLastPause);
  while (in_flight_ > 0) {
    co_await timer_->wait_until(ports_.clock.monotonic() + seconds{1});
  }
}

void Engine::give_up_by(MonoTime when) {
  give_up_at_ = give_up_at_ ? std::min(*give_up_at_, when) : when;
}

void Engine::stop() {
  is_stopping_ = true;
  wake();
}

void Engine::stop_now() {
  stop();
  give_up_by(ports_.clock.monotonic());
  ports_.http.abort();
}

void Engine::set_endpoints(const std::vector<Endpoint>& endpoints) {
  lanes_.set_endpoints(endpoints);
  wake();
}

std::optional<MonoTime> Engine::deadline_at(const Lane& lane, MonoTime start) const {
  return limit_.attempt_deadline(start, lane.endpoint->timeout);
}

bool Engine::may_start_when_ready(const Lane& lane) const {
  return !limit_.last_end() || deadline_at(lane, to_monotonic(*lane.ready_at())).has_value();
}

MonoTime Engine::to_monotonic(WallTime when) const {
  const auto wait =
      std::clamp<WallTime::duration>(when - ports_.clock.wall(), seconds{0}, std::chrono::hours{1});
  return ports_.clock.monotonic() + wait;
}

boost::asio::awaitable<void> Engine::sleep(microseconds duration) {
  const auto timer = ports_.timers.make();
  co_await timer->wait_until(ports_.clock.monotonic() + duration);
}

void Engine::wake() {
  is_woken_ = true;
  timer_->cancel();
}

}  // namespace dispatcher
