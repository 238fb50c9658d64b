#include "adapters/aws/static_credentials.hpp"

#include "adapters/aws/variables.hpp"

#include <fmt/format.h>

namespace dispatcher {
namespace {

// What a profile may have instead of keys.
constexpr std::array<std::string_view, 5> kUnknownWays{
    "role_arn", "credential_process", "sso_session", "sso_start_url", "web_identity_token_file"};

std::string key_of(const ProfileKeys& keys, std::string_view key) {
  const auto found = keys.find(key);
  return found == keys.end() ? std::string{} : found->second;
}

Result<std::optional<AwsCredentials>> keys_in(const ProfileKeys& keys, const std::string& name) {
  AwsCredentials found;
  found.access_key_id = key_of(keys, "aws_access_key_id");
  found.secret_access_key = key_of(keys, "aws_secret_access_key");
  found.session_token = key_of(keys, "aws_session_token");
  if (found.access_key_id.empty() && found.secret_access_key.empty()) {
    return std::optional<AwsCredentials>{};
  }
  if (found.access_key_id.empty() || found.secret_access_key.empty()) {
    return make_error(
        ErrorKind::invalid,
        fmt::format("the AWS profile {} has no {} (add it)", name,
                    found.access_key_id.empty() ? "aws_access_key_id" : "aws_secret_access_key"));
  }
  return std::optional{std::move(found)};
}

}  // namespace

Result<std::optional<AwsCredentials>> environment_credentials(const Environment& environment) {
  AwsCredentials found;
  found.access_key_id = value_of(environment, aws_variable::kAccessKeyId);
  found.secret_access_key = value_of(environment, aws_variable::kSecretAccessKey);
  found.session_token = value_of(environment, aws_variable::kSessionToken);
  if (found.access_key_id.empty()) {
    // A secret alone names nobody: as in every AWS client it is passed over.
    return std::optional<AwsCredentials>{};
  }
  if (found.secret_access_key.empty()) {
    return make_error(
        ErrorKind::invalid,
        fmt::format("{}: is not set, but {} is (set both, or neither)",
                    aws_variable::kSecretAccessKey.name, aws_variable::kAccessKeyId.name));
  }
  return std::optional{std::move(found)};
}

Result<std::optional<AwsCredentials>> profile_credentials(const Profile& profile) {
  for (const ProfileKeys* keys : {&profile.credentials, &profile.config}) {
    auto found = keys_in(*keys, profile.name);
    if (!found || *found) {
      return found;
    }
  }
  for (const std::string_view way : kUnknownWays) {
    if (!key_of(profile.config, way).empty() || !key_of(profile.credentials, way).empty()) {
      return make_error(
          ErrorKind::invalid,
          fmt::format("the AWS profile {} gets its credentials by {}, which this program does not "
                      "do (set AWS_ACCESS_KEY_ID and the others, as `aws configure "
                      "export-credentials` prints them)",
                      profile.name, way));
    }
  }
  return std::optional<AwsCredentials>{};
}

}  // namespace dispatcher
