// JSON Web Tokens (RFC 7519), HS256 alone: what `POST /token` gives out and every request brings.
// Pure.
#pragma once

#include "base/time.hpp"

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace dispatcher {

inline constexpr std::chrono::hours kTokenLifetime{24};

// Longer ones are refused unread; ours have about 200 bytes.
inline constexpr std::size_t kMaxTokenBytes = 4096;

// How far another machine's clock may be ahead of ours when it dates a token.
inline constexpr std::chrono::seconds kTokenClockSkew{60};

// Who the token is for, and the user name that `POST /token` takes.
inline constexpr std::string_view kTokenSubject = "api";

// The claims sub, api_key (its first 8 characters and `...`), iat and exp.
[[nodiscard]] std::string sign_token(std::string_view secret, std::string_view api_key,
                                     WallTime now);

// The claim api_key of a token that was verified; empty when it has none.
[[nodiscard]] std::string api_key_claim(std::string_view token);

// When the token ends, if one of the secrets signed it, it is for kTokenSubject, and `now` is
// within its time; empty otherwise. A token without `exp` is refused, and so is every algorithm but
// HS256.
[[nodiscard]] std::optional<WallTime> verify_token(std::string_view token,
                                                   std::span<const std::string> secrets,
                                                   WallTime now);

}  // namespace dispatcher
