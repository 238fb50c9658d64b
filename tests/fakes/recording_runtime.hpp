// An EndpointRuntime that remembers what it was told.
#pragma once

#include "ports/endpoint_runtime.hpp"

#include <utility>
#include <vector>

namespace dispatcher::fakes {

// Not for several threads at once.
class RecordingRuntime : public EndpointRuntime {
 public:
  std::vector<Endpoint> endpoints;  // the last set
  int sets = 0;                     // how many there were
  int caught_up_with = 0;           // of those, how many there were when it was last asked for
  std::vector<EndpointHealth> known_health;
  std::vector<EndpointNumber> resumed;
  std::vector<Endpoint> tested;
  std::optional<TestExchange> test_answer = TestExchange{};

  void set_endpoints(std::vector<Endpoint> given) override {
    endpoints = std::move(given);
    ++sets;
  }

  [[nodiscard]] boost::asio::awaitable<void> caught_up() override {
    caught_up_with = sets;
    co_return;
  }

  void resume(EndpointNumber number) override { resumed.push_back(number); }

  [[nodiscard]] boost::asio::awaitable<std::vector<EndpointHealth>> health() override {
    co_return known_health;
  }

  [[nodiscard]] boost::asio::awaitable<std::optional<TestExchange>> test(
      Endpoint endpoint) override {
    tested.push_back(std::move(endpoint));
    co_return test_answer;
  }

  [[nodiscard]] const Endpoint* find(std::string_view id) const {
    for (const Endpoint& endpoint : endpoints) {
      if (endpoint.id == id) {
        return &endpoint;
      }
    }
    return nullptr;
  }
};

}  // namespace dispatcher::fakes
