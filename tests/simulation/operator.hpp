// A person who looks after endpoints while the engine works, through the registry as the API does:
// creates and removes them, pauses and resumes them, moves their URLs, rotates their keys, changes
// their limits, and sets right what a 410 disabled.
#pragma once

#include "engine/registry.hpp"
#include "fakes/sim_random.hpp"
#include "simulation/checker.hpp"
#include "simulation/scenario.hpp"

#include <boost/asio/awaitable.hpp>

#include <string>
#include <vector>

namespace dispatcher::simulation {

// What operators of all lives know.
struct OperatorsNotes {
  std::vector<bool> is_created;  // of the planned endpoints
  int changes = 0;
};

class Operator {
 public:
  // All outlive it.
  Operator(const Scenario& scenario, EndpointRegistry& registry, Checker& checker,
           fakes::SimRandom& random, OperatorsNotes& notes)
      : scenario_(scenario),
        registry_(registry),
        checker_(checker),
        random_(random),
        notes_(notes) {}

  // Of the planned ones, those that are not there yet. False when one is left.
  boost::asio::awaitable<bool> create_planned();
  // One change to one endpoint. An error is an answer.
  boost::asio::awaitable<void> act();
  // Every endpoint is active.
  boost::asio::awaitable<void> set_right();

 private:
  boost::asio::awaitable<bool> create(Endpoint endpoint);
  boost::asio::awaitable<void> change(const Endpoint& endpoint);
  boost::asio::awaitable<void> remove(std::string id);
  void accept(const Result<EndpointViewPtr>& view);

  const Scenario& scenario_;
  EndpointRegistry& registry_;
  Checker& checker_;
  fakes::SimRandom& random_;
  OperatorsNotes& notes_;
};

}  // namespace dispatcher::simulation
