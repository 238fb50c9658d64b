// How a webhook is signed, and how a receiver checks it: Standard Webhooks 1.0 and the plain
// HMAC of `X-Webhook-Signature`. Pure; keys never appear in an error.
#pragma once

#include "base/result.hpp"
#include "base/time.hpp"

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace dispatcher {

// A signing secret as people write it holds this prefix when the rest is base64.
inline constexpr std::string_view kSigningSecretPrefix = "whsec_";

// How far a `webhook-timestamp` may be from the receiver's clock, either way (Standard Webhooks'
// reference implementations).
inline constexpr std::chrono::minutes kSignatureTolerance{5};

// Signatures looked at in one `webhook-signature`; further ones are ignored.
inline constexpr std::size_t kMaxSignatures = 16;

// The key in a secret: `whsec_` and base64 gives the bytes encoded, anything else is the key
// itself. `invalid` for an empty secret or bad base64.
[[nodiscard]] Result<std::string> parse_signing_secret(std::string_view secret);

// `whsec_` and the base64 of the key.
[[nodiscard]] std::string format_signing_secret(std::string_view key);

// One signature of `webhook-signature`: `v1,` and the base64 HMAC-SHA256 of `id.timestamp.body`.
// `timestamp` is in seconds since 1970, as in `webhook-timestamp`.
[[nodiscard]] std::string sign_standard(std::string_view key, std::string_view id,
                                        std::int64_t timestamp, std::string_view body);

// The whole of `webhook-signature`: one signature for each key, separated by spaces.
[[nodiscard]] std::string standard_signatures(std::span<const std::string_view> keys,
                                              std::string_view id, std::int64_t timestamp,
                                              std::string_view body);

// `X-Webhook-Signature`: the lower-case hex HMAC-SHA256 of the body.
[[nodiscard]] std::string sign_body(std::string_view key, std::string_view body);

// The three headers of Standard Webhooks, as they came; empty for one that is missing.
struct StandardHeaders {
  std::string_view id;
  std::string_view timestamp;
  std::string_view signatures;
};

// Success when a header is there for all three, the time is within the tolerance of `now`, and one
// of the `v1` signatures is right for one of the keys. Otherwise `invalid`, saying which it is not.
[[nodiscard]] Result<void> verify_standard(std::span<const std::string> keys,
                                           const StandardHeaders& headers, std::string_view body,
                                           WallTime now);

// Whether `signature` is that of one of the keys. Lower-case hex only.
[[nodiscard]] bool verify_body(std::span<const std::string> keys, std::string_view signature,
                               std::string_view body);

}  // namespace dispatcher
