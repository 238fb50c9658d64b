// Promise: no token is taken but one that the secret signed, for our subject and within its time;
// and one byte more, less or other makes any token none.
#include "api/jwt.hpp"

#include "base/bytes.hpp"
#include "fuzz/fuzz_target.hpp"

#include <boost/json.hpp>

#include <array>
#include <string>

namespace dispatcher::fuzz {
namespace {

const std::array<std::string, 2> kSecrets{"the first secret", "the second secret"};
constexpr WallTime kNow{std::chrono::seconds{1'800'000'000}};

std::string signed_with(const std::string& secret, std::string_view header,
                        std::string_view claims) {
  std::string token = to_base64url(header) + "." + to_base64url(claims);
  return token + "." + to_base64url(as_text(hmac_sha256(secret, token)));
}

// Empty when Boost.JSON has no value for it, though it may be JSON: half a surrogate pair, a number
// beyond a double.
std::optional<boost::json::object> object_of(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) {
    text.remove_prefix(3);
  }
  boost::json::parse_options options;
  options.max_depth = 1000;
  boost::json::error_code error;
  auto value = boost::json::parse({text.data(), text.size()}, error, {}, options);
  if (error || !value.is_object()) {
    return std::nullopt;
  }
  return value.get_object();
}

bool is_text(const boost::json::object& object, boost::json::string_view name,
             boost::json::string_view expected) {
  const auto* value = object.if_contains(name);
  return value != nullptr && value->is_string() && value->get_string() == expected;
}

// What a token that was taken must say, as Boost.JSON reads it.
void check_taken(std::string_view header, std::string_view claims) {
  const auto head = object_of(header);
  promise(!head || is_text(*head, "alg", "HS256"), "a token taken says HS256");
  const auto body = object_of(claims);
  if (!body) {
    return;
  }
  promise(is_text(*body, "sub", "api"), "a token taken is for our subject");
  const auto* expires = body->if_contains("exp");
  promise(
      expires != nullptr && expires->is_number() && expires->to_number<double>() > 1'800'000'000.0,
      "a token taken has not ended");
}

// The input is the header's line and the claims, signed as they are.
void check_signed(std::string_view input) {
  const std::string_view header = take_line(input);
  const std::string token = signed_with(kSecrets[1], header, input);
  const auto expires = verify_token(token, kSecrets, kNow);
  if (!expires) {
    return;
  }
  promise(*expires >= kNow, "the end of a token taken lies ahead");
  check_taken(header, input);
  promise(!verify_token(token, std::span{kSecrets}.first(1), kNow), "another secret's is refused");
  promise(!verify_token(token + "A", kSecrets, kNow), "a byte more is refused");
  Pieces pieces{input};
  std::string changed = token;
  changed[pieces.below(changed.size())] ^= 1;
  promise(!verify_token(changed, kSecrets, kNow), "a changed byte is refused");
  changed = token;
  changed.erase(pieces.below(changed.size()), 1);
  promise(!verify_token(changed, kSecrets, kNow), "a byte less is refused");
}

void check(std::string_view input) {
  promise(!verify_token(input, kSecrets, kNow), "what we did not sign is refused");
  check_signed(input);
  // Any name for a key makes a token that its own secret takes, until it ends.
  const std::string own = sign_token("a", input, kNow);
  const std::array<std::string, 1> secret{"a"};
  if (is_valid_utf8(input)) {
    promise(own.size() > kMaxTokenBytes || verify_token(own, secret, kNow).has_value(),
            "our own token is taken");
    promise(!verify_token(own, secret, kNow + kTokenLifetime), "our own token ends");
  }
}

const Registration kTarget{"jwt", check};

}  // namespace
}  // namespace dispatcher::fuzz
