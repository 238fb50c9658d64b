// The engine as other threads reach it: every call hops to the engine's loop and back.
#pragma once

#include "engine/engine.hpp"
#include "ports/endpoint_runtime.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <memory>
#include <optional>

namespace dispatcher {

// Once the engine's run has ended there is nobody to ask: then the set of endpoints is let go,
// `health` is empty, and `test` ends as abandoned. Calls that came before are still answered, and
// keep the loop running until they are. Goes before the engine.
class EngineRuntime : public EndpointRuntime {
 public:
  // `executor` is the engine's loop. Listens to the engine's end.
  EngineRuntime(boost::asio::any_io_executor executor, Engine& engine);
  ~EngineRuntime() override;
  EngineRuntime(const EngineRuntime&) = delete;
  EngineRuntime& operator=(const EngineRuntime&) = delete;

  void set_endpoints(std::vector<Endpoint> endpoints) override;
  [[nodiscard]] boost::asio::awaitable<void> caught_up() override;
  void resume(EndpointNumber number) override;
  [[nodiscard]] boost::asio::awaitable<std::vector<EndpointHealth>> health() override;
  [[nodiscard]] boost::asio::awaitable<std::optional<TestExchange>> test(
      Endpoint endpoint) override;

 private:
  class Door;

  // Has the engine change on its loop; when it has ended, nothing happens.
  template <class Change>
  void post(Change change);

  std::shared_ptr<Door> door_;
};

}  // namespace dispatcher
