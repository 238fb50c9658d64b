// A person who changes endpoints while the engine works: pauses and resumes them, moves their URLs,
// rotates their keys, changes their limits, and sets right what a 410 disabled.
#pragma once

#include "fakes/sim_random.hpp"
#include "model/endpoint.hpp"

#include <vector>

namespace dispatcher::simulation {

class Operator {
 public:
  explicit Operator(std::vector<Endpoint> endpoints) : endpoints_(std::move(endpoints)) {}

  // One change to one endpoint.
  void change_one(fakes::SimRandom& random);
  // Every endpoint is active; else they stay as they are.
  void set_right();

  [[nodiscard]] const std::vector<Endpoint>& endpoints() const { return endpoints_; }

 private:
  std::vector<Endpoint> endpoints_;
  int changes_ = 0;
};

}  // namespace dispatcher::simulation
