// `run`: one pass of the engine over somebody's Triggers API.
#include "adapters/http_inbox/api_session.hpp"
#include "adapters/http_inbox/http_inbox.hpp"
#include "adapters/prometheus/prometheus_metrics.hpp"
#include "engine/engine.hpp"
#include "hosts/await.hpp"
#include "hosts/secret_endpoints.hpp"
#include "hosts/wiring.hpp"
#include "hosts/wiring_aws.hpp"
#include "hosts/wiring_parts.hpp"

#include <unistd.h>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <array>
#include <csignal>

namespace dispatcher {
namespace {

// SIGTERM and SIGINT give back what is not under way; a second one ends the process at once.
boost::asio::awaitable<void> heed_signals(boost::asio::signal_set& signals, Engine& engine,
                                          HttpInbox& inbox, const Log& log) {
  for (int count = 0;; ++count) {
    boost::system::error_code error;
    co_await signals.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, error));
    if (error) {
      co_return;
    }
    if (count > 0) {
      ::_exit(0);
    }
    log.info("stopping: attempts under way may finish");
    inbox.stop();
    engine.stop();
  }
}

HttpInboxOptions inbox_options(const RunConfig& config, std::optional<MonoTime> deadline) {
  HttpInboxOptions options;
  options.max_events = config.max_events;
  options.attempt_timeout = config.delivery.request_timeout;
  std::array<char, 256> host{};
  (void)::gethostname(host.data(), host.size() - 1);  // a label: nothing depends on it
  options.consumer = std::string{host.data()} + ":" + std::to_string(::getpid());
  options.deadline = deadline;
  return options;
}

// The endpoints of a run have no store to number them.
Result<std::vector<Endpoint>> numbered_endpoints(const DeliveryConfig& delivery,
                                                 const SecretBundle& secrets) {
  auto made = make_endpoints(delivery, secrets);
  if (!made) {
    return made.error();
  }
  EndpointNumber number = kNoEndpoint;
  for (Endpoint& endpoint : made->endpoints) {
    endpoint.number = ++number;
  }
  return std::move(made->endpoints);
}

boost::asio::awaitable<std::optional<Error>> pass(Engine& engine, HttpInbox& inbox) {
  co_await engine.run();
  co_await inbox.finish();
  co_return inbox.failure();
}

RunResult result_of(const EngineCounts& counts, const HttpInboxStats& stats) {
  RunResult result;
  result.total_events = stats.events;
  result.successful_deliveries = counts.successful;
  result.failed_deliveries = stats.deliveries - counts.successful;
  result.total_retries = counts.retries;
  result.total_time_of_successes = counts.successful_time;
  result.acknowledged = stats.acknowledged;
  return result;
}

}  // namespace

Result<RunOutcome> run(const RunConfig& config) {
  const Log log = make_log(config.log);
  log_warnings(log, config.warnings);
  const SystemClock clock;
  SystemRandom random;
  PrometheusMetrics metrics;
  boost::asio::io_context loop{1};
  SystemTimers timers{loop.get_executor()};
  const MonoTime started = clock.monotonic();

  std::vector<std::string> required{"zapier_api_key"};
  if (config.delivery.endpoints.empty()) {
    required.emplace_back("zapier_webhook_url");
  }
  auto http = make_https_client(loop, clock, config.network);
  if (!http) {
    return http.error();
  }
  // A client of its own: what ends the attempts of a run that must stop does not end the calls that
  // give its events back.
  auto api_http = make_https_client(loop, clock, config.network);
  if (!api_http) {
    return api_http.error();
  }
  const auto source = open_secrets(AwsPorts{**api_http, clock, timers, random, log}, config.secret,
                                   std::move(required));
  if (!source) {
    return source.error();
  }
  const auto secrets = await_on(loop, (*source)->read());
  if (!secrets) {
    return secrets.error();
  }
  auto identity = sender_identity(*secrets);
  if (!identity) {
    return identity.error();
  }
  const auto endpoints = numbered_endpoints(config.delivery, *secrets);
  if (!endpoints) {
    return endpoints.error();
  }
  ApiSession api{**api_http, clock,
                 ApiAccess{config.api, secrets->api_keys.front(), user_agent(),
                           config.delivery.request_timeout}};
  EngineOptions options;
  options.max_in_flight = config.delivery.max_in_flight;
  options.identity = std::move(*identity);
  options.is_single_pass = true;
  if (config.deadline) {
    options.deadline = started + *config.deadline;
  }
  HttpInbox inbox{api, clock, log, *endpoints, inbox_options(config, options.deadline)};
  Engine engine{loop.get_executor(),
                EnginePorts{inbox, **http, clock, timers, random, metrics, log}, *endpoints,
                options};
  boost::asio::signal_set signals{loop, SIGTERM, SIGINT};
  boost::asio::co_spawn(loop, heed_signals(signals, engine, inbox, log), rethrow_bug);

  RunOutcome outcome;
  outcome.failure = await_on(loop, pass(engine, inbox));
  outcome.result = result_of(engine.counts(), inbox.stats());
  outcome.result.elapsed =
      std::chrono::duration_cast<std::chrono::microseconds>(clock.monotonic() - started);
  return outcome;
}

}  // namespace dispatcher
