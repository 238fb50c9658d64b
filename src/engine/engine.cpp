#include "engine/engine.hpp"

#include "engine/pauses.hpp"

#include <boost/asio/co_spawn.hpp>
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

}  // namespace

Engine::Engine(boost::asio::any_io_executor executor, EnginePorts ports,
               std::vector<Endpoint> endpoints, EngineOptions options)
    : executor_(std::move(executor)),
      ports_(ports),
      options_(std::move(options)),
      wakeup_(ports.timers) {
  if (options_.deadline) {
    limit_ = PassLimit{ports_.clock.monotonic(), *options_.deadline};
    give_up_at_ = limit_.give_up_at();
    warn_if_shortened(ports_.log, limit_, endpoints);
  }
  lanes_.set_endpoints(std::move(endpoints), now());
  ports_.inbox.on_due(
      [executor = executor_, weak = std::weak_ptr{self_}](std::span<const LaneDue> lanes) {
        std::vector<LaneDue> copy{lanes.begin(), lanes.end()};
        boost::asio::post(executor, [weak, copy = std::move(copy)] {
          if (const auto self = weak.lock()) {
            (*self)->heed(copy);
          }
        });
      });
}

Engine::~Engine() {
  ports_.inbox.on_due({});
}

void Engine::heed(std::span<const LaneDue> hints) {
  const Now at = now();
  for (const LaneDue& due : hints) {
    Lane* lane = lanes_.find(due.endpoint);
    if (lane != nullptr && due.next_due) {
      lane->hint(*due.next_due);
      lanes_.refresh(*lane, at);
    }
  }
  wakeup_.wake();
}

boost::asio::awaitable<void> Engine::run() {
  while (!is_stopping_) {
    co_await drain();
    if (options_.is_single_pass || !options_.pass_interval) {
      break;
    }
    const MonoTime next_pass = ports_.clock.monotonic() + *options_.pass_interval;
    while (!is_stopping_ && ports_.clock.monotonic() < next_pass) {
      co_await wakeup_.wait_until(next_pass);
    }
  }
  co_await finish();
  if (end_listener_) {
    std::exchange(end_listener_, {})();
  }
}

boost::asio::awaitable<void> Engine::drain() {
  while (!is_stopping_ && !is_pass_over()) {
    auto claims = lanes_.share_out(now(), slots(), limit_);
    if (claims.empty()) {
      co_await wait_for_work();
    } else {
      co_await claim(std::move(claims));
    }
  }
}

boost::asio::awaitable<void> Engine::claim(std::vector<LaneClaim> claims) {
  std::vector<ClaimRequest> requests;
  requests.reserve(claims.size());
  for (const LaneClaim& one : claims) {
    requests.push_back(one.request);
  }
  auto answer = co_await ports_.inbox.claim(std::move(requests), kMaxClaimBytes);
  if (answer) {
    has_claim_failed_ = false;
    co_await take_up(std::move(*answer), std::move(claims));
    co_return;
  }
  for (const LaneClaim& one : claims) {
    lanes_.end_claim(one, nullptr);
    lanes_.refresh(*lanes_.find(one.request.endpoint), now());
  }
  if (!std::exchange(has_claim_failed_, true)) {
    ports_.log.warning("cannot claim deliveries; trying again",
                       {{"error", answer.error().message}});
  }
  const ErrorKind kind = answer.error().kind;
  if (kind == ErrorKind::stopped || (kind == ErrorKind::refused && options_.is_single_pass)) {
    is_stopping_ = true;  // it will not get better within this pass
    co_return;
  }
  co_await pause_claiming();
}

boost::asio::awaitable<void> Engine::take_up(ClaimAnswer answer, std::vector<LaneClaim> claims) {
  for (std::size_t i = 0; i < claims.size(); ++i) {
    // One answer for each request, in its order.
    lanes_.end_claim(claims[i], &answer.lanes.at(i));
  }
  std::vector<ClaimedDelivery> unstarted;
  for (ClaimedDelivery& delivery : answer.deliveries) {
    if (!start(delivery)) {
      unstarted.push_back(std::move(delivery));
    }
  }
  for (const LaneClaim& one : claims) {
    lanes_.refresh(*lanes_.find(one.request.endpoint), now());
  }
  if (!unstarted.empty()) {
    co_await give_back(std::move(unstarted));
  }
}

bool Engine::start(ClaimedDelivery& delivery) {
  // While the claim was under way its endpoint may have left, or been paused.
  Lane* lane = lanes_.find(delivery.endpoint);
  const auto start = lane == nullptr ? std::nullopt : begin(*lane);
  if (!start) {
    return false;
  }
  ++in_flight_;
  boost::asio::co_spawn(executor_, work(std::move(delivery), *lane, *start),
                        [](const std::exception_ptr& bug) {
                          if (bug) {
                            std::rethrow_exception(bug);
                          }
                        });
  return true;
}

