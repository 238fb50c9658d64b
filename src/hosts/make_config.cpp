#include "hosts/make_config.hpp"

#include "hosts/config_parts.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace dispatcher {
namespace {

Result<DeliveryConfig> make_delivery(const Settings& settings) {
  DeliveryConfig delivery;
  delivery.endpoints = settings.list(Setting::endpoint);
  for (const std::string& url : delivery.endpoints) {
    if (!parse_webhook_url(url)) {
      return invalid(fmt::format("{}: is not an http or https URL (set it to e.g. {})",
                                 settings.name(Setting::endpoint),
                                 row_of(Setting::endpoint).example));
    }
  }
  delivery.retry.retries = static_cast<int>(settings.whole(Setting::max_retries));
  delivery.retry.base = settings.duration(Setting::retry_base);
  delivery.retry.max = settings.duration(Setting::retry_max);
  if (delivery.retry.base > delivery.retry.max) {
    return invalid(fmt::format("{}: is longer than {} (lower the one or raise the other)",
                               settings.name(Setting::retry_base),
                               settings.name(Setting::retry_max)));
  }
  delivery.retry.schedule = settings.durations(Setting::retry_schedule);
  const StatusList statuses = settings.statuses(Setting::retryable_statuses);
  delivery.retry.statuses.also_retryable = statuses.retryable;
  delivery.retry.statuses.never_retryable = statuses.not_retryable;
  delivery.request_timeout = settings.duration(Setting::request_timeout);
  const auto most = settings.whole(Setting::max_in_flight);
  const auto of_one = settings.whole(Setting::endpoint_concurrency);
  if (of_one > most && settings.is_given(Setting::endpoint_concurrency)) {
    return invalid(fmt::format(
        "{}: is more than {}, which is {} (lower the one or raise the other)",
        settings.name(Setting::endpoint_concurrency), settings.name(Setting::max_in_flight), most));
  }
  delivery.endpoint_concurrency = static_cast<int>(std::min(of_one, most));
  delivery.max_in_flight = static_cast<std::size_t>(most);
  return delivery;
}

Result<ListenAddress> make_listen_address(const Settings& settings, Setting setting) {
  const auto address = parse_listen_address(settings.text(setting));
  if (!address) {
    return invalid(
        fmt::format("{}: \"{}\" is not an address and a port (set it to e.g. {}, [::1]:8080 or "
                    "0.0.0.0:8080; port 0 takes any)",
                    settings.name(setting), settings.text(setting), row_of(setting).example));
  }
  return *address;
}

Result<std::optional<TlsFiles>> make_tls(const Settings& settings) {
  const bool has_cert = settings.is_given(Setting::tls_cert);
  const bool has_key = settings.is_given(Setting::tls_key);
  if (has_cert != has_key) {
    return invalid(fmt::format("{}: is set without {} (set both, or neither)",
                               settings.name(has_cert ? Setting::tls_cert : Setting::tls_key),
                               row_of(has_cert ? Setting::tls_key : Setting::tls_cert).flag));
  }
  if (!has_cert) {
    return std::optional<TlsFiles>{};
  }
  return std::optional<TlsFiles>{
      TlsFiles{settings.text(Setting::tls_cert), settings.text(Setting::tls_key)}};
}

Result<std::optional<std::chrono::microseconds>> make_schedule(const Settings& settings) {
  using std::chrono::microseconds;
  const std::string text = settings.text(Setting::schedule);
  if (text == "realtime") {
    return std::optional<microseconds>{};
  }
  const auto interval = parse_duration(text);
  if (!interval || *interval < std::chrono::seconds{1} || *interval > std::chrono::hours{24}) {
    return invalid(
        fmt::format("{}: \"{}\" is neither realtime nor a duration of 1s–24h (set it to e.g. 5m)",
                    settings.name(Setting::schedule), text));
  }
  return std::optional<microseconds>{*interval};
}

std::vector<std::string> table_warnings(const Settings& settings) {
  if (!settings.is_given(Setting::table_name)) {
    return {};
  }
  return {"DYNAMODB_TABLE_NAME is set, but `serve` of this version does not use the table"};
}

}  // namespace

