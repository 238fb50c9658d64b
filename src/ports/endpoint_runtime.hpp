// The endpoints as the engine works on them, for whoever configures and shows them. Callable from
// any executor; answers come on the caller's.
#pragma once

#include "base/time.hpp"
#include "model/breaker.hpp"
#include "model/delivery.hpp"
#include "model/endpoint.hpp"
#include "ports/http_client.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace dispatcher {

// What is known of an endpoint since this process started.
struct EndpointHealth {
  EndpointNumber number = kNoEndpoint;
  BreakerState breaker = BreakerState::closed;
  std::optional<WallTime> paused_until;  // by a 429's Retry-After; empty: it is not
  std::int64_t in_flight = 0;
  // Of the successful requests of late; empty when there were none.
  std::optional<std::chrono::milliseconds> p50;
  std::optional<std::chrono::milliseconds> p99;
};

// A request that was sent to try an endpoint out, and what came of it.
struct TestExchange {
  HttpRequest request;
  Attempt attempt;
  std::vector<HttpHeader> answer_headers;
};

// Tests that run at once, over all endpoints; of one endpoint there is one.
inline constexpr std::size_t kMaxTests = 16;

class EndpointRuntime {
 public:
  virtual ~EndpointRuntime() = default;

  // The set of endpoints is another from now on; what is in flight goes on.
  virtual void set_endpoints(std::vector<Endpoint> endpoints) = 0;

  // Returns when the sets that were handed over before are those that attempts begin by.
  [[nodiscard]] virtual boost::asio::awaitable<void> caught_up() = 0;

  // A person has resumed it: a 429's pause, if there is one, ends at once.
  virtual void resume(EndpointNumber number) = 0;

  // Of all endpoints that the engine has, in the order of their numbers.
  [[nodiscard]] virtual boost::asio::awaitable<std::vector<EndpointHealth>> health() = 0;

  // Sends one signed test event, whatever the endpoint's state, within its time-out. Nothing of it
  // is stored, and it counts for nothing. Empty, and nothing is sent: a test of it is running, or
  // kMaxTests are.
  [[nodiscard]] virtual boost::asio::awaitable<std::optional<TestExchange>> test(
      Endpoint endpoint) = 0;
};

}  // namespace dispatcher
