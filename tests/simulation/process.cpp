#include "simulation/process.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>

namespace dispatcher::simulation {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::size_t kClients = 3;
constexpr std::chrono::minutes kSetsRightEvery{10};
constexpr const char* kSealKey = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

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
  maintenance_ = std::make_unique<Maintenance>(around_.store, around_.world.clock(), timers_,
                                               around_.log, RetentionPolicy{});
  const RegistryPorts registry_ports{around_.store,  *this,       around_.world.clock(),
                                     engine_random_, around_.log, [this] { maintenance_->wake(); }};
  registry_ = std::make_unique<EndpointRegistry>(registry_ports, DeliveryDefaults{});
  const std::vector<Endpoint> endpoints = co_await load();
  const Clock& clock = broken_clock_ ? *broken_clock_ : around_.world.clock();
  HttpClient& http = broken_http_ ? *broken_http_ : receivers_client_;
  const EnginePorts ports{around_.store,  http,     clock,      timers_,
                          engine_random_, metrics_, around_.log};
  engine_ = std::make_unique<Engine>(loop_.get_executor(), ports, endpoints_, engine_options());
  around_.checker.on_life_begins(number_, deadline_);
  around_.checker.on_loaded(endpoints);
  spawn(maintenance_->run());
  for (std::size_t client = 0; client < kClients; ++client) {
    spawn(ingest(client));
  }
  if (around_.scenario.consumer.is_there) {
    spawn(consume());
  }
  if (around_.scenario.person.acts_every.count() > 0) {
    ++others_;
    spawn(look_after_events());
  }
  if (around_.scenario.reconfigures_every.count() > 0) {
    spawn(reconfigure(endpoints));
  }
  if (around_.scenario.operates_every.count() > 0) {
    ++others_;
    spawn(operate());
  }
  --others_;
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

std::vector<Endpoint> Process::broken(std::vector<Endpoint> endpoints) const {
  if (around_.breakage.endpoints) {
    around_.breakage.endpoints(endpoints);
  }
  return endpoints;
}

boost::asio::awaitable<std::vector<Endpoint>> Process::load() {
  const std::vector<std::string> keys_in_base64{kSealKey};
  const KeyRing keys = *KeyRing::make(keys_in_base64);
  SecretEndpoints secret;
  for (std::size_t i = 0; i < around_.scenario.endpoints.size(); ++i) {
    if (around_.scenario.endpoints[i].origin == EndpointOrigin::secret) {
      secret.endpoints.push_back(around_.scenario.endpoints[i]);
      secret.urls.push_back(around_.scenario.urls[i]);
      secret.url_hashes.push_back(sha256(around_.scenario.urls[i]));
    }
  }
  while (true) {
    SecretEndpoints given = secret;
    const auto loaded = co_await registry_->load(std::move(given), keys);
    if (loaded) {
      break;
    }
    co_await sleep(milliseconds{100});
  }
  co_return told_;
}

void Process::set_endpoints(std::vector<Endpoint> endpoints) {
  told_ = endpoints;
  if (!engine_) {
    endpoints_ = broken(std::move(endpoints));
    return;
  }
  auto set = [this, given = broken(std::move(endpoints))] { engine_->set_endpoints(given); };
  boost::asio::post(loop_, std::move(set));
}

boost::asio::awaitable<void> Process::caught_up() {
  co_await boost::asio::post(loop_, boost::asio::use_awaitable);
}

void Process::resume(EndpointNumber number) {
  boost::asio::post(loop_, [this, number] { engine_->resume(number); });
}

boost::asio::awaitable<std::vector<EndpointHealth>> Process::health() {
  co_return std::vector<EndpointHealth>{};
}

boost::asio::awaitable<std::optional<TestExchange>> Process::test(Endpoint /*endpoint*/) {
  co_return TestExchange{};
}

boost::asio::awaitable<void> Process::operate() {
  Operator person{around_.scenario, *registry_, around_.checker, around_.random, around_.operators};
  bool are_all_there = false;
  while (!around_.is_healed) {
    if (!are_all_there) {
      are_all_there = co_await person.create_planned();
    }
    co_await sleep(around_.scenario.operates_every);
    co_await person.act();
  }
  while (!are_all_there) {
    are_all_there = co_await person.create_planned();
    if (!are_all_there) {
      co_await sleep(milliseconds{100});
    }
  }
  --others_;
  // Again and again: an answer that was on its way may yet disable one.
  while (true) {
    co_await person.set_right();
    co_await sleep(kSetsRightEvery);
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
    engine_->set_endpoints(broken(others));
    co_await sleep(around_.scenario.reconfigures_every);
    around_.checker.on_endpoint_leaves_or_returns(host);
    engine_->set_endpoints(broken(endpoints));
  }
}

}  // namespace dispatcher::simulation
