#include "hosts/commands.hpp"

#include "hosts/client_answers.hpp"
#include "hosts/command_line.hpp"
#include "hosts/dry_run.hpp"
#include "hosts/endpoints_command.hpp"
#include "hosts/events_command.hpp"
#include "hosts/export_command.hpp"
#include "hosts/make_config.hpp"
#include "hosts/release_command.hpp"
#include "hosts/run_report.hpp"
#include "hosts/send_command.hpp"

#include <fmt/format.h>

namespace dispatcher {
namespace {

constexpr int kWrongUsage = 2;

// Where Lambda is reached; set by it.
constexpr std::string_view kRuntimeApi = "AWS_LAMBDA_RUNTIME_API";

// The function's package is the program alone, and Lambda starts it without arguments.
std::vector<std::string> with_lambda(const std::vector<std::string>& arguments,
                                     const Environment& environment) {
  if (arguments.empty() && !environment(kRuntimeApi).value_or("").empty()) {
    return {std::string{row_of(Command::lambda).name}};
  }
  return arguments;
}

int finish(const Result<int>& status, Terminal& terminal) {
  return status ? *status : report_error(terminal.err, status.error());
}

int run_serve(const Settings& settings, const Services& services, Terminal& terminal) {
  const auto config = make_serve_config(settings, {terminal.stderr_is_terminal});
  return config ? finish(services.serve(*config, terminal.out), terminal)
                : report_error(terminal.err, config.error());
}

int run_listen(const Settings& settings, const Services& services, Terminal& terminal) {
  const auto config = make_listen_config(settings, {terminal.stderr_is_terminal});
  return config ? finish(services.listen(*config, terminal.out), terminal)
                : report_error(terminal.err, config.error());
}

int run_dry_run(const RunConfig& config, const Services& services, Terminal& terminal) {
  ClientConfig client;
  client.log = config.log;
  client.secret = config.secret;
  client.network = config.network;
  client.api = config.api;
  client.timeout = config.delivery.request_timeout;
  return finish(services.with_api(client,
                                  [&](ClientPorts ports) {
                                    return run_dry(ports, config, terminal.out, terminal.err);
                                  }),
                terminal);
}

int run_once(const Settings& settings, const Services& services, Terminal& terminal) {
  const auto config = make_run_config(settings, {terminal.stderr_is_terminal});
  if (!config) {
    return report_error(terminal.err, config.error());
  }
  if (config->is_dry_run) {
    return run_dry_run(*config, services, terminal);
  }
  const auto outcome = services.run(*config);
  if (!outcome) {
    return report_error(terminal.err, outcome.error());
  }
  terminal.out << (config->is_json ? run_result_json(outcome->result) + "\n"
                                   : run_result_text(outcome->result))
               << std::flush;
  if (outcome->failure) {
    // Its deliveries are reported; the run was not completed all the same.
    (void)report_error(terminal.err, outcome->failure->error);
    return 1;
  }
  return terminal.out ? 0 : 1;
}

// What is wrong with the settings is Lambda's to know too: it shows it, and counts it.
int run_lambda(const Result<Settings>& settings, const Environment& environment,
               const Services& services, Terminal& terminal) {
  const auto runtime_api = environment(kRuntimeApi);
  if (!runtime_api || runtime_api->empty()) {
    return report_error(
        terminal.err,
        make_error(ErrorKind::invalid,
                   fmt::format("{}: is not set (AWS Lambda sets it for the function's process; "
                               "elsewhere use `dispatcher run`)",
                               kRuntimeApi)));
  }
  const auto config = settings ? make_lambda_config(*settings, {terminal.stderr_is_terminal})
                               : Result<LambdaConfig>{settings.error()};
  return finish(services.lambda(config, *runtime_api), terminal);
}

// A command that talks to a service: `work` takes the ports and the configuration.
template <class Config, class Work>
int run_client(const Result<Config>& config, const Services& services, Terminal& terminal,
               Work work) {
  if (!config) {
    return report_error(terminal.err, config.error());
  }
  return finish(
      services.with_api(config->client, [&](ClientPorts ports) { return work(ports, *config); }),
      terminal);
}

int run_send_command(const Settings& settings, const Services& services, Terminal& terminal) {
  return run_client(make_send_config(settings, {terminal.stderr_is_terminal}), services, terminal,
                    [&](ClientPorts ports, const SendConfig& config) {
                      return run_send(ports, config, terminal.in, terminal.out, terminal.err);
                    });
}

int run_events_command(Command command, const Settings& settings, const Services& services,
                       Terminal& terminal) {
  return run_client(make_events_config(command, settings, {terminal.stderr_is_terminal}), services,
                    terminal, [&](ClientPorts ports, const EventsConfig& config) {
                      return run_events(ports, config, terminal.out, terminal.err);
                    });
}

int run_release_command(Command command, const Settings& settings, const Services& services,
                        Terminal& terminal) {
  return run_client(make_release_config(command, settings, {terminal.stderr_is_terminal}), services,
                    terminal, [&](ClientPorts ports, const ReleaseConfig& config) {
                      return run_release(ports, config, terminal.out, terminal.err);
                    });
}

int run_export_command(const Settings& settings, const Services& services, Terminal& terminal) {
  return run_client(make_export_config(settings, {terminal.stderr_is_terminal}), services, terminal,
                    [&](ClientPorts ports, const ExportConfig& config) {
                      return run_export(ports, config, terminal.out, terminal.err);
                    });
}

int run_endpoints_command(Command command, const Settings& settings, const Services& services,
                          Terminal& terminal) {
  return run_client(make_endpoints_config(command, settings, {terminal.stderr_is_terminal}),
                    services, terminal, [&](ClientPorts ports, const EndpointsConfig& config) {
                      return run_endpoints(ports, config, terminal.in, terminal.out, terminal.err);
                    });
}

Result<StoreReport> store_report(const StoreCommandConfig& config, const Services& services) {
  switch (config.action) {
    case StoreAction::backup: return services.backup_store(config.data_dir, config.file);
    case StoreAction::check: return services.check_store(config.data_dir);
    case StoreAction::restore: return services.restore_store(config.data_dir, config.file);
  }
  return make_error(ErrorKind::invalid, "there is no such action");
}

int run_store_command(Command command, const Settings& settings, const Services& services,
                      Terminal& terminal) {
  const auto config = make_store_config(command, settings, {terminal.stderr_is_terminal});
  if (!config) {
    return report_error(terminal.err, config.error());
  }
  const auto report = store_report(*config, services);
  if (!report) {
    return report_error(terminal.err, report.error());
  }
  terminal.out << (config->is_json ? report->json + "\n" : report->text) << std::flush;
  return report->is_good && terminal.out ? 0 : 1;
}

int print_version(const Settings& settings, Terminal& terminal) {
  terminal.out << (settings.flag(Setting::json)
                       ? fmt::format("{{\"name\":\"dispatcher\",\"version\":\"{}\"}}\n",
                                     DISPATCHER_VERSION)
                       : fmt::format("dispatcher {}\n", DISPATCHER_VERSION))
               << std::flush;
  return terminal.out ? 0 : 1;
}

int run_command(Command command, const Settings& settings, const Services& services,
                Terminal& terminal) {
  switch (command) {
    case Command::serve: return run_serve(settings, services, terminal);
    case Command::run: return run_once(settings, services, terminal);
    case Command::send: return run_send_command(settings, services, terminal);
    case Command::events_list:
    case Command::events_show:
    case Command::events_attempts:
    case Command::events_delete: return run_events_command(command, settings, services, terminal);
    case Command::events_replay:
    case Command::events_discard: return run_release_command(command, settings, services, terminal);
    case Command::events_export: return run_export_command(settings, services, terminal);
    case Command::endpoints_list:
    case Command::endpoints_add:
    case Command::endpoints_show:
    case Command::endpoints_set:
    case Command::endpoints_pause:
    case Command::endpoints_resume:
    case Command::endpoints_test:
    case Command::endpoints_rotate_secret:
    case Command::endpoints_remove:
      return run_endpoints_command(command, settings, services, terminal);
    case Command::listen: return run_listen(settings, services, terminal);
    case Command::store_backup:
    case Command::store_check:
    case Command::store_restore: return run_store_command(command, settings, services, terminal);
    case Command::lambda: break;  // has its settings' errors to report, and is not called here
    case Command::version: return print_version(settings, terminal);
  }
  return kWrongUsage;
}

}  // namespace

int run_program(const std::vector<std::string>& arguments, const Environment& environment,
                const Services& services, Terminal terminal) {
  auto parsed = parse_command_line(with_lambda(arguments, environment));
  if (const auto* help = std::get_if<HelpText>(&parsed)) {
    (help->was_asked_for ? terminal.out : terminal.err) << help->text << std::flush;
    return help->was_asked_for ? 0 : kWrongUsage;
  }
  if (const auto* wrong = std::get_if<WrongUsage>(&parsed)) {
    return report_error(
        terminal.err,
        make_error(ErrorKind::invalid, fmt::format("{} (see `{}`)", wrong->message, wrong->see)));
  }
  const auto& invocation = std::get<Invocation>(parsed);
  const auto settings = resolve_settings(invocation.command, invocation.flags, environment);
  if (invocation.command == Command::lambda) {
    return run_lambda(settings, environment, services, terminal);
  }
  if (!settings) {
    return report_error(terminal.err, settings.error());
  }
  return run_command(invocation.command, *settings, services, terminal);
}

}  // namespace dispatcher
