// What an endpoint of the API was told, as it is kept: what is no secret, and what is sealed. Pure.
#pragma once

#include "base/result.hpp"
#include "model/endpoint.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dispatcher {

// What is absent is as the program's own settings say at the time it is used.
struct EndpointSettings {
  std::string description;
  BodyFormat body = BodyFormat::event;
  std::optional<int> concurrency;
  std::optional<double> rate_per_second;  // absent: no limit
  std::optional<std::chrono::microseconds> timeout;
  std::optional<int> retries;
  std::optional<std::vector<std::chrono::seconds>> schedule;
};

struct EndpointSecrets {
  std::string url;
  std::vector<HttpHeader> headers;
  std::vector<SigningKey> signing_keys;  // the first is the newest
};

// Everything that can be changed about an endpoint.
struct EndpointDraft {
  EventFilter filter;
  EndpointSettings settings;
  EndpointSecrets secrets;
};

// The program's own settings: ENDPOINT_CONCURRENCY, REQUEST_TIMEOUT_SECONDS, MAX_RETRIES and the
// rest of the retry settings.
struct DeliveryDefaults {
  int concurrency = 64;
  std::chrono::microseconds timeout = std::chrono::seconds{30};
  RetryPolicy retry;
};

// As JSON, on one line. Reading takes what it does not know for another version's and leaves it
// out; `invalid` for what is no such JSON, without showing it.
[[nodiscard]] std::string encode_settings(const EndpointSettings& settings);
[[nodiscard]] Result<EndpointSettings> decode_settings(std::string_view json);
[[nodiscard]] std::string encode_secrets(const EndpointSecrets& secrets);
[[nodiscard]] Result<EndpointSecrets> decode_secrets(std::string_view json);

// The endpoint as far as it can be told without its secrets; number, id, origin and state are the
// caller's to fill in.
[[nodiscard]] Endpoint make_endpoint(EventFilter filter, const EndpointSettings& settings,
                                     const DeliveryDefaults& defaults);

// Adds them. `invalid`: the URL is none.
[[nodiscard]] Result<void> add_secrets(Endpoint& endpoint, EndpointSecrets secrets);

// A new key in front; those before it sign until `overlap` from now has passed, or until they would
// have anyway. What no longer signs, and what is past kMaxSigningKeys, is dropped.
void rotate_signing_key(std::vector<SigningKey>& keys, std::string new_key, WallTime now,
                        std::chrono::seconds overlap);

}  // namespace dispatcher
