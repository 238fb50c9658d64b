// Encodings, digests and comparisons over bytes. Digests are OpenSSL's.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace dispatcher {

using Sha256Digest = std::array<std::uint8_t, 32>;

[[nodiscard]] Sha256Digest sha256(std::string_view bytes);
[[nodiscard]] Sha256Digest hmac_sha256(std::string_view key, std::string_view bytes);

// Lower case.
[[nodiscard]] std::string to_hex(std::span<const std::uint8_t> bytes);
[[nodiscard]] std::optional<std::string> from_hex(std::string_view text);

// RFC 4648: `base64` with padding, `base64url` without.
[[nodiscard]] std::string to_base64(std::string_view bytes);
[[nodiscard]] std::string to_base64url(std::string_view bytes);
// Strict: padding where the alphabet has it, no white space, no stray bits.
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text);
[[nodiscard]] std::optional<std::string> from_base64url(std::string_view text);

// Takes the same time wherever the two differ; lengths are not secret.
[[nodiscard]] bool equal_in_constant_time(std::string_view left, std::string_view right);

// Bytes as text of the same length: for signing what a digest holds.
[[nodiscard]] inline std::string_view as_text(std::span<const std::uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

[[nodiscard]] bool is_valid_utf8(std::string_view text);

}  // namespace dispatcher
