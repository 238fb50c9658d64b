#include "model/signature.hpp"

#include "base/bytes.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <vector>

namespace dispatcher {
namespace {

constexpr std::string_view kVersion = "v1,";

// The signature without its version. `timestamp` is the text that is signed: a receiver uses the
// header as it came.
std::string standard_mac(std::string_view key, std::string_view id, std::string_view timestamp,
                         std::string_view body) {
  std::string signed_text;
  signed_text.reserve(id.size() + timestamp.size() + body.size() + 2);
  signed_text.append(id).push_back('.');
  signed_text.append(timestamp).push_back('.');
  signed_text.append(body);
  return to_base64(as_text(hmac_sha256(key, signed_text)));
}

std::optional<std::int64_t> parse_seconds(std::string_view text) {
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  const bool is_whole = error == std::errc{} && end == text.data() + text.size();
  return is_whole && seconds >= 0 ? std::optional{seconds} : std::nullopt;
}

bool is_near(std::int64_t timestamp, WallTime now) {
  const std::int64_t now_seconds =
      std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  const std::int64_t tolerance = std::chrono::seconds{kSignatureTolerance}.count();
  return timestamp >= now_seconds - tolerance && timestamp <= now_seconds + tolerance;
}

// The next of the space-separated signatures, taken off the front of `rest`.
std::string_view take_signature(std::string_view& rest) {
  const std::size_t end = std::min(rest.find(' '), rest.size());
  const std::string_view signature = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return signature;
}

bool matches_any(std::span<const std::string> macs, std::string_view signatures) {
  for (std::size_t seen = 0; !signatures.empty() && seen < kMaxSignatures; ++seen) {
    const std::string_view signature = take_signature(signatures);
    if (!signature.starts_with(kVersion)) {
      continue;  // another version of the scheme: receivers take those that they know
    }
    for (const std::string& mac : macs) {
      if (equal_in_constant_time(signature.substr(kVersion.size()), mac)) {
        return true;
      }
    }
  }
  return false;
}

Error refusal(std::string message) {
  return make_error(ErrorKind::invalid, std::move(message));
}

}  // namespace

Result<std::string> parse_signing_secret(std::string_view secret) {
  if (secret.empty()) {
    return refusal("the signing secret is empty");
  }
  if (!secret.starts_with(kSigningSecretPrefix)) {
    return std::string{secret};
  }
  auto key = from_base64(secret.substr(kSigningSecretPrefix.size()));
  if (!key || key->empty()) {
    return refusal("the signing secret begins with whsec_ but what follows is not base64");
  }
  return *std::move(key);
}

std::string format_signing_secret(std::string_view key) {
  return std::string{kSigningSecretPrefix} + to_base64(key);
}

std::string sign_standard(std::string_view key, std::string_view id, std::int64_t timestamp,
                          std::string_view body) {
  return std::string{kVersion} + standard_mac(key, id, std::to_string(timestamp), body);
}

std::string standard_signatures(std::span<const std::string_view> keys, std::string_view id,
                                std::int64_t timestamp, std::string_view body) {
  std::string all;
  for (const std::string_view key : keys) {
    if (!all.empty()) {
      all.push_back(' ');
    }
    all += sign_standard(key, id, timestamp, body);
  }
  return all;
}

std::string sign_body(std::string_view key, std::string_view body) {
  return to_hex(hmac_sha256(key, body));
}

Result<void> verify_standard(std::span<const std::string> keys, const StandardHeaders& headers,
                             std::string_view body, WallTime now) {
  if (headers.id.empty() || headers.timestamp.empty() || headers.signatures.empty()) {
    return refusal("webhook-id, webhook-timestamp or webhook-signature is missing");
  }
  const auto timestamp = parse_seconds(headers.timestamp);
  if (!timestamp) {
    return refusal("webhook-timestamp is not a whole number of seconds");
  }
  if (!is_near(*timestamp, now)) {
    return refusal("webhook-timestamp is more than five minutes from this clock");
  }
  std::vector<std::string> macs;
  for (const std::string& key : keys) {
    macs.push_back(standard_mac(key, headers.id, headers.timestamp, body));
  }
  if (!matches_any(macs, headers.signatures)) {
    return refusal("no v1 signature in webhook-signature is right");
  }
  return {};
}

bool verify_body(std::span<const std::string> keys, std::string_view signature,
                 std::string_view body) {
  bool is_right = false;
  for (const std::string& key : keys) {
    is_right = equal_in_constant_time(signature, sign_body(key, body)) || is_right;
  }
  return is_right;
}

}  // namespace dispatcher
