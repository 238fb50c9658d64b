#include "hosts/make_config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace dispatcher {
namespace {

// What DATA/address may hold.
constexpr std::size_t kMaxAddressBytes = 1024;

Error invalid(std::string message) {
  return make_error(ErrorKind::invalid, std::move(message));
}

// Puts results in their places and keeps the first error.
class Taker {
 public:
  template <class T>
  void operator()(Result<T> result, T& place) {
    if (result) {
      place = std::move(*result);
    } else if (!error) {
      error = result.error();
    }
  }

  std::optional<Error> error;
};

std::string in_data(const Settings& settings, std::string_view name) {
  return (std::filesystem::path{settings.text(Setting::data)} / name).string();
}

LogConfig make_log(const Settings& settings, const Surroundings& around, LogLevel fallback) {
  LogConfig log;
  const std::string level = settings.text(Setting::log_level);
  log.level = fallback;
  for (const LogLevel known :
       {LogLevel::debug, LogLevel::info, LogLevel::warning, LogLevel::error}) {
    if (level == to_string(known)) {
      log.level = known;
    }
  }
  const std::string format = settings.text(Setting::log_format);
  const bool is_text = format.empty() ? around.stderr_is_terminal : format == "text";
  log.format = is_text ? LogFormat::text : LogFormat::json;
  return log;
}

// A file that is named wins over an ARN, as it does where one tries things with a copy.
SecretConfig make_secret(const Settings& settings) {
  SecretConfig secret;
  secret.file = settings.text(Setting::secrets_file);
  if (!secret.file.empty()) {
    return secret;
  }
  secret.arn = settings.text(Setting::secret_arn);
  secret.aws_region = settings.text(Setting::aws_region);
  if (secret.arn.empty()) {
    secret.file = in_data(settings, "secrets.json");
  }
  return secret;
}

NetworkConfig make_network(const Settings& settings) {
  NetworkConfig network;
  network.allow_targets = fmt::format("{}", fmt::join(settings.list(Setting::allow_target), ","));
  network.ca_files = settings.list(Setting::ca_file);
  return network;
}

// The base of a service: no query; the path without its last slash.
std::optional<WebhookUrl> parse_base_url(std::string_view text) {
  auto url = parse_webhook_url(text);
  // A user and a password in it would contend with the token for the Authorization header.
  if (!url || url->target.find('?') != std::string::npos || !url->basic_credentials.empty()) {
    return std::nullopt;
  }
  while (url->target.ends_with('/')) {
    url->target.pop_back();
  }
  return url;
}

std::string read_address_file(const std::string& path) {
  std::ifstream file{path};
  std::string address(kMaxAddressBytes, '\0');
  file.read(address.data(), static_cast<std::streamsize>(address.size()));
  address.resize(static_cast<std::size_t>(file.gcount()));
  const auto end = address.find_first_of(" \t\r\n");
  return address.substr(0, end);
}

Result<WebhookUrl> find_service(const Settings& settings) {
  const bool is_given = settings.is_given(Setting::api);
  const std::string file = in_data(settings, "address");
  const std::string text = is_given ? settings.text(Setting::api) : read_address_file(file);
  if (text.empty()) {
    return invalid(fmt::format(
        "API_BASE_URL: is not set, and {} names no running service (set API_BASE_URL or --api to "
        "the service's base URL, or --data to the directory of a running `dispatcher serve`)",
        file));
  }
  auto url = parse_base_url(text);
  if (!url) {
    return invalid(fmt::format("{}: is not the base of an http or https URL (set it to e.g. {})",
                               is_given ? settings.name(Setting::api) : file,
                               row_of(Setting::api).example));
  }
  return *url;
}

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
  delivery.endpoint_concurrency = static_cast<int>(settings.whole(Setting::endpoint_concurrency));
  delivery.max_in_flight = static_cast<std::size_t>(settings.whole(Setting::max_in_flight));
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
  return {"DYNAMODB_TABLE_NAME is set, but this version does not use the table"};
}

