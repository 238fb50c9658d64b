// A person who looks after events while the engine works: replays and discards deliveries, one
// event's or those that a filter finds, and deletes events.
#pragma once

#include "base/log.hpp"
#include "simulation/checker.hpp"

#include <boost/asio/awaitable.hpp>

#include <string>
#include <vector>

namespace dispatcher::simulation {

class Person {
 public:
  // All outlive it.
  Person(const Scenario& scenario, fakes::MemoryStore& store, Checker& checker,
         fakes::SimRandom& random, const Log& log)
      : scenario_(scenario), store_(store), checker_(checker), random_(random), log_(log) {}

  // One thing that persons do. An error is an answer to them.
  boost::asio::awaitable<void> act();

 private:
  boost::asio::awaitable<void> release_one(EventId id);
  boost::asio::awaitable<void> release_by_filter();
  boost::asio::awaitable<void> erase(EventId id);
  [[nodiscard]] ReleaseAction some_action();
  [[nodiscard]] std::string some_endpoint();
  void tell(std::string_view what, const std::string& whom) const;

  const Scenario& scenario_;
  fakes::MemoryStore& store_;
  Checker& checker_;
  fakes::SimRandom& random_;
  const Log& log_;
};

}  // namespace dispatcher::simulation
