#include "simulation/process.hpp"

#include <boost/asio/co_spawn.hpp>

#include <algorithm>

namespace dispatcher::simulation {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::size_t kClients = 3;

}  // namespace

Process::Process(Surroundings& around, const Life& life, int number)
    : around_(around),
      life_(life),
      number_(number),
      timers_(around.world),
      receivers_client_(around.world, around.receivers, number),
      engine_random_(around.random.split()),
      work_(loop_.get_executor()) {
  const Breakage& breakage = around_.breakage;
  if (breakage.http) {
    broken_http_ = breakage.http(receivers_client_, timers_, around_.world.clock());
  }
  if (breakage.clock) {
    broken_clock_ = breakage.clock(around_.world.clock());
  }
  around_.checker.on_life_begins(number_, std::nullopt);
  spawn(live());
}

Process::~Process() {
  around_.world.forget_all();
}

bool Process::step() {
  return loop_.poll_one() > 0;
}

bool Process::stop() {
  if (engine_) {
    engine_->stop();
  }
  return engine_ != nullptr;
}

bool Process::stop_at_once() {
  if (engine_) {
    engine_->stop_now();
  }
  return engine_ != nullptr;
}

void Process::spawn(boost::asio::awaitable<void> work) {
  boost::asio::co_spawn(loop_, std::move(work), [](const std::exception_ptr& bug) {
    if (bug) {
      std::rethrow_exception(bug);
    }
  });
}

boost::asio::awaitable<void> Process::sleep(microseconds duration) {
  const auto timer = timers_.make();
  co_await timer->wait_until(around_.world.clock().monotonic() + duration);
}

void Process::tell(std::string_view what, const EventId& id) const {
  if (around_.log.is_enabled(LogLevel::debug)) {
    around_.log.debug(what, {{"event_id", to_string(id)}});
  }
}

EngineOptions Process::engine_options() {
  EngineOptions options;
  options.max_in_flight = around_.scenario.max_in_flight;
  options.identity.user_agent = "EventDispatcher/simulated";
  options.is_single_pass = life_.is_single_pass;
  if (life_.deadline.count() > 0) {
    deadline_ = around_.world.clock().monotonic() + life_.deadline;
    options.deadline = deadline_;
  }
  if (life_.pass_interval.count() > 0) {
    options.pass_interval = life_.pass_interval;
  }
  if (around_.breakage.options) {
    around_.breakage.options(options);
  }
  return options;
}

boost::asio::awaitable<void> Process::live() {
  std::vector<Endpoint> endpoints;
  while (endpoints.empty()) {
    std::vector<Sha256Digest> hashes;
    for (const std::string& url : around_.scenario.urls) {
      hashes.push_back(sha256(url));
    }
    auto configured =
        co_await around_.store.configure_endpoints(around_.scenario.endpoints, std::move(hashes));
    if (configured) {
      endpoints = std::move(*configured);
    } else {
      co_await sleep(milliseconds{100});
    }
  }
  if (around_.breakage.endpoints) {
    around_.breakage.endpoints(endpoints);
  }
  const Clock& clock = broken_clock_ ? *broken_clock_ : around_.world.clock();
  HttpClient& http = broken_http_ ? *broken_http_ : receivers_client_;
  const EnginePorts ports{around_.store,  http,     clock,      timers_,
                          engine_random_, metrics_, around_.log};
  engine_ = std::make_unique<Engine>(loop_.get_executor(), ports, endpoints, engine_options());
  around_.checker.on_life_begins(number_, deadline_);
  maintenance_ =
      std::make_unique<Maintenance>(around_.store, clock, timers_, around_.log, RetentionPolicy{});
  spawn(maintenance_->run());
  for (std::size_t client = 0; client < kClients; ++client) {
    spawn(ingest(client));
  }
  if (around_.scenario.consumer.is_there) {
    spawn(consume());
  }
  if (around_.scenario.reconfigures_every.count() > 0) {
    spawn(reconfigure(endpoints));
  }
  co_await engine_->run();
  maintenance_->stop();
  has_ended_ = true;
}

boost::asio::awaitable<void> Process::ingest(std::size_t client) {
  for (std::size_t planned = client; planned < around_.scenario.events.size();
       planned += kClients) {
    if (!around_.is_answered[planned]) {
      co_await ingest_one(planned);
    }
  }
}

// As a client does that wants each event once: it asks again, with the same key, until it is
// answered, however many lives of the dispatcher that takes.
boost::asio::awaitable<void> Process::ingest_one(std::size_t planned) {
  const PlannedEvent& event = around_.scenario.events[planned];
  const auto timer = timers_.make();
  co_await timer->wait_until(around_.started + event.at);
  Intake intake{around_.store, around_.world.clock(), engine_random_, metrics_};
  while (true) {
    std::vector<IncomingEvent> incoming;
    incoming.push_back(IncomingEvent{event.type, event.source, event.payload});
    std::optional<Idempotency> key = Idempotency{std::to_string(planned), sha256(event.payload)};
    const auto answer = co_await intake.accept(std::move(incoming), std::move(key));
    if (answer) {
      around_.is_answered[planned] = true;
      tell("ingested", answer->events.at(0).id);
      around_.checker.on_accepted(planned, answer->events.at(0).id);
      co_return;
    }
    co_await sleep(milliseconds{500});
  }
}