Result<ClientConfig> make_client(const Settings& settings, const Surroundings& around) {
  ClientConfig client;
  client.log = make_log(settings, around, LogLevel::warning);
  Taker take;
  take(find_service(settings), client.api);
  if (take.error) {
    return *take.error;
  }
  client.secret = make_secret(settings);
  client.network = make_network(settings);
  client.timeout = settings.duration(Setting::request_timeout);
  return client;
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
  config.log = make_log(settings, around, LogLevel::info);
  Taker take;
  take(make_delivery(settings), config.delivery);
  take(make_listen_address(settings, Setting::listen), config.listen);
  take(make_tls(settings), config.tls);
  take(make_schedule(settings), config.pass_interval);
  if (take.error) {
    return *take.error;
  }
  config.secret = make_secret(settings);
  config.secret.is_made_if_absent =
      config.secret.arn.empty() && !settings.is_given(Setting::secrets_file);
  config.network = make_network(settings);
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
  config.log = make_log(settings, around, LogLevel::info);
  Taker take;
  config.secret = make_secret(settings);
  take(find_service(settings), config.api);
  take(make_delivery(settings), config.delivery);
  if (take.error) {
    return *take.error;
  }
  config.network = make_network(settings);
  config.max_events = settings.whole(Setting::max_events);
  if (settings.is_given(Setting::deadline)) {
    config.deadline = settings.duration(Setting::deadline);
  }
  config.is_dry_run = settings.flag(Setting::dry_run);
  config.is_json = settings.flag(Setting::json);
  config.warnings = table_warnings(settings);
  return config;
}

Result<SendConfig> make_send_config(const Settings& settings, const Surroundings& around) {
  SendConfig config;
  const bool is_batch = settings.is_given(Setting::batch);
  for (const Setting single : {Setting::type, Setting::source, Setting::payload}) {
    const auto flag = row_of(single).flag;
    if (is_batch && settings.is_given(single)) {
      return invalid(fmt::format(
          "{}: contradicts --batch, whose lines have their own (leave one of the two out)", flag));
    }
    if (!is_batch && !settings.is_given(single)) {
      return invalid(
          fmt::format("{}: is missing (give --type, --source and --payload, or --batch "
                      "FILE)",
                      flag));
    }
  }
  auto client = make_client(settings, around);
  if (!client) {
    return client.error();
  }
  config.client = std::move(*client);
  config.type = settings.text(Setting::type);
  config.source = settings.text(Setting::source);
  config.payload = settings.text(Setting::payload);
  config.batch_file = settings.text(Setting::batch);
  config.is_json = settings.flag(Setting::json);
  return config;
}

Result<EventsConfig> make_events_config(Command command, const Settings& settings,
                                        const Surroundings& around) {
  EventsConfig config;
  config.action = command == Command::events_list   ? EventsAction::list
                  : command == Command::events_show ? EventsAction::show
                                                    : EventsAction::attempts;
  auto client = make_client(settings, around);
  if (!client) {
    return client.error();
  }
  config.client = std::move(*client);
  config.id = settings.text(Setting::id);
  if (config.action != EventsAction::list && config.id.empty()) {
    return invalid(
        "ID: is missing (give the id of the event, as `dispatcher events list` shows "
        "it)");
  }
  config.status = settings.text(Setting::status);
  config.state = settings.text(Setting::state);
  config.endpoint_id = settings.text(Setting::endpoint_id);
  const auto subjects = {!config.status.empty(), !config.state.empty(),
                         !config.endpoint_id.empty()};
  if (std::count(subjects.begin(), subjects.end(), true) > 1) {
    return invalid(
        "--status, --state, --endpoint-id: only one of them at a time (leave the others "
        "out)");
  }
  config.type = settings.text(Setting::type);
  config.source = settings.text(Setting::source);
  config.reason = settings.text(Setting::reason);
  config.from = settings.text(Setting::from);
  config.to = settings.text(Setting::to);
  config.order = settings.text(Setting::order);
  config.limit = settings.whole(Setting::limit);
  config.is_json = settings.flag(Setting::json);
  return config;
}

Result<ListenConfig> make_listen_config(const Settings& settings, const Surroundings& around) {
  ListenConfig config;
  config.log = make_log(settings, around, LogLevel::info);
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
  config.secret = settings.text(Setting::signing_secret);
  config.record_file = settings.text(Setting::record);
  return config;
}

Result<StoreCommandConfig> make_store_config(Command command, const Settings& settings,
                                             const Surroundings& around) {
  StoreCommandConfig config;
  config.log = make_log(settings, around, LogLevel::warning);
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
