// The engine: claims what is due, delivers it, records what became of it.
//
//     drain: claim a batch, fair over endpoints ─► deliver: attempt ─► decide ─► settle
//
// One event loop owns all of its state; nothing here is locked. It runs in `serve` without end, and
// in `run` for one pass.
#pragma once

#include "base/log.hpp"
#include "engine/attempt.hpp"
#include "engine/lanes.hpp"
#include "engine/pass_limit.hpp"
#include "engine/wakeup.hpp"
#include "ports/clock.hpp"
#include "ports/endpoint_runtime.hpp"
#include "ports/http_client.hpp"
#include "ports/inbox.hpp"
#include "ports/metrics.hpp"
#include "ports/random.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace dispatcher {

// What the engine needs of the world. All outlive it.
struct EnginePorts {
  Inbox& inbox;
  HttpClient& http;
  const Clock& clock;
  Timers& timers;
  Random& random;
  Metrics& metrics;
  const Log& log;
};

struct EngineOptions {
  std::size_t max_in_flight = 1024;  // requests, over all endpoints
  SenderIdentity identity;
  // How long attempts may still take after `stop`, before they are aborted.
  std::chrono::milliseconds stop_grace{25'000};
  // One pass, then return: when nothing is left that is due before a short retry's longest wait.
  bool is_single_pass = false;
  // By when a single pass has returned. Empty: no limit.
  std::optional<MonoTime> deadline;
  // What waits for longer than this is not waited for within a pass: the longest short retry. An
  // open breaker's probe is not waited for at all: the pass after finds the endpoint's events
  // waiting.
  std::chrono::microseconds pass_patience = std::chrono::seconds{75};
  // A pass every so often instead of at once when something is due. Empty: at once.
  std::optional<std::chrono::microseconds> pass_interval;
};

// Of the deliveries since the start.
struct EngineCounts {
  std::int64_t attempted = 0;   // deliveries, not attempts
  std::int64_t successful = 0;  // deliveries
  std::int64_t retries = 0;     // attempts after a delivery's first
  std::int64_t failed_attempts = 0;
  std::chrono::milliseconds successful_time{};  // of the successful requests
};

class Engine {
 public:
  Engine(boost::asio::any_io_executor executor, EnginePorts ports, std::vector<Endpoint> endpoints,
         EngineOptions options);

  // Returns when a single pass is done, or after `stop` when nothing is in flight any more. Call
  // once.
  [[nodiscard]] boost::asio::awaitable<void> run();

  // Claims nothing more; attempts may finish within the grace, then are aborted and recorded as
  // abandoned. On the engine's loop.
  void stop();

  // Aborts at once what is in flight. On the engine's loop.
  void stop_now();

  // The set of endpoints is another from now on; what is in flight goes on. On the engine's loop.
  void set_endpoints(std::vector<Endpoint> endpoints);

  // What a 429 asked for holds this endpoint no longer. On the engine's loop.
  void resume(EndpointNumber number);

  // For the attempts that begin from now on. On the engine's loop.
  void set_identity(SenderIdentity identity) { options_.identity = std::move(identity); }

  // Of all endpoints that it has, in the order of their numbers. On the engine's loop.
  [[nodiscard]] std::vector<EndpointHealth> health() const;

  // Sends a test event, whatever the endpoint's state and limits; stores and counts nothing. Needs
  // the ports alone, and so may outlive the engine. On the engine's loop.
  [[nodiscard]] boost::asio::awaitable<TestExchange> test(Endpoint endpoint) const;

  // Called once when `run` is about to return: whoever hands work to the loop must end that.
  void on_end(std::function<void()> listener) { end_listener_ = std::move(listener); }

  [[nodiscard]] const EngineCounts& counts() const { return counts_; }
  [[nodiscard]] std::size_t in_flight() const { return in_flight_; }

 private:
  // An attempt that may begin: its limits have been charged for it.
  struct Start {
    MonoTime deadline;
    bool is_probe = false;
  };
  // An attempt that has ended, what it means, and what it was made with.
  struct Ended {
    Tried tried;
    Decision decision;
    std::shared_ptr<const Endpoint> endpoint;
    bool is_probe = false;
    // Its receiver is still the lane's: what it said is said of the endpoint.
    bool is_of_lane = true;
  };

  // -- claiming (engine.cpp)
  boost::asio::awaitable<void> drain();
  boost::asio::awaitable<void> claim(std::vector<LaneClaim> claims);
  boost::asio::awaitable<void> take_up(ClaimAnswer answer, std::vector<LaneClaim> claims);
  boost::asio::awaitable<void> pause_claiming();
  // These were not attempted.
  boost::asio::awaitable<void> give_back(std::vector<ClaimedDelivery> deliveries);
  // Until a lane is ready, or something changed.
  boost::asio::awaitable<void> wait_for_work();
  // A lane's state changed, or a slot is free: what was waited for may not be the next any more.
  void wake_if_due_sooner();
  [[nodiscard]] bool is_pass_over();
  boost::asio::awaitable<void> finish();
  void heed(std::span<const LaneDue> hints);
  // False when it must not start any more.
  bool start(ClaimedDelivery& delivery);

  // -- delivering (deliver.cpp)
  // Works a slot of the lane: this delivery, and those that come with the commits.
  boost::asio::awaitable<void> work(ClaimedDelivery delivery, Lane& lane, Start start);
  [[nodiscard]] std::optional<Start> begin(Lane& lane);
  [[nodiscard]] Ended conclude(Tried tried, const ClaimedDelivery& delivery,
                               std::shared_ptr<const Endpoint> endpoint, const Lane& lane,
                               bool is_probe);
  [[nodiscard]] Settlement settlement_of(const ClaimedDelivery& delivery, Ended& ended);
  // Whether this lane may have its slot's next delivery with the commit: where another lane is to
  // have the slot, it may not.
  [[nodiscard]] bool may_go_on(const Lane& lane);
  // Empty when it could not be recorded.
  boost::asio::awaitable<std::optional<SettleAnswer>> settle(Settlement settlement);
  void count(const Ended& ended, const ClaimedDelivery& delivery);
  void heed_answer(const Ended& ended, Lane& lane);
  void heed_change(BreakerChange change, const Lane& lane);

  boost::asio::awaitable<void> sleep(std::chrono::microseconds duration);
  [[nodiscard]] Slots slots() const;
  [[nodiscard]] Now now() const { return {ports_.clock.wall(), ports_.clock.monotonic()}; }
  void give_up_by(MonoTime when);

  boost::asio::any_io_executor executor_;
  EnginePorts ports_;
  EngineOptions options_;
  Lanes lanes_;
  PassLimit limit_;
  EngineCounts counts_;
  std::size_t in_flight_ = 0;           // claimed, and not yet recorded or given back
  std::uint64_t connections_seen_ = 0;  // of those opened, what the metric has
  std::int64_t rate_waits_seen_ = 0;    // likewise
  bool is_stopping_ = false;
  // What cannot be recorded by then will not be: the process ends.
  std::optional<MonoTime> give_up_at_;
  bool has_claim_failed_ = false;
  Wakeup wakeup_;
  std::optional<MonoTime> waits_until_;  // while there is nothing to claim
  std::function<void()> end_listener_;
  // Hints come from other threads through the loop and may arrive after the engine has gone.
  std::shared_ptr<Engine*> self_ = std::make_shared<Engine*>(this);

 public:
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
};

}  // namespace dispatcher
