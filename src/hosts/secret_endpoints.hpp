// The endpoints that `zapier_webhook_url`, or `--endpoint`, gives, and what endpoints are told by
// settings. Pure.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "engine/attempt.hpp"
#include "engine/registry.hpp"
#include "hosts/config.hpp"
#include "model/endpoint.hpp"
#include "ports/secrets.hpp"

#include <string>
#include <vector>

namespace dispatcher {

// What all of them share.
struct EndpointDefaults {
  int concurrency = 64;
  std::chrono::microseconds timeout = std::chrono::seconds{30};
  RetryPolicy retry;
  std::string webhook_secret;  // `zapier_webhook_secret`: signs for each; empty for none
};

// One endpoint for each URL; a URL given twice is one endpoint. `invalid` names the position of a
// URL that is none, or the secret that cannot be read; never the URL itself, which is a secret.
[[nodiscard]] Result<SecretEndpoints> make_secret_endpoints(const std::vector<std::string>& urls,
                                                            const EndpointDefaults& defaults);

// What --endpoint names takes the place of what the secret does.
[[nodiscard]] SecretBundle with_command_line(SecretBundle secrets, const DeliveryConfig& delivery);

// The endpoints of the command line, or else the secret's.
[[nodiscard]] Result<SecretEndpoints> make_endpoints(const DeliveryConfig& delivery,
                                                     const SecretBundle& secrets);

// What an endpoint of the API is told by settings.
[[nodiscard]] DeliveryDefaults delivery_defaults(const DeliveryConfig& delivery);

// What every delivery of this program carries.
[[nodiscard]] Result<SenderIdentity> sender_identity(const SecretBundle& secrets);

}  // namespace dispatcher
