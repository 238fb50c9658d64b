// The engine: claims what is due, delivers it, records what became of it.
//
//     drain: claim a batch, fair over endpoints ─► deliver: attempt ─► decide ─► settle
//
// One event loop owns all of its state; nothing here is locked. It runs in `serve` without end, and
// in `run` for one pass.
#pragma once

#include "base/log.hpp"
#include "engine/attempt.hpp"
#include "engine/lane.hpp"
#include "engine/pass_limit.hpp"
#include "ports/clock.hpp"
#include "ports/http_client.hpp"
#include "ports/inbox.hpp"
#include "ports/metrics.hpp"
#include "ports/random.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
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
  void set_endpoints(const std::vector<Endpoint>& endpoints);

  // For the attempts that begin from now on. On the engine's loop.
  void set_identity(SenderIdentity identity) { options_.identity = std::move(identity); }

  [[nodiscard]] const EngineCounts& counts() const { return counts_; }
  [[nodiscard]] std::size_t in_flight() const { return in_flight_; }

 private:
  boost::asio::awaitable<void> drain();
  boost::asio::awaitable<void> claim(std::vector<ClaimRequest> requests);
  boost::asio::awaitable<void> pause_claiming();
  boost::asio::awaitable<void> give_back(std::vector<ClaimToken> tokens);
  boost::asio::awaitable<void> deliver(ClaimedDelivery delivery, Lane& lane, MonoTime deadline);
  boost::asio::awaitable<void> settle(Settlement settlement);
  boost::asio::awaitable<void> finish();

  // False when it must not start any more: the run's deadline is too near.
  bool start(ClaimedDelivery delivery);
  void note(const Tried& tried, const ClaimedDelivery& delivery, const Decision& decision,
            Lane& lane);
  boost::asio::awaitable<void> sleep(std::chrono::microseconds duration);
  // Until a lane is ready, or something changed.
  boost::asio::awaitable<void> wait_for_work();
  [[nodiscard]] bool is_pass_over() const;
  [[nodiscard]] std::optional<MonoTime> deadline_at(const Lane& lane, MonoTime start) const;
  [[nodiscard]] bool may_start_when_ready(const Lane& lane) const;
  [[nodiscard]] MonoTime to_monotonic(WallTime when) const;
  void wake();
  void give_up_by(MonoTime when);

  boost::asio::any_io_executor executor_;
  EnginePorts ports_;
  EngineOptions options_;
  Lanes lanes_;
  PassLimit limit_;
  EngineCounts counts_;
  std::size_t in_flight_ = 0;           // claimed, and not yet recorded
  std::uint64_t connections_seen_ = 0;  // of those opened, what the metric has
  bool is_stopping_ = false;
  // What cannot be recorded by then will not be: the process ends.
  std::optional<MonoTime> give_up_at_;
  bool is_woken_ = false;
  bool has_claim_failed_ = false;
  std::unique_ptr<Timer> timer_;
  // Hints come from other threads through the loop and may arrive after the engine has gone.
  std::shared_ptr<Engine*> self_ = std::make_shared<Engine*>(this);

 public:
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
};

}  // namespace dispatcher
