// Credentials that a container's agent gives over HTTP (ECS, EKS, Greengrass).
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
#pragma once

#include "adapters/aws/aws_credentials.hpp"
#include "base/result.hpp"
#include "model/webhook_url.hpp"
#include "ports/environment.hpp"
#include "ports/http_client.hpp"

#include <boost/asio/awaitable.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace dispatcher {

// Where the environment says that they are; empty when it names no such place. `invalid`: the URL
// is none, or is plain http to somewhere else than this machine and the agents' own addresses.
[[nodiscard]] Result<std::optional<WebhookUrl>> container_url(const Environment& environment);

// What the agent answered. Pure; the message holds nothing of the text.
[[nodiscard]] Result<AwsCredentials> parse_container_credentials(std::string_view json);

// One request. `retry_later`: the agent could not be reached or could not answer; `refused`: it
// will not give them; `invalid`: the token's file cannot be read.
[[nodiscard]] boost::asio::awaitable<Result<AwsCredentials>> fetch_container_credentials(
    HttpClient& http, WebhookUrl url, const Environment& environment, MonoTime deadline);

}  // namespace dispatcher
