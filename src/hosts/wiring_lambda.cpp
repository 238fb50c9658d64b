// `lambda`: passes over a Triggers API, one for each invocation of the function. What is made here
// lives as long as the process does, so that a warm invocation finds its connections, the API's
// token and the certificates as the last one left them.
#include "adapters/aws/cloudwatch_metrics.hpp"
#include "adapters/aws/secrets_manager.hpp"
#include "adapters/aws/traced_http.hpp"
#include "adapters/http_inbox/api_session.hpp"
#include "adapters/http_inbox/table_release.hpp"
#include "adapters/lambda_runtime/lambda_runtime_api.hpp"
#include "adapters/secrets_file/secrets_file.hpp"
#include "hosts/await.hpp"
#include "hosts/lambda.hpp"
#include "hosts/renewable_client.hpp"
#include "hosts/settings.hpp"
#include "hosts/wiring.hpp"
#include "hosts/wiring_aws.hpp"
#include "hosts/wiring_parts.hpp"
#include "hosts/wiring_table.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/signal_set.hpp>

#include <csignal>

namespace dispatcher {
namespace {

// Connections to one place that are opened at a time: a function of 256 MB has a seventh of a CPU,
// of which a TLS handshake takes as much as three requests.
constexpr std::size_t kMaxOpening = 16;

std::unique_ptr<Secrets> make_secrets(const RunConfig& config, AwsApi& aws, const Clock& clock,
                                      const Log& log) {
  auto required = keys_of_a_pass(config.delivery);
  if (config.secret.arn.empty()) {
    return std::make_unique<SecretsFile>(config.secret.file, std::move(required), log);
  }
  return std::make_unique<SecretsManager>(aws, clock, log, config.secret.arn, std::move(required));
}

// Half of the time is kept for the run that follows.
boost::asio::awaitable<Result<std::int64_t>> release(std::unique_ptr<EventTable> table,
                                                     ReviewReason reason, const Clock& clock,
                                                     std::optional<MonoTime> deadline,
                                                     const Log& log) {
  const MonoTime began = clock.monotonic();
  const auto may_go_on = [&] {
    return !deadline || clock.monotonic() - began < (*deadline - began) / 2;
  };
  const auto released = co_await release_from_review(*table, reason, may_go_on);
  if (!released) {
    co_return released.error();
  }
  if (released->skipped > 0) {
    log.warning("there are events in review whose items the table does not let be changed",
                {{"count", released->skipped}});
  }
  if (!released->is_complete) {
    log.warning("there was no time to look at all events in review (invoke it again)",
                {{"released", released->count}});
  }
  co_return released->count;
}

PublishedMetrics published(std::string_view setting) {
  return setting == "all"    ? PublishedMetrics::all
         : setting == "none" ? PublishedMetrics::none
                             : PublishedMetrics::seed;
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
  const auto calls = make_https_client(loop, clock, run.network, kMaxOpening);
  if (!calls) {
    return report_failed_init(loop, runtime, log, calls.error());
  }
  // A client of its own with the same certificates: what ends the attempts of a run must not end
  // the calls that record them.
  RenewableClient attempts{[&] { return (*calls)->sibling(); }};
  log_warnings(log, run.warnings);

  SystemRandom random;
  SystemTimers timers{loop.get_executor()};
  const auto aws = make_aws_parts(AwsPorts{**calls, clock, timers, random, log},
                                  process_environment(), run.secret.aws_region);
  if (!aws) {
    return report_failed_init(loop, runtime, log, aws.error());
  }
  CloudWatchMetrics metrics{(*aws)->client, log, published(config->cloudwatch_metrics)};
  TracedHttp webhooks{attempts, (*aws)->tracer};
  TracedHttp api_calls{**calls, (*aws)->tracer};
  const auto secrets = make_secrets(run, (*aws)->client, clock, log);
  ApiAccess access{run.api, {}, user_agent(), run.delivery.request_timeout};
  access.read_key = [&](MonoTime deadline) -> boost::asio::awaitable<std::optional<std::string>> {
    secrets->forget();
    const auto bundle = co_await secrets->read(deadline);
    if (!bundle) {
      log.warning("the API refused the key, and the secret cannot be read again",
                  {{"error", bundle.error().message}});
    }
    co_return bundle ? std::optional{bundle->api_keys.front()} : std::nullopt;
  };
  ApiSession api{api_calls, clock, std::move(access)};
  InboxMemory memory;
  TableMemory table_memory;
  AwsApi* const table_aws = run.table.empty() ? nullptr : &(*aws)->client;

  LambdaParts parts{
      .loop = loop.get_executor(),
      .runtime = runtime,
      .end_waiting = [&] { runtime_http->abort(); },
      .begin =
          [&](const LambdaInvocation& invocation) {
            attempts.begin_run();
            (*aws)->tracer.begin_run(invocation.trace_header);
          },
      .clock = clock,
      .timers = timers,
      .random = random,
      .metrics = metrics,
      .log = log,
      .secrets = *secrets,
      .api = api,
      .use_api_key = [&](std::string key) { api.use_key(std::move(key)); },
      .webhooks = webhooks,
      .make_inbox =
          [&](InboxOrder order) {
            InboxSources sources{api, table_aws, clock, random, memory, table_memory};
            return make_run_inbox(run, sources, std::move(order));
          },
      .release = {},
      .publish_metrics = [&](MonoTime deadline) { return metrics.publish(deadline); }};
  if (table_aws != nullptr) {
    parts.release = [&](ReviewReason reason, std::optional<MonoTime> deadline, const Log& run_log) {
      return release(make_table(run, *table_aws, clock, deadline), reason, clock, deadline,
                     run_log);
    };
  }
  LambdaFunction function{*config, std::move(parts)};
  boost::asio::signal_set signals{loop, SIGTERM, SIGINT};
  // Lambda ends a process with SIGTERM.
  boost::asio::co_spawn(loop, stop_on_signals(signals, [&] { function.stop(); }), rethrow_bug);
  return await_on(loop, function.serve());
}

}  // namespace dispatcher
