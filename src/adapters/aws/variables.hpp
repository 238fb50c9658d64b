// The environment's variables that every AWS client knows, and what they mean here.
// `docs/settings.md` has the same table.
#pragma once

#include "ports/environment.hpp"

#include <array>
#include <string>
#include <string_view>

namespace dispatcher {

struct AwsVariable {
  std::string_view name;
  std::string_view help;
};

namespace aws_variable {
inline constexpr AwsVariable kRegion{"AWS_REGION",
                                     "region of the table, the secret and the metrics"};
inline constexpr AwsVariable kDefaultRegion{
    "AWS_DEFAULT_REGION", "the region where AWS_REGION is not set; else the profile's `region`"};
inline constexpr AwsVariable kAccessKeyId{"AWS_ACCESS_KEY_ID",
                                          "credentials; these variables come before the profile"};
inline constexpr AwsVariable kSecretAccessKey{"AWS_SECRET_ACCESS_KEY",
                                              "goes with AWS_ACCESS_KEY_ID"};
inline constexpr AwsVariable kSessionToken{"AWS_SESSION_TOKEN", "goes with the two of a role"};
inline constexpr AwsVariable kProfile{"AWS_PROFILE",
                                      "which profile of the files to use; else `default`"};
inline constexpr AwsVariable kCredentialsFile{"AWS_SHARED_CREDENTIALS_FILE",
                                              "else `~/.aws/credentials`"};
inline constexpr AwsVariable kConfigFile{"AWS_CONFIG_FILE", "else `~/.aws/config`"};
inline constexpr AwsVariable kContainerRelativeUri{
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "credentials of an ECS task, asked for after variables and profile"};
inline constexpr AwsVariable kContainerFullUri{
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "the same from a URL: https, or http to this machine or the container's agent"};
inline constexpr AwsVariable kContainerTokenFile{"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
                                                 "holds what that URL wants as Authorization"};
inline constexpr AwsVariable kContainerToken{"AWS_CONTAINER_AUTHORIZATION_TOKEN",
                                             "the same itself, where there is no file"};
inline constexpr AwsVariable kEndpointUrl{
    "AWS_ENDPOINT_URL", "base URL of every AWS service, for an emulator or a private endpoint"};
inline constexpr AwsVariable kEndpointUrlDynamodb{
    "AWS_ENDPOINT_URL_DYNAMODB", "the same for DynamoDB; wins over AWS_ENDPOINT_URL"};
inline constexpr AwsVariable kEndpointUrlSecretsManager{"AWS_ENDPOINT_URL_SECRETS_MANAGER",
                                                        "the same for Secrets Manager"};
inline constexpr AwsVariable kEndpointUrlCloudwatch{"AWS_ENDPOINT_URL_CLOUDWATCH",
                                                    "the same for CloudWatch"};
inline constexpr AwsVariable kIgnoreEndpointUrls{"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
                                                 "`true`: none of the endpoint URLs counts"};
inline constexpr AwsVariable kXrayDaemon{
    "AWS_XRAY_DAEMON_ADDRESS", "where traces go, by UDP: an address and a port; Lambda sets it"};
}  // namespace aws_variable

// Its value; empty when it is not set, or is set to nothing.
[[nodiscard]] inline std::string value_of(const Environment& environment,
                                          const AwsVariable& variable) {
  return environment(variable.name).value_or("");
}

}  // namespace dispatcher
