// Keeping secrets at rest: AES-256-GCM (OpenSSL) under the first of several keys, opened by any of
// them, so that keys can be exchanged. Pure; no error names a secret.
#pragma once

#include "base/result.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace dispatcher {

inline constexpr std::size_t kSealKeyBytes = 32;

// NIST SP 800-38D, section 8.2.2: random, and fresh for each call of `seal`.
using SealNonce = std::array<std::uint8_t, 12>;

// What a sealed text held.
struct Opened {
  std::string text;
  bool is_under_first_key = true;  // otherwise it is to be sealed anew
};

// A sealed text is base64url of: version (1 byte), key id (8), nonce (12), ciphertext, tag (16).
class KeyRing {
 public:
  // Seals and opens nothing.
  KeyRing() = default;

  // Keys of kSealKeyBytes in base64, as `encryption_keys` has them; the first seals. `invalid` says
  // which entry is none.
  [[nodiscard]] static Result<KeyRing> make(std::span<const std::string> keys_in_base64);

  // Whether there is a key to seal with.
  [[nodiscard]] bool can_seal() const { return !keys_.empty(); }

  // `owner` is what the text belongs to: it opens for no other, so that sealed texts cannot be
  // exchanged among their owners. Only when `can_seal`.
  [[nodiscard]] std::string seal(std::string_view text, std::string_view owner,
                                 const SealNonce& nonce) const;

  // `not_found`: none of the keys sealed it. `invalid`: it is no sealed text, was altered, or is
  // another owner's.
  [[nodiscard]] Result<Opened> open(std::string_view sealed, std::string_view owner) const;

 private:
  struct Key {
    std::string id;  // made of the key, and tells nothing of it
    std::string bytes;
  };

  std::vector<Key> keys_;
};

}  // namespace dispatcher