Result<ServeConfig> make_serve_config(const Settings& settings, const Surroundings& around) {
  ServeConfig config;
  if (settings.text(Setting::store) == "dynamodb") {
    return invalid(
        fmt::format("{}: dynamodb is not supported by this version (set it to sqlite, or leave it "
                    "out)",
                    settings.name(Setting::store)));
  }
  config.log = make_log_config(settings, around, LogLevel::info);
  config.secret = make_secret_config(settings);
  Taker take;
  take(make_delivery(settings), config.delivery);
  take(make_listen_address(settings, Setting::listen), config.listen);
  take(make_tls(settings), config.tls);
  take(make_schedule(settings), config.pass_interval);
  if (take.error) {
    return *take.error;
  }
  config.secret.is_made_if_absent =
      config.secret.arn.empty() && !settings.is_given(Setting::secrets_file);
  config.network = make_network_config(settings);
  config.data_dir = settings.text(Setting::data);
  config.max_body_bytes = static_cast<std::size_t>(settings.whole(Setting::max_body_bytes));
  config.metrics_token = settings.text(Setting::metrics_token);
  config.retention.keep_done = std::chrono::days{settings.whole(Setting::retention_days)};
  config.retention.max_done = settings.whole(Setting::retention_max_events);
  config.warnings = table_warnings(settings);
  if (!config.listen.is_loopback() && !config.tls) {
    config.warnings.emplace_back(
        "listening beyond loopback without TLS: keys and payloads are readable on the way (give "
        "--tls-cert and --tls-key, or put a TLS proxy before it)");
  }
  return config;
}

Result<RunConfig> make_run_config(const Settings& settings, const Surroundings& around) {
  RunConfig config;
  config.log = make_log_config(settings, around, LogLevel::info);
  config.secret = make_secret_config(settings);
  Taker take;
  take(find_service(settings), config.api);
  take(make_delivery(settings), config.delivery);
  if (take.error) {
    return *take.error;
  }
  config.network = make_network_config(settings);
  config.max_events = settings.whole(Setting::max_events);
  if (settings.is_given(Setting::deadline)) {
    config.deadline = settings.duration(Setting::deadline);
  }
  config.is_dry_run = settings.flag(Setting::dry_run);
  config.is_json = settings.flag(Setting::json);
  config.table = settings.text(Setting::table_name);
  return config;
}

Result<ListenConfig> make_listen_config(const Settings& settings, const Surroundings& around) {
  ListenConfig config;
  config.log = make_log_config(settings, around, LogLevel::info);
  config.data_dir = settings.text(Setting::data);
  auto address = make_listen_address(settings, Setting::listen_receiver);
  if (!address) {
    return address.error();
  }
  config.address = std::move(*address);
  config.is_plain = settings.flag(Setting::plain);
  config.status = static_cast<int>(settings.whole(Setting::answer_status));
  config.fail_rate = settings.share(Setting::fail_rate);
  config.delay = settings.duration(Setting::delay);
  config.secrets = settings.list(Setting::signing_secret);
  config.record_file = settings.text(Setting::record);
  return config;
}

Result<StoreCommandConfig> make_store_config(Command command, const Settings& settings,
                                             const Surroundings& around) {
  StoreCommandConfig config;
  config.log = make_log_config(settings, around, LogLevel::warning);
  config.action = command == Command::store_backup  ? StoreAction::backup
                  : command == Command::store_check ? StoreAction::check
                                                    : StoreAction::restore;
  config.data_dir = settings.text(Setting::data);
  config.file = settings.text(Setting::file);
  config.is_json = settings.flag(Setting::json);
  if (config.action != StoreAction::check && config.file.empty()) {
    return invalid("FILE: is missing (give the path of the backup)");
  }
  return config;
}

}  // namespace dispatcher
