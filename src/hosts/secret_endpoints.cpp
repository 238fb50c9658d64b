#include "hosts/secret_endpoints.hpp"

#include "model/signature.hpp"

#include <algorithm>

namespace dispatcher {

Result<SecretEndpoints> make_secret_endpoints(const std::vector<std::string>& urls,
                                              const EndpointDefaults& defaults) {
  std::vector<SigningKey> signing_keys;
  if (!defaults.webhook_secret.empty()) {
    auto key = parse_signing_secret(defaults.webhook_secret);
    if (!key) {
      return make_error(ErrorKind::invalid, "zapier_webhook_secret: " + key.error().message);
    }
    signing_keys.push_back({std::move(*key), std::nullopt});
  }
  SecretEndpoints out;
  for (std::size_t i = 0; i < urls.size(); ++i) {
    auto url = parse_webhook_url(urls[i]);
    if (!url) {
      return make_error(ErrorKind::invalid,
                        "webhook URL " + std::to_string(i + 1) + " of " +
                            std::to_string(urls.size()) +
                            " is not an https:// URL with a host (set zapier_webhook_url or "
                            "--endpoint, e.g. https://hooks.example.com/catch/1)");
    }
    const auto hash = sha256(urls[i]);
    if (std::find(out.url_hashes.begin(), out.url_hashes.end(), hash) != out.url_hashes.end()) {
      continue;
    }
    Endpoint endpoint;
    endpoint.id = secret_endpoint_id(urls[i]);
    endpoint.url = std::move(*url);
    endpoint.signing_keys = signing_keys;
    endpoint.concurrency = defaults.concurrency;
    endpoint.timeout = defaults.timeout;
    endpoint.retry = defaults.retry;
    out.endpoints.push_back(std::move(endpoint));
    out.url_hashes.push_back(hash);
    out.urls.push_back(urls[i]);
  }
  return out;
}

SecretBundle with_command_line(SecretBundle secrets, const DeliveryConfig& delivery) {
  if (!delivery.endpoints.empty()) {
    secrets.webhook_urls = delivery.endpoints;
  }
  return secrets;
}

Result<SecretEndpoints> make_endpoints(const DeliveryConfig& delivery,
                                       const SecretBundle& secrets) {
  EndpointDefaults defaults;
  defaults.concurrency = delivery.endpoint_concurrency;
  defaults.timeout = delivery.request_timeout;
  defaults.retry = delivery.retry;
  defaults.webhook_secret = secrets.webhook_secret;
  return make_secret_endpoints(with_command_line(secrets, delivery).webhook_urls, defaults);
}

DeliveryDefaults delivery_defaults(const DeliveryConfig& delivery) {
  return {delivery.endpoint_concurrency, delivery.request_timeout, delivery.retry};
}

Result<SenderIdentity> sender_identity(const SecretBundle& secrets) {
  SenderIdentity identity;
  identity.user_agent = "EventDispatcher/" DISPATCHER_VERSION;
  if (!secrets.webhook_secret.empty()) {
    auto key = parse_signing_secret(secrets.webhook_secret);
    if (!key) {
      return make_error(ErrorKind::invalid, "zapier_webhook_secret: " + key.error().message);
    }
    identity.body_signing_key = std::move(*key);
  }
  return identity;
}

}  // namespace dispatcher
