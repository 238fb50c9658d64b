// `serve`: the Triggers API and the engine in one process, from its first request to its last.
#pragma once

#include "api/triggers_service.hpp"
#include "base/log.hpp"
#include "engine/engine.hpp"
#include "engine/maintenance.hpp"
#include "engine/registry.hpp"
#include "hosts/config.hpp"
#include "hosts/secret_endpoints.hpp"
#include "ports/secrets.hpp"
#include "ports/store.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <functional>
#include <string>
#include <vector>

namespace dispatcher {

// What `serve` is made of. All outlive the call.
struct ServeParts {
  boost::asio::io_context& loop;  // the engine's; the calling thread runs it
  // Kept since the loop was made: what other threads finish on it meanwhile must not stop it. Given
  // up when the service runs.
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type>& loop_work;
  // Of SIGTERM, SIGINT and SIGHUP; those that came during the start are heeded first.
  boost::asio::signal_set& signals;
  const Clock& clock;
  Timers& timers;
  const Log& log;
  Secrets& secrets;
  Store& store;
  HttpClient& http;
  Engine& engine;
  EndpointRegistry& endpoints;
  Maintenance& maintenance;
  TriggersService& api;
  // Stops the HTTP server: no new connection, running requests may finish within a few seconds.
  // Called once, on a thread of its own.
  std::function<void()> stop_server;
};

// Gives the registry the endpoints of the command line, or else the secret's, and the keys. How
// many endpoints there are then.
[[nodiscard]] boost::asio::awaitable<Result<std::size_t>> load_endpoints(
    EndpointRegistry& registry, const DeliveryConfig& delivery, const SecretBundle& secrets);

// Runs until SIGTERM or SIGINT, then finishes within 30 s; a second one ends it at once. SIGHUP,
// and every hour, reads the secret again.
void serve_until_stopped(const ServeConfig& config, ServeParts parts);

}  // namespace dispatcher
