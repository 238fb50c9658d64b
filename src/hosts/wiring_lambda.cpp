// `lambda`: passes over a Triggers API, one for each invocation of the function. What is made here
// lives as long as the process does, so that a warm invocation finds its connections, the API's
// token and the certificates as the last one left them.
#include "adapters/http_inbox/api_session.hpp"
#include "adapters/http_inbox/http_inbox.hpp"
#include "adapters/lambda_runtime/lambda_runtime_api.hpp"
#include "adapters/prometheus/prometheus_metrics.hpp"
#include "adapters/secrets_file/secrets_file.hpp"
#include "hosts/await.hpp"
#include "hosts/lambda.hpp"
#include "hosts/wiring.hpp"
#include "hosts/wiring_parts.hpp"

#include <unistd.h>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <csignal>

namespace dispatcher {
namespace {

// Lambda ends a process with SIGTERM; a second one ends it at once.
boost::asio::awaitable<void> heed_signals(boost::asio::signal_set& signals,
                                          LambdaFunction& function) {
  for (int count = 0;; ++count) {
    boost::system::error_code error;
    co_await signals.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, error));
    if (error) {
      co_return;
    }
    if (count > 0) {
      ::_exit(0);
    }
    function.stop();
  }
}

HttpInboxOptions inbox_options(const RunConfig& config, const InboxOrder& order) {
  HttpInboxOptions options;
  options.max_events = order.max_events;
  options.attempt_timeout = config.delivery.request_timeout;
  options.consumer = consumer_label();
  options.deadline = order.deadline;
  return options;
}

// Whatever keeps the process from taking invocations, Lambda is told of before it ends.
Result<int> report_failed_init(boost::asio::io_context& loop, LambdaRuntime& runtime,
                               const Log& log, const Error& error) {
  log.error("the function cannot begin", {{"error", error.message}});
  const auto told = await_on(loop, runtime.fail_init(init_error(error)));
  if (!told) {
    log.error("Lambda could not be told", {{"error", told.error().message}});
  }
  return error;
}

}  // namespace

Result<int> lambda(const Result<LambdaConfig>& config, const std::string& runtime_api) {
  const Log log = make_log(config ? config->run.log : LogConfig{});
  const auto address = parse_runtime_address(runtime_api);
  if (!address) {
    return make_error(ErrorKind::invalid,
                      "AWS_LAMBDA_RUNTIME_API: is not a host and a port (Lambda sets it, e.g. to "
                      "127.0.0.1:9001)");
  }
  const SystemClock clock;
  boost::asio::io_context loop{1};
  const auto runtime_http = HttpsClient::make_plain(loop.get_executor(), clock);
  LambdaRuntimeApi runtime{*runtime_http, clock, *address};
  if (!config) {
    return report_failed_init(loop, runtime, log, config.error());
  }
  const RunConfig& run = config->run;
  const auto calls = make_https_client(loop, clock, run.network);
  if (!calls) {
    return report_failed_init(loop, runtime, log, calls.error());
  }
  // A client of its own with the same certificates: what ends the attempts of a run must not end
  // the calls that record them.
  RenewableClient attempts{[&] { return (*calls)->sibling(); }};
  log_warnings(log, run.warnings);

  SystemRandom random;
  SystemTimers timers{loop.get_executor()};
  PrometheusMetrics metrics;
  SecretsFile secrets{run.secret.file, keys_of_a_pass(run.delivery), log};
  ApiAccess access{run.api, {}, user_agent(), run.delivery.request_timeout, {}};
  access.read_key = [&]() -> boost::asio::awaitable<std::optional<std::string>> {
    secrets.forget();
    const auto bundle = co_await secrets.read();
    co_return bundle ? std::optional{bundle->api_keys.front()} : std::nullopt;
  };
  ApiSession api{**calls, clock, std::move(access)};
  InboxMemory memory;
  // Where a run's events come from: the API alone.
  const auto make_inbox = [&](InboxOrder order) -> std::unique_ptr<RunInbox> {
    HttpInboxOptions options = inbox_options(run, order);
    return std::make_unique<HttpInbox>(api, clock, order.log, std::move(order.endpoints), memory,
                                       std::move(options));
  };

  LambdaFunction function{
      *config,
      LambdaParts{loop.get_executor(), runtime, [&] { runtime_http->abort(); }, clock, timers,
                  random, metrics, log, secrets, api,
                  [&](std::string key) { api.use_key(std::move(key)); }, attempts, make_inbox}};
  boost::asio::signal_set signals{loop, SIGTERM, SIGINT};
  boost::asio::co_spawn(loop, heed_signals(signals, function), rethrow_bug);
  return await_on(loop, function.serve());
}

}  // namespace dispatcher
