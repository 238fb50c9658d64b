// One life of the dispatcher's process: the real engine, intake and maintenance over simulated
// ports, clients that ingest, and a consumer and persons beside the engine. Destroying it is a
// crash: nothing of it goes on, at whichever two steps it is between.
#pragma once

#include "base/log.hpp"
#include "engine/engine.hpp"
#include "engine/intake.hpp"
#include "engine/maintenance.hpp"
#include "engine/registry.hpp"
#include "fakes/memory_store.hpp"
#include "fakes/recording_metrics.hpp"
#include "fakes/sim_http_client.hpp"
#include "fakes/sim_world.hpp"
#include "simulation/checker.hpp"
#include "simulation/operator.hpp"
#include "simulation/scenario.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace dispatcher::simulation {

// What a mutation test breaks on purpose. Empty members break nothing.
struct Breakage {
  std::function<std::unique_ptr<fakes::MemoryStore>(const Clock&, fakes::StoreFaults*)> store;
  std::function<std::unique_ptr<Clock>(const Clock&)> clock;
  std::function<std::unique_ptr<HttpClient>(HttpClient&, Timers&, const Clock&)> http;
  std::function<void(std::vector<Endpoint>&)> endpoints;
  std::function<void(EngineOptions&)> options;
};

// What all lives have in common, and what outlives them.
struct Surroundings {
  const Scenario& scenario;
  const Breakage& breakage;
  fakes::SimWorld& world;
  fakes::MemoryStore& store;
  fakes::SimReceivers& receivers;
  Checker& checker;
  const Log& log;
  fakes::SimRandom& random;
  MonoTime started;
  // Of the planned events: whether its client has its answer.
  std::vector<bool> is_answered;
  OperatorsNotes operators;
  bool is_healed = false;
};

class Process : private EndpointRuntime {
 public:
  Process(Surroundings& around, const Life& life, int number);
  ~Process() override;
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  // Runs one handler. False when none is ready.
  bool step();

  // As SIGTERM does, and as a second one does. False when there is no engine yet: then the process
  // just ends.
  bool stop();
  bool stop_at_once();

  // Its engine has returned.
  [[nodiscard]] bool has_ended() const { return has_ended_; }
  // Nobody will release or create anything any more.
  [[nodiscard]] bool is_left_alone() const { return others_ == 0; }
  [[nodiscard]] std::size_t in_flight() const { return engine_ ? engine_->in_flight() : 0; }
  [[nodiscard]] std::optional<MonoTime> deadline() const { return deadline_; }

 private:
  boost::asio::awaitable<void> live();
  boost::asio::awaitable<void> ingest(std::size_t client);
  boost::asio::awaitable<void> ingest_one(std::size_t planned);
  boost::asio::awaitable<void> consume();
  boost::asio::awaitable<void> consume_one(EventId id, std::string token);
  boost::asio::awaitable<void> look_after_events();
  boost::asio::awaitable<void> reconfigure(std::vector<Endpoint> endpoints);
  boost::asio::awaitable<void> operate();
  // Reads the endpoints from the store, as long as it takes.
  boost::asio::awaitable<std::vector<Endpoint>> load();
  // What a breakage makes of them.
  [[nodiscard]] std::vector<Endpoint> broken(std::vector<Endpoint> endpoints) const;
  boost::asio::awaitable<void> sleep(std::chrono::microseconds duration);
  // Into the trace.
  void tell(std::string_view what, const EventId& id) const;
  [[nodiscard]] EngineOptions engine_options();
  void spawn(boost::asio::awaitable<void> work);

  // The engine's set, which the registry makes of the store's records.
  void set_endpoints(std::vector<Endpoint> endpoints) override;
  boost::asio::awaitable<void> caught_up() override;
  void resume(EndpointNumber number) override;
  boost::asio::awaitable<std::vector<EndpointHealth>> health() override;
  boost::asio::awaitable<std::optional<TestExchange>> test(Endpoint endpoint) override;

  Surroundings& around_;
  const Life& life_;
  int number_;
  fakes::SimTimers timers_;
  fakes::SimHttpClient receivers_client_;
  std::unique_ptr<HttpClient> broken_http_;
  std::unique_ptr<Clock> broken_clock_;
  fakes::SimRandom engine_random_;
  fakes::RecordingMetrics metrics_;
  std::vector<Endpoint> told_;       // by the registry
  std::vector<Endpoint> endpoints_;  // what a breakage makes of them, until there is an engine
  std::unique_ptr<EndpointRegistry> registry_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<Maintenance> maintenance_;
  std::optional<MonoTime> deadline_;
  bool has_ended_ = false;
  int others_ = 1;  // who still have something to do to events or endpoints; one is the start
  // Destroyed first: what waits in it refers to all of the above.
  boost::asio::io_context loop_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
};

}  // namespace dispatcher::simulation
