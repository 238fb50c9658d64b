#include "engine/runtime.hpp"

#include "base/ids.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <mutex>
#include <optional>
#include <set>
#include <utility>

namespace dispatcher {
namespace {

namespace asio = boost::asio;

using LoopWork = asio::executor_work_guard<asio::any_io_executor>;

// What a test event is, so that a receiver can tell it from the others.
constexpr std::string_view kTestType = "endpoint.test";
constexpr std::string_view kTestSource = "dispatcher";
constexpr std::string_view kTestPayload =
    R"({"message":"This is a test event; it is not stored."})";

TestExchange abandoned_test(const Endpoint& endpoint) {
  TestExchange test;
  test.attempt.number = 1;
  test.attempt.endpoint_id = endpoint.id;
  test.attempt.outcome = Outcome::abandoned;
  test.attempt.error = Failure{FailureKind::reset, "the service is stopping"}.text();
  return test;
}

}  // namespace

std::vector<EndpointHealth> Engine::health() const {
  std::vector<EndpointHealth> all;
  const Now at = now();
  lanes_.for_each([&all, at](const Lane& lane) {
    if (lane.has_left) {
      return;
    }
    EndpointHealth& one = all.emplace_back();
    one.number = lane.endpoint->number;
    one.breaker = lane.breaker.state();
    one.in_flight = static_cast<std::int64_t>(lane.in_flight);
    if (lane.paused_until > at.mono) {
      one.paused_until =
          at.wall + std::chrono::ceil<WallTime::duration>(lane.paused_until - at.mono);
    }
    if (lane.latency != nullptr) {
      one.p50 = lane.latency->quantile(0.50);
      one.p99 = lane.latency->quantile(0.99);
    }
  });
  std::ranges::sort(all, {}, &EndpointHealth::number);
  return all;
}

asio::awaitable<TestExchange> Engine::test(Endpoint endpoint) const {
  Event event;
  event.created_at = ports_.clock.wall();
  event.id = make_uuid_v7(event.created_at, ports_.random.next(), ports_.random.next());
  event.type = kTestType;
  event.source = kTestSource;
  event.payload = kTestPayload;
  return test_attempt(ports_.http, ports_.clock, options_.identity, std::move(endpoint),
                      std::move(event));
}

// Open until the engine's run has ended. It is closed on the loop: what was let in before keeps the
// loop running until it is done.
class EngineRuntime::Door {
 public:
  Door(asio::any_io_executor executor, Engine& engine)
      : executor_(std::move(executor)), engine_(&engine) {}

  // The loop's work, for one call; empty when the door is closed.
  [[nodiscard]] std::optional<LoopWork> enter() {
    const std::lock_guard lock{mutex_};
    return engine_ == nullptr ? std::nullopt : std::optional{LoopWork{executor_}};
  }

  void close() {
    const std::lock_guard lock{mutex_};
    engine_ = nullptr;
  }

  // On the loop. Null when the engine's run has ended.
  [[nodiscard]] Engine* engine() {
    const std::lock_guard lock{mutex_};
    return engine_;
  }

  // On the loop. False when a test of it is running, or too many are.
  [[nodiscard]] bool begin_test(EndpointNumber number) {
    return testing_.size() < kMaxTests && testing_.insert(number).second;
  }
  void end_test(EndpointNumber number) { testing_.erase(number); }

  // A test that has begun, to its end.
  class RunningTest {
   public:
    RunningTest(Door& door, EndpointNumber number) : door_(door), number_(number) {}
    ~RunningTest() { door_.end_test(number_); }
    RunningTest(const RunningTest&) = delete;
    RunningTest& operator=(const RunningTest&) = delete;

   private:
    Door& door_;
    EndpointNumber number_;
  };

 private:
  std::mutex mutex_;
  asio::any_io_executor executor_;
  Engine* engine_;
  std::set<EndpointNumber> testing_;  // the loop's alone
};

EngineRuntime::EngineRuntime(asio::any_io_executor executor, Engine& engine)
    : door_(std::make_shared<Door>(std::move(executor), engine)) {
  engine.on_end([door = door_] { door->close(); });
}

EngineRuntime::~EngineRuntime() {
  door_->close();
}

template <class Change>
void EngineRuntime::post(Change change) {
  const auto work = door_->enter();
  if (!work) {
    return;
  }
  asio::post(work->get_executor(), [door = door_, change = std::move(change)]() mutable {
    if (Engine* engine = door->engine()) {
      change(*engine);
    }
  });
}

void EngineRuntime::set_endpoints(std::vector<Endpoint> endpoints) {
  post([endpoints = std::move(endpoints)](Engine& engine) mutable {
    engine.set_endpoints(std::move(endpoints));
  });
}

asio::awaitable<void> EngineRuntime::caught_up() {
  auto work = door_->enter();
  if (!work) {
    co_return;  // no attempt begins any more
  }
  const auto executor = work->get_executor();
  // Behind the sets, in the loop's order.
  auto pass = [](LoopWork) -> asio::awaitable<void> { co_return; };
  auto passing = pass(std::move(*work));
  work.reset();
  co_await asio::co_spawn(executor, std::move(passing), asio::use_awaitable);
}

void EngineRuntime::resume(EndpointNumber number) {
  post([number](Engine& engine) { engine.resume(number); });
}

asio::awaitable<std::vector<EndpointHealth>> EngineRuntime::health() {
  auto work = door_->enter();
  if (!work) {
    co_return std::vector<EndpointHealth>{};
  }
  const auto executor = work->get_executor();
  // The loop's work is held on the loop alone: a caller that is dropped holds up nothing.
  auto ask = [](std::shared_ptr<Door> door,
                LoopWork) -> asio::awaitable<std::vector<EndpointHealth>> {
    Engine* engine = door->engine();
    co_return engine == nullptr ? std::vector<EndpointHealth>{} : engine->health();
  };
  auto asked = ask(door_, std::move(*work));
  work.reset();
  co_return co_await asio::co_spawn(executor, std::move(asked), asio::use_awaitable);
}

asio::awaitable<std::optional<TestExchange>> EngineRuntime::test(Endpoint endpoint) {
  auto work = door_->enter();
  if (!work) {
    co_return abandoned_test(endpoint);
  }
  const auto executor = work->get_executor();
  auto ask = [](std::shared_ptr<Door> door, Endpoint tested,
                LoopWork) -> asio::awaitable<std::optional<TestExchange>> {
    Engine* engine = door->engine();
    if (engine == nullptr) {
      co_return abandoned_test(tested);
    }
    const EndpointNumber number = tested.number;
    if (!door->begin_test(number)) {
      co_return std::nullopt;
    }
    // Here and not with the caller: what is sent goes on where that one is dropped.
    const Door::RunningTest running{*door, number};
    co_return co_await engine->test(std::move(tested));
  };
  auto asked = ask(door_, std::move(endpoint), std::move(*work));
  work.reset();
  co_return co_await asio::co_spawn(executor, std::move(asked), asio::use_awaitable);
}

}  // namespace dispatcher