boost::asio::awaitable<void> Process::consume() {
  while (true) {
    co_await sleep(around_.random.between(milliseconds{1}, seconds{5}));
    if (around_.is_healed) {
      co_return;
    }
    LeaseRequest request;
    request.limit = static_cast<std::size_t>(around_.random.between(1, 4));
    request.duration = seconds{around_.random.between(1, 60)};
    const auto asked_at = around_.world.clock().monotonic();
    const WallTime until = around_.world.clock().wall() + request.duration;
    const std::size_t jumps = around_.world.jumps();
    const auto leased = co_await around_.store.lease(std::move(request));
    if (!leased) {
      continue;
    }
    for (const EventView& event : leased->events) {
      tell("a consumer leased", event.event.id);
      if (jumps == around_.world.jumps()) {  // else nobody knows when the store lets it end
        around_.checker.on_leased(event.event.id, asked_at, until);
      }
      spawn(consume_one(event.event.id, leased->token));
    }
  }
}

boost::asio::awaitable<void> Process::consume_one(EventId id, std::string token) {
  const ConsumerOdds& odds = around_.scenario.consumer;
  fakes::SimRandom& random = around_.random;
  co_await sleep(random.between(microseconds{0}, seconds{20}));
  if (random.chance(odds.renews)) {
    const auto asked_at = around_.world.clock().monotonic();
    const WallTime until = around_.world.clock().wall() + seconds{30};
    tell("a consumer renews", id);
    around_.checker.on_renewing(id, until);
    const std::size_t jumps = around_.world.jumps();
    std::vector<EventId> ids{id};
    const auto renewed = co_await around_.store.renew(token, std::move(ids), seconds{30});
    if (renewed && renewed->at(0) && jumps == around_.world.jumps()) {
      around_.checker.on_leased(id, asked_at, until);
    }
    co_await sleep(random.between(microseconds{0}, seconds{20}));
  }
  double drawn = random.next_unit();
  const auto falls_to = [&drawn](double share) {
    drawn -= share;
    return drawn < 0;
  };
  if (falls_to(odds.acknowledges) || falls_to(odds.acknowledges_without_token)) {
    const bool has_token = drawn < -odds.acknowledges_without_token || odds.acknowledges == 0;
    tell("a consumer acknowledges", id);
    around_.checker.on_acknowledging(id);
    std::vector<EventId> ids{id};
    // Named first: GCC 12 destroys a conditional's temporary twice inside a co_await.
    std::optional<std::string> given = has_token ? std::optional{token} : std::nullopt;
    const auto acked = co_await around_.store.ack(std::move(ids), std::move(given));
    if (acked && acked->at(0)) {
      around_.checker.on_acknowledged(id);
    }
  } else if (falls_to(odds.erases)) {
    tell("a consumer deletes", id);
    around_.checker.on_erasing(id);
    if (co_await around_.store.erase(id)) {
      around_.checker.on_erased(id);
    }
  } else {
    tell("a consumer reports, or lets its lease end", id);
    NackRequest request;
    if (falls_to(odds.reports_error)) {
      request.error = "status: 503";
      around_.checker.on_reporting(id, std::nullopt);
    } else if (falls_to(odds.sends_to_review)) {
      request.reason = ReviewReason::rejected;
      around_.checker.on_reporting(id, ReviewReason::rejected);
    } else if (falls_to(odds.gives_back)) {
      around_.checker.on_releasing(id);
    } else {
      co_return;  // the lease ends by itself
    }
    // Whether it is taken or the lease had ended: the consumer has no more to do with it.
    (void)co_await around_.store.nack(id, token, std::move(request));
  }
}

boost::asio::awaitable<void> Process::reconfigure(std::vector<Endpoint> endpoints) {
  while (!around_.is_healed) {
    co_await sleep(around_.scenario.reconfigures_every);
    std::vector<Endpoint> others = endpoints;
    const auto last = static_cast<std::int64_t>(others.size()) - 1;
    const auto leaving = others.begin() + around_.random.between(std::int64_t{0}, last);
    const std::string host = leaving->url.host;
    around_.checker.on_endpoint_leaves_or_returns(host);
    others.erase(leaving);
    engine_->set_endpoints(others);
    co_await sleep(around_.scenario.reconfigures_every);
    around_.checker.on_endpoint_leaves_or_returns(host);
    engine_->set_endpoints(endpoints);
  }
}

}  // namespace dispatcher::simulation
