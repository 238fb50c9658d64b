#include "adapters/aws/aws_settings.hpp"

#include "adapters/aws/variables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace dispatcher {
namespace {

constexpr std::array<AwsServiceInfo, kAwsServices> kServices{
    AwsServiceInfo{AwsService::dynamodb, "DynamoDB", "dynamodb", "dynamodb", "dynamodb",
                   AwsProtocol::json, "1.0", "DynamoDB_20120810"},
    AwsServiceInfo{AwsService::secrets_manager, "SecretsManager", "secretsmanager",
                   "secretsmanager", "secrets_manager", AwsProtocol::json, "1.1", "secretsmanager"},
    AwsServiceInfo{AwsService::cloudwatch, "CloudWatch", "monitoring", "monitoring", "cloudwatch",
                   AwsProtocol::query, "2010-08-01", ""},
};

// So that the service is the row's place.
static_assert([] {
  for (std::size_t i = 0; i < kServices.size(); ++i) {
    if (static_cast<std::size_t>(kServices[i].service) != i) {
      return false;
    }
  }
  return true;
}());

const AwsVariable& endpoint_variable(AwsService service) {
  switch (service) {
    case AwsService::dynamodb: return aws_variable::kEndpointUrlDynamodb;
    case AwsService::secrets_manager: return aws_variable::kEndpointUrlSecretsManager;
    case AwsService::cloudwatch: break;
  }
  return aws_variable::kEndpointUrlCloudwatch;
}

std::string key_of(const ProfileKeys& keys, std::string_view key) {
  const auto found = keys.find(key);
  return found == keys.end() ? std::string{} : found->second;
}

// A label of a host name.
bool is_region(std::string_view text) {
  return !text.empty() && text.size() <= 63 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

struct GivenUrl {
  std::string text;
  std::string where;
};

std::optional<GivenUrl> given_url(const Environment& environment, const Profile& profile,
                                  const AwsServiceInfo& info) {
  const std::string ignored = value_of(environment, aws_variable::kIgnoreEndpointUrls);
  if (ignored == "true" || ignored == "True" || ignored == "TRUE") {
    return std::nullopt;
  }
  for (const AwsVariable& variable :
       {endpoint_variable(info.service), aws_variable::kEndpointUrl}) {
    std::string text = value_of(environment, variable);
    if (!text.empty()) {
      return GivenUrl{std::move(text), std::string{variable.name}};
    }
  }
  const std::string where = fmt::format("endpoint_url of the AWS profile {}", profile.name);
  std::string text = key_of(profile.services, fmt::format("{}.endpoint_url", info.profile_key));
  if (text.empty()) {
    text = key_of(profile.config, "endpoint_url");
  }
  return text.empty() ? std::nullopt : std::optional{GivenUrl{std::move(text), where}};
}

Result<WebhookUrl> endpoint_of(const Environment& environment, const Profile& profile,
                               const AwsServiceInfo& info, const std::string& region) {
  const auto given = given_url(environment, profile, info);
  if (!given) {
    const std::string_view domain =
        region.starts_with("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
    return *parse_webhook_url(fmt::format("https://{}.{}.{}/", info.host_prefix, region, domain));
  }
  auto url = parse_webhook_url(given->text);
  const bool is_base =
      url && url->basic_credentials.empty() && url->target.find('?') == std::string::npos;
  if (!is_base) {
    return make_error(ErrorKind::invalid,
                      fmt::format("{}: is not the base of an http or https URL (set it to e.g. "
                                  "http://127.0.0.1:8000)",
                                  given->where));
  }
  return *url;
}

}  // namespace

const AwsServiceInfo& info_of(AwsService service) {
  return kServices[static_cast<std::size_t>(service)];
}

Result<AwsSettings> make_aws_settings(const Environment& environment, const Profile& profile,
                                      const std::string& given_region) {
  AwsSettings settings;
  for (std::string region :
       {given_region, value_of(environment, aws_variable::kRegion),
        value_of(environment, aws_variable::kDefaultRegion), key_of(profile.config, "region"),
        key_of(profile.credentials, "region")}) {
    if (settings.region.empty()) {
      settings.region = std::move(region);
    }
  }
  if (!is_region(settings.region)) {
    return make_error(
        ErrorKind::invalid,
        fmt::format("AWS_REGION: {} (set it to the region of the table and the secret, e.g. "
                    "us-east-2)",
                    settings.region.empty() ? "no region is set"
                                            : "\"" + settings.region + "\" is no region"));
  }
  for (const AwsServiceInfo& info : kServices) {
    auto endpoint = endpoint_of(environment, profile, info, settings.region);
    if (!endpoint) {
      return endpoint.error();
    }
    settings.endpoints[static_cast<std::size_t>(info.service)] = std::move(*endpoint);
  }
  return settings;
}

}  // namespace dispatcher
