// A webhook destination: where to, what for, and within which limits.
#pragma once

#include "base/time.hpp"
#include "model/exchange.hpp"
#include "model/retry.hpp"
#include "model/webhook_url.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dispatcher {

// A store's own short name for an endpoint; never shown, never reused. 0 stands for no endpoint:
// the events that matched none.
using EndpointNumber = std::uint32_t;
inline constexpr EndpointNumber kNoEndpoint = 0;

enum class EndpointState : std::uint8_t { active = 0, paused = 1, disabled = 2 };
enum class BodyFormat : std::uint8_t { event = 0, payload = 1, standard = 2 };
enum class EndpointStart : std::uint8_t { now = 0, pending = 1 };

[[nodiscard]] std::string_view to_string(EndpointState state);
[[nodiscard]] std::optional<EndpointState> parse_endpoint_state(std::string_view text);
[[nodiscard]] std::string_view to_string(BodyFormat format);
[[nodiscard]] std::optional<BodyFormat> parse_body_format(std::string_view text);

// Matches exactly, or by a prefix that ends in `*`.
struct EventFilter {
  std::vector<std::string> types{"*"};
  std::vector<std::string> sources{"*"};

  [[nodiscard]] bool matches(std::string_view type, std::string_view source) const;
};

// What made an endpoint, and may change it.
enum class EndpointOrigin : std::uint8_t {
  secret =
      0,  // `zapier_webhook_url`, or --endpoint: it can be paused, but neither changed nor deleted
  api = 1,  // `POST /endpoints`
};

// Signs what is sent to an endpoint.
struct SigningKey {
  std::string bytes;              // raw
  std::optional<WallTime> until;  // of one that was rotated out: no longer used from then on
};

struct Endpoint {
  EndpointNumber number = kNoEndpoint;
  std::string id;
  EndpointOrigin origin = EndpointOrigin::secret;
  WebhookUrl url;
  EventFilter filter;
  BodyFormat body = BodyFormat::event;
  std::vector<HttpHeader> headers;
  std::vector<SigningKey> signing_keys;   // the first is the newest
  int concurrency = 64;                   // requests in flight at most
  std::optional<double> rate_per_second;  // attempts begun per second at most; empty: no limit
  std::chrono::microseconds timeout = std::chrono::seconds{30};
  RetryPolicy retry;
  EndpointState state = EndpointState::active;
  std::int64_t revision = 0;  // of the record that says so: a higher one is later
};

// `secret-` and the first 8 hex digits of the SHA-256 of the URL.
[[nodiscard]] std::string secret_endpoint_id(std::string_view url);

}  // namespace dispatcher
