// What one seed stands for: which faults there are and how likely, which endpoints, how many
// events, how the dispatcher's lives go. Everything that can go wrong has its name here.
#pragma once

#include "fakes/sim_http_client.hpp"
#include "model/endpoint.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace dispatcher::simulation {

// Probabilities, each for one call of the store.
struct StoreFaultOdds {
  double append_fails = 0;
  double claim_fails = 0;
  double settle_fails = 0;
  double give_back_fails = 0;
  double configure_fails = 0;
  double consume_fails = 0;
  double release_fails = 0;
  double read_fails = 0;
  double maintain_fails = 0;
  std::chrono::microseconds longest_latency{0};
};

// Probabilities, each for one moment at which time moves on.
struct ClockFaultOdds {
  double wall_jumps = 0;
  std::chrono::seconds furthest_jump{600};
};

// What a consumer beside the engine does with each event that it leased; the rest it leaves until
// the lease has ended.
struct ConsumerOdds {
  bool is_there = false;
  double acknowledges = 0.4;
  double acknowledges_without_token = 0.1;
  double reports_error = 0.15;
  double sends_to_review = 0.05;
  double gives_back = 0.1;
  double renews = 0.1;
  double erases = 0.03;
};

// What a person who looks after events does, each time.
struct PersonOdds {
  std::chrono::milliseconds acts_every{0};  // at most; 0: there is none
  double erases = 0.05;
  double filters = 0.2;   // else it is about one event
  double discards = 0.3;  // else replays
};

enum class LifeEnd { crash, stop, stop_at_once };

// One life of the dispatcher's process.
struct Life {
  bool is_single_pass = false;                 // `run`; else `serve`
  std::chrono::seconds deadline{0};            // of a single pass; 0: none
  std::chrono::milliseconds pass_interval{0};  // of `serve`; 0: at once when something is due
  LifeEnd end = LifeEnd::crash;
  // Steps of its loop until then. Of the last life: until all is well again.
  std::uint64_t steps = 0;
  // Steps of its loop after the stop was asked for until it crashes all the same; 0: it may end.
  std::uint64_t steps_to_stop = 0;
  std::chrono::microseconds down_after{0};
};

struct PlannedEvent {
  std::chrono::microseconds at{};  // from the start
  std::string type;
  std::string source;
  std::string payload;
};

struct Scenario {
  std::uint64_t seed = 0;
  StoreFaultOdds store;
  fakes::NetworkFaults network;
  ClockFaultOdds clock;
  ConsumerOdds consumer;
  PersonOdds person;
  std::vector<std::string> urls;
  std::vector<Endpoint> endpoints;  // numbers are the store's to give
  struct DeadHost {
    std::string host;
    std::chrono::seconds until;  // from the start; or until all is well, if that is sooner
  };
  std::vector<DeadHost> dead_hosts;        // accept nothing for a long time
  std::vector<std::string> blocked_hosts;  // policy refuses every request to them
  std::size_t max_in_flight = 8;
  // The engine is told of another set of endpoints this often: one leaves, and comes back. 0:
  // never.
  std::chrono::milliseconds reconfigures_every{0};
  // An operator changes an endpoint this often. 0: there is none.
  std::chrono::milliseconds operates_every{0};
  std::vector<PlannedEvent> events;
  std::vector<Life> lives;  // the last one is that in which everything is well again
};

[[nodiscard]] Scenario scenario_of(std::uint64_t seed);

// For the failure's report.
[[nodiscard]] std::string describe(const Scenario& scenario);

}  // namespace dispatcher::simulation