boost::asio::awaitable<void> Engine::pause_claiming() {
  MonoTime until = ports_.clock.monotonic() + kLastPause;
  if (limit_.last_end()) {
    until = std::min(until, *limit_.last_end());
  }
  // What ends meanwhile wakes it, and that must not ask a failing inbox sooner.
  while (!is_stopping_ && ports_.clock.monotonic() < until) {
    co_await wakeup_.wait_until(until);
  }
}

boost::asio::awaitable<void> Engine::give_back(std::vector<ClaimedDelivery> deliveries) {
  std::vector<ClaimToken> tokens;
  tokens.reserve(deliveries.size());
  for (const ClaimedDelivery& delivery : deliveries) {
    tokens.push_back(delivery.token);
  }
  milliseconds pause = kFirstPause;
  while (true) {
    const auto given = co_await ports_.inbox.give_back(tokens);
    if (given || given.error().kind == ErrorKind::refused) {
      break;
    }
    if (is_stopping_) {
      co_return;  // the claims end with their claimer
    }
    co_await sleep(pause);
    pause = next_pause(pause);
  }
  // Only now: what was asked before did not know of them.
  for (const ClaimedDelivery& delivery : deliveries) {
    if (Lane* lane = lanes_.find(delivery.endpoint)) {
      lane->hint(WallTime{});
      lanes_.refresh(*lane, now());
    }
  }
  wakeup_.wake();
}

boost::asio::awaitable<void> Engine::wait_for_work() {
  const Now at = now();
  MonoTime until = at.mono + std::chrono::hours{1};
  if (slots().free > 0) {
    if (const auto next = lanes_.next_ready(at, slots(), limit_, true)) {
      until = std::min(at.mono + kLongestWait, *next);
    }
  }
  if (limit_.last_end() && at.mono < *limit_.last_end()) {
    until = std::min(until, *limit_.last_end());
  }
  const std::int64_t rate_waits = lanes_.rate_waits();
  if (rate_waits != rate_waits_seen_) {
    ports_.metrics.add(Metric::rate_waits,
                       rate_waits - std::exchange(rate_waits_seen_, rate_waits));
  }
  waits_until_ = until;
  co_await wakeup_.wait_until(until);
  waits_until_.reset();
}

void Engine::wake_if_due_sooner() {
  if (!waits_until_ || slots().free == 0) {
    return;
  }
  const auto next = lanes_.next_ready(now(), slots(), limit_, true);
  if (next && *next < *waits_until_) {
    wakeup_.wake();
  }
}

bool Engine::is_pass_over() {
  if (!options_.is_single_pass && !options_.pass_interval) {
    return false;
  }
  const Now at = now();
  if (limit_.last_end() && at.mono >= *limit_.last_end()) {
    return true;
  }
  if (in_flight_ > 0) {
    return false;
  }
  const auto next = lanes_.next_ready(at, slots(), limit_, false);
  return !next || *next > at.mono + options_.pass_patience;
}

boost::asio::awaitable<void> Engine::finish() {
  MonoTime grace_end = ports_.clock.monotonic() + options_.stop_grace;
  if (give_up_at_) {
    grace_end = std::min(grace_end, *give_up_at_);
  }
  while (in_flight_ > 0 && ports_.clock.monotonic() < grace_end) {
    co_await wakeup_.wait_until(grace_end);
  }
  if (in_flight_ > 0) {
    ports_.http.abort();
  }
  // What is aborted ends at once; recording it may take a moment more, but not for ever.
  give_up_by(ports_.clock.monotonic() + kLastPause);
  while (in_flight_ > 0) {
    co_await wakeup_.wait_until(ports_.clock.monotonic() + seconds{1});
  }
}

void Engine::give_up_by(MonoTime when) {
  give_up_at_ = give_up_at_ ? std::min(*give_up_at_, when) : when;
}

void Engine::stop() {
  is_stopping_ = true;
  wakeup_.wake();
}

void Engine::stop_now() {
  stop();
  give_up_by(ports_.clock.monotonic());
  ports_.http.abort();
}

void Engine::set_endpoints(std::vector<Endpoint> endpoints) {
  lanes_.set_endpoints(std::move(endpoints), now());
  wakeup_.wake();
}

void Engine::resume(EndpointNumber number) {
  if (Lane* lane = lanes_.find(number)) {
    lane->paused_until = MonoTime{};
    lanes_.refresh(*lane, now());
    wakeup_.wake();
  }
}

Slots Engine::slots() const {
  const std::size_t used = std::min(in_flight_, options_.max_in_flight);
  return {options_.max_in_flight, options_.max_in_flight - used};
}

boost::asio::awaitable<void> Engine::sleep(microseconds duration) {
  const auto timer = ports_.timers.make();
  co_await timer->wait_until(ports_.clock.monotonic() + duration);
}

}  // namespace dispatcher
