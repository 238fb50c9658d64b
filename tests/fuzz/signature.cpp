// Promise: no webhook is taken whose signature is not one that the key gives for just these headers
// and this body; and one that is signed so is taken. Lines: id, timestamp, signatures; then the
// body.
#include "model/signature.hpp"

#include "base/bytes.hpp"
#include "fuzz/fuzz_target.hpp"

#include <array>
#include <charconv>
#include <string>

namespace dispatcher::fuzz {
namespace {

constexpr WallTime kNow{std::chrono::seconds{1'800'000'000}};
const std::array<std::string, 2> kKeys{"the first key", "the second key"};

// Of the timestamps near `kNow` there are no others.
bool is_near(std::string_view timestamp) {
  std::int64_t number = 0;
  const auto* const end = timestamp.data() + timestamp.size();
  const auto [stop, error] = std::from_chars(timestamp.data(), end, number);
  return error == std::errc{} && stop == end && number >= 1'799'999'700 && number <= 1'800'000'300;
}

std::string mac(std::string_view id, std::string_view timestamp, std::string_view body) {
  return to_base64(as_text(hmac_sha256(
      kKeys[1], std::string{id} + "." + std::string{timestamp} + "." + std::string{body})));
}

void check_standard(std::string_view input) {
  StandardHeaders headers;
  headers.id = take_line(input);
  headers.timestamp = take_line(input);
  headers.signatures = take_line(input);
  const std::string right = mac(headers.id, headers.timestamp, input);
  const auto verified = verify_standard(kKeys, headers, input, kNow);
  promise(!verified || headers.signatures.find(right) != std::string_view::npos,
          "only the right signature is taken");
  promise(!verified || is_near(headers.timestamp), "an old webhook is not taken");
  const std::string added = "v1," + right + " " + std::string{headers.signatures};
  headers.signatures = added;
  const bool is_right = !headers.id.empty() && is_near(headers.timestamp);
  promise(verify_standard(kKeys, headers, input, kNow).has_value() == is_right,
          "the right signature is taken, whatever stands behind it");
  promise(!verify_standard(std::span{kKeys}.first(1), headers, input, kNow) ||
              headers.signatures.find(' ') != std::string_view::npos,
          "another key's signature is not taken");
}

void check(std::string_view input) {
  check_standard(input);
  promise(!verify_body(kKeys, input, input), "a body does not sign itself");
  promise(verify_body(kKeys, sign_body(kKeys[0], input), input), "the plain signature is taken");
  const auto key = parse_signing_secret(input);
  promise(!key || !key->empty(), "a key is not empty");
  const auto written = parse_signing_secret(std::string{kSigningSecretPrefix} + to_base64(input));
  promise(written.has_value() == !input.empty() && (!written || *written == input),
          "a key written as a secret is the same key");
}

const Registration kTarget{"signature", check};

}  // namespace
}  // namespace dispatcher::fuzz
