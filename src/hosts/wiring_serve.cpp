// `serve`: the embedded store, the engine, the Triggers API and its server in one process.
#include "adapters/http_server/http_server.hpp"
#include "adapters/prometheus/prometheus_metrics.hpp"
#include "adapters/secrets_file/secrets_file.hpp"
#include "adapters/sqlite/store.hpp"
#include "api/triggers_service.hpp"
#include "engine/registry.hpp"
#include "engine/runtime.hpp"
#include "hosts/await.hpp"
#include "hosts/serve.hpp"
#include "hosts/wiring.hpp"
#include "hosts/wiring_aws.hpp"
#include "hosts/wiring_parts.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <thread>

namespace dispatcher {
namespace {

// How long the server's running requests may take when the service stops.
constexpr std::chrono::seconds kServerGrace{5};

// Where the other commands find this service.
Result<void> write_address(const std::string& data_dir, const std::string& url) {
  const std::string path = data_dir + "/address";
  std::ofstream file{path, std::ios::trunc};
  file << url << '\n';
  file.close();
  if (!file) {
    return make_error(ErrorKind::retry_later,
                      "cannot write " + path + ": is the directory writable, is there space?");
  }
  return {};
}

SqliteStoreOptions store_options(const ServeConfig& config) {
  SqliteStoreOptions options;
  options.directory = config.data_dir;
  options.consumer_schedule = config.delivery.retry.schedule;
  return options;
}

EngineOptions engine_options(const ServeConfig& config, SenderIdentity identity) {
  EngineOptions options;
  options.max_in_flight = config.delivery.max_in_flight;
  options.identity = std::move(identity);
  options.pass_interval = config.pass_interval;
  return options;
}

ApiOptions api_options(const ServeConfig& config, const PrometheusMetrics& metrics,
                       TargetRule target_rule) {
  ApiOptions options;
  options.target_rule = std::move(target_rule);
  options.metrics_token = config.metrics_token;
  options.render_metrics = [&metrics] { return metrics.text(); };
  return options;
}

HttpServerOptions server_options(const ServeConfig& config) {
  HttpServerOptions options;
  options.host = config.listen.host;
  options.port = config.listen.port;
  // The engine's loop and the store's writer want a core of their own.
  options.loops = std::max(1U, std::thread::hardware_concurrency() / 2);
  if (config.tls) {
    options.tls_certificate_file = config.tls->certificate;
    options.tls_key_file = config.tls->key;
  }
  options.limits.max_body_bytes = config.max_body_bytes;
  return options;
}

}  // namespace

Result<int> serve(const ServeConfig& config, std::ostream& out) {
  const Log log = make_log(config.log);
  log_warnings(log, config.warnings);
  const SystemClock clock;
  SystemRandom random;
  PrometheusMetrics metrics;
  boost::asio::io_context loop{1};
  auto loop_work = boost::asio::make_work_guard(loop);
  boost::asio::signal_set signals{loop, SIGTERM, SIGINT, SIGHUP};
  SystemTimers timers{loop.get_executor()};
  // The server's loops outlive the store, which may still complete a request's operation on them.
  std::unique_ptr<HttpServer> server;

  // Before anything is made on disk: a setting that is wrong leaves no trace.
  auto http = make_https_client(loop, clock, config.network);
  if (!http) {
    return http.error();
  }
  const auto secrets = open_secrets(AwsPorts{**http, clock, timers, random, log}, config.secret,
                                    {"zapier_api_key", "jwt_secret"});
  if (!secrets) {
    return secrets.error();
  }

  auto store = SqliteStore::open(store_options(config), clock, random, log);
  if (!store) {
    return store.error();
  }
  if (config.secret.is_made_if_absent) {
    const auto made = make_secrets_file(config.data_dir, random);
    if (!made) {
      return made.error();
    }
  }
  const auto bundle = await_on(loop, (*secrets)->read({}));
  if (!bundle) {
    return bundle.error();
  }
  auto identity = sender_identity(*bundle);
  if (!identity) {
    return identity.error();
  }
  auto target_rule = make_target_rule(config.network);
  if (!target_rule) {
    return target_rule.error();
  }

  Engine engine{loop.get_executor(),
                EnginePorts{**store, **http, clock, timers, random, metrics, log},
                {},
                engine_options(config, std::move(*identity))};
  EngineRuntime runtime{loop.get_executor(), engine};
  Maintenance maintenance{**store, clock, timers, log, config.retention};
  EndpointRegistry registry{
      RegistryPorts{**store, runtime, clock, random, log,
                    [&] { boost::asio::post(loop, [&] { maintenance.wake(); }); }},
      delivery_defaults(config.delivery)};
  const auto endpoints = await_on(loop, load_endpoints(registry, config.delivery, *bundle));
  if (!endpoints) {
    return endpoints.error();
  }
  TriggersService api{**store,
                      registry,
                      clock,
                      random,
                      metrics,
                      with_command_line(*bundle, config.delivery),
                      api_options(config, metrics, std::move(*target_rule))};
  auto started = HttpServer::start(server_options(config), api, log);
  if (!started) {
    return started.error();
  }
  server = std::move(*started);
  const std::string url = server->url();
  if (const auto written = write_address(config.data_dir, url); !written) {
    return written.error();
  }
  out << "listening on " << url << std::endl;
  log.info("listening on " + url, {{"endpoints", *endpoints}, {"data", config.data_dir}});

  serve_until_stopped(
      config, ServeParts{loop, loop_work, signals, clock, timers, log, **secrets, **store, **http,
                         engine, registry, maintenance, api, [&] { server->stop(kServerGrace); }});
  log.info("stopped");
  return 0;
}

}  // namespace dispatcher
