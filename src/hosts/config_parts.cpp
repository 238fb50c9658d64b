#include "hosts/config_parts.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>

namespace dispatcher {
namespace {

// What DATA/address may hold.
constexpr std::size_t kMaxAddressBytes = 1024;

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

}  // namespace

Error invalid(std::string message) {
  return make_error(ErrorKind::invalid, std::move(message));
}

std::string in_data(const Settings& settings, std::string_view name) {
  return (std::filesystem::path{settings.text(Setting::data)} / name).string();
}

LogConfig make_log_config(const Settings& settings, const Surroundings& around, LogLevel fallback) {
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

SecretConfig make_secret_config(const Settings& settings) {
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

NetworkConfig make_network_config(const Settings& settings) {
  NetworkConfig network;
  network.allow_targets = fmt::format("{}", fmt::join(settings.list(Setting::allow_target), ","));
  network.ca_files = settings.list(Setting::ca_file);
  return network;
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

Result<ClientConfig> make_client_config(const Settings& settings, const Surroundings& around) {
  ClientConfig client;
  client.log = make_log_config(settings, around, LogLevel::warning);
  client.secret = make_secret_config(settings);
  Taker take;
  take(find_service(settings), client.api);
  if (take.error) {
    return *take.error;
  }
  client.network = make_network_config(settings);
  client.timeout = settings.duration(Setting::request_timeout);
  return client;
}

}  // namespace dispatcher
