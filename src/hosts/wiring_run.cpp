// `run`: one pass of the engine over somebody's Triggers API.
#include "adapters/http_inbox/api_session.hpp"
#include "adapters/prometheus/prometheus_metrics.hpp"
#include "hosts/await.hpp"
#include "hosts/pass.hpp"
#include "hosts/settings.hpp"
#include "hosts/wiring.hpp"
#include "hosts/wiring_aws.hpp"
#include "hosts/wiring_parts.hpp"
#include "hosts/wiring_table.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/signal_set.hpp>

#include <csignal>

namespace dispatcher {
Result<RunOutcome> run(const RunConfig& config) {
  const Log log = make_log(config.log);
  log_warnings(log, config.warnings);
  const SystemClock clock;
  SystemRandom random;
  PrometheusMetrics metrics;
  boost::asio::io_context loop{1};
  SystemTimers timers{loop.get_executor()};
  const MonoTime started = clock.monotonic();

  const auto calls = make_https_client(loop, clock, config.network);
  if (!calls) {
    return calls.error();
  }
  // A client of its own: what ends the attempts of a run that must stop does not end the calls that
  // give its events back.
  const auto attempts = (*calls)->sibling();
  const AwsPorts aws_ports{**calls, clock, timers, random, log};
  const auto source = open_secrets(aws_ports, config.secret, keys_of_a_pass(config.delivery));
  if (!source) {
    return source.error();
  }
  std::optional<MonoTime> deadline;
  if (config.deadline) {
    deadline = started + *config.deadline;
  }
  const auto secrets = await_on(loop, (*source)->read(deadline));
  if (!secrets) {
    return secrets.error();
  }
  auto recipients = make_recipients(config.delivery, *secrets);
  if (!recipients) {
    return recipients.error();
  }
  ApiSession api{**calls, clock,
                 ApiAccess{config.api, secrets->api_keys.front(), user_agent(),
                           config.delivery.request_timeout}};
  InboxMemory memory;
  TableMemory table_memory;
  std::unique_ptr<AwsParts> aws;
  if (!config.table.empty()) {
    auto made = make_aws_parts(aws_ports, process_environment(), config.secret.aws_region);
    if (!made) {
      return made.error();
    }
    aws = std::move(*made);
  }
  const InboxSources sources{api,         aws ? &aws->client : nullptr, clock, random, memory,
                             table_memory};
  const auto inbox = make_run_inbox(
      config, sources, InboxOrder{log, recipients->endpoints, config.max_events, deadline, {}});
  Pass pass{loop.get_executor(), PassParts{*inbox, *attempts, clock, timers, random, metrics, log},
            std::move(*recipients), config.delivery, PassTimes{started, deadline}};
  boost::asio::signal_set signals{loop, SIGTERM, SIGINT};
  // What is not under way is given back.
  const auto stop = [&] {
    log.info("stopping: attempts under way may finish");
    pass.stop();
  };
  boost::asio::co_spawn(loop, stop_on_signals(signals, stop), rethrow_bug);
  return await_on(loop, pass.run());
}

}  // namespace dispatcher
