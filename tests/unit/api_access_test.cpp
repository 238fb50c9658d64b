// Promise: only who knows the API key gets a token, only tokens that the secret signed are taken,
// and guessing is slow.
#include "api/access.hpp"

#include "api/jwt.hpp"
#include "api/login_limit.hpp"
#include "base/bytes.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace dispatcher {
namespace {

constexpr WallTime kNow{std::chrono::sys_days{std::chrono::year{2026} / 1 / 1}};
constexpr std::string_view kSecret = "jwt-secret";

std::string hand_made(std::string_view header, std::string_view claims,
                      std::string_view secret = kSecret) {
  const std::string signed_part = to_base64url(header) + "." + to_base64url(claims);
  return signed_part + "." + to_base64url(as_text(hmac_sha256(secret, signed_part)));
}

bool is_good(std::string_view token, WallTime now = kNow) {
  const std::array<std::string, 2> secrets{"other", std::string{kSecret}};
  return verify_token(token, secrets, now).has_value();
}

constexpr std::string_view kHeader = R"({"alg":"HS256","typ":"JWT"})";
constexpr std::string_view kClaims = R"({"sub":"api","iat":1767225600,"exp":1767312000})";

TEST(Jwt, a_token_holds_for_a_day_and_says_what_the_contract_says) {
  const std::string token = sign_token(kSecret, "0123456789abcdef", kNow);
  EXPECT_TRUE(is_good(token));
  EXPECT_TRUE(is_good(token, kNow + std::chrono::hours{23}));
  EXPECT_FALSE(is_good(token, kNow + std::chrono::hours{24}));
  const auto dot = token.find('.');
  const auto claims = from_base64url(token.substr(dot + 1, token.rfind('.') - dot - 1));
  EXPECT_EQ(*claims, R"({"sub":"api","api_key":"01234567...","iat":1767225600,"exp":1767312000})");
}

TEST(Jwt, only_hs256_tokens_of_a_known_secret_are_good) {
  EXPECT_TRUE(is_good(hand_made(kHeader, kClaims)));
  EXPECT_TRUE(is_good(hand_made(kHeader, kClaims, "other")));
  EXPECT_FALSE(is_good(hand_made(kHeader, kClaims, "unknown")));
  EXPECT_FALSE(is_good(hand_made(R"({"alg":"none"})", kClaims)));
  EXPECT_FALSE(is_good(hand_made(R"({"alg":"HS512"})", kClaims)));
  EXPECT_FALSE(is_good(hand_made(R"({"alg":"HS256","crit":["x"]})", kClaims)));
  EXPECT_FALSE(is_good(hand_made("[]", kClaims)));
  const std::string unsigned_token =
      to_base64url(R"({"alg":"none"})") + "." + to_base64url(kClaims) + ".";
  EXPECT_FALSE(is_good(unsigned_token));
}

TEST(Jwt, an_empty_secret_signs_nothing) {
  const std::array<std::string, 1> secrets{""};
  EXPECT_FALSE(verify_token(hand_made(kHeader, kClaims, ""), secrets, kNow).has_value());
}

TEST(Jwt, claims_must_be_there_and_true) {
  constexpr std::array<std::string_view, 7> kBad{
      R"({"sub":"api","iat":1767225600})",
      R"({"sub":"api","exp":"1767312000"})",
      R"({"sub":"root","exp":1767312000})",
      R"({"exp":1767312000})",
      R"({"sub":"api","exp":1767312000,"iat":1767229200})",
      R"({"sub":"api","exp":1767312000,"nbf":1767229200})",
      R"({"sub":"api","exp":1e300})"};
  for (const std::string_view claims : kBad) {
    EXPECT_FALSE(is_good(hand_made(kHeader, claims))) << claims;
  }
}

TEST(Jwt, garbage_is_refused) {
  const std::string good = hand_made(kHeader, kClaims);
  for (const std::string& token :
       {std::string{}, std::string{"."}, std::string{".."}, std::string{"a.b"},
        std::string{"a.b.c.d"}, good + "x", good + ".", good.substr(0, good.size() - 1),
        std::string(100'000, '.')}) {
    EXPECT_FALSE(is_good(token)) << token.substr(0, 50);
  }
}

SecretBundle secrets_with(std::string jwt_secret) {
  SecretBundle secrets;
  secrets.api_keys = {"key-one", "key-two"};
  secrets.jwt_secrets = {std::move(jwt_secret)};
  return secrets;
}

RequestHead head_with(std::string authorization) {
  RequestHead head;
  head.headers.push_back({"Authorization", std::move(authorization)});
  return head;
}

std::string refusal_of(const Access& access, Auth auth, const RequestHead& head,
                       WallTime now = kNow) {
  const auto refusal = access.refuse(auth, head, now);
  return refusal ? refusal->body : "admitted";
}

constexpr std::string_view kNotAuthenticated = R"({"detail":"Not authenticated"})";
constexpr std::string_view kNotValid = R"({"detail":"Could not validate credentials"})";

TEST(Access, either_key_gets_a_token_that_opens_in_any_case_of_the_scheme) {
  const Access access{secrets_with("s"), ""};
  EXPECT_FALSE(access.log_in("api", "key-three", kNow).has_value());
  EXPECT_FALSE(access.log_in("API", "key-one", kNow).has_value());
  for (const std::string key : {"key-one", "key-two"}) {
    const auto token = access.log_in("api", key, kNow);
    ASSERT_TRUE(token.has_value());
    EXPECT_EQ(refusal_of(access, Auth::token, head_with("bEaReR " + *token)), "admitted");
    EXPECT_EQ(refusal_of(access, Auth::token, head_with("Bearer " + *token)), "admitted");
  }
}

TEST(Access, what_is_missing_and_what_is_wrong_are_told_apart) {
  const Access access{secrets_with("s"), ""};
  EXPECT_EQ(refusal_of(access, Auth::token, RequestHead{}), kNotAuthenticated);
  EXPECT_EQ(refusal_of(access, Auth::token, head_with("Basic YTpi")), kNotAuthenticated);
  EXPECT_EQ(refusal_of(access, Auth::token, head_with("")), kNotAuthenticated);
  EXPECT_EQ(refusal_of(access, Auth::token, head_with("Bearer")), kNotValid);
  EXPECT_EQ(refusal_of(access, Auth::token, head_with("Bearer x.y.z")), kNotValid);
  EXPECT_EQ(refusal_of(access, Auth::open, RequestHead{}), "admitted");
}

TEST(Access, a_known_token_still_ends_with_its_time_and_with_its_secret) {
  Access access{secrets_with("s"), ""};
  const auto head = head_with("Bearer " + *access.log_in("api", "key-one", kNow));
  EXPECT_EQ(refusal_of(access, Auth::token, head), "admitted");
  EXPECT_EQ(refusal_of(access, Auth::token, head, kNow + std::chrono::hours{25}), kNotValid);
  EXPECT_EQ(refusal_of(access, Auth::token, head), "admitted");
  access.set_secrets(secrets_with("another"));
  EXPECT_EQ(refusal_of(access, Auth::token, head), kNotValid);
}

TEST(Access, the_metrics_token_opens_the_metrics_alone) {
  const Access access{secrets_with("s"), "scrape"};
  EXPECT_EQ(refusal_of(access, Auth::metrics, head_with("Bearer scrape")), "admitted");
  EXPECT_EQ(refusal_of(access, Auth::token, head_with("Bearer scrape")), kNotValid);
  const Access without{secrets_with("s"), ""};
  EXPECT_EQ(refusal_of(without, Auth::metrics, head_with("Bearer ")), kNotValid);
}

TEST(LoginLimit, after_a_hundred_wrong_tries_an_address_waits_for_the_rest_of_the_minute) {
  LoginLimit limit;
  MonoTime now{std::chrono::hours{1}};
  for (int i = 0; i < LoginLimit::kMaxWrongTries; ++i) {
    EXPECT_FALSE(limit.wait_of("192.0.2.1", now).has_value());
    limit.count_wrong_try("192.0.2.1", now);
  }
  now += std::chrono::seconds{20};
  EXPECT_EQ(limit.wait_of("192.0.2.1", now), std::chrono::seconds{40});
  EXPECT_FALSE(limit.wait_of("192.0.2.2", now).has_value());
  now += std::chrono::seconds{40};
  EXPECT_FALSE(limit.wait_of("192.0.2.1", now).has_value());
  limit.count_wrong_try("192.0.2.1", now);
  EXPECT_FALSE(limit.wait_of("192.0.2.1", now).has_value());
}

TEST(LoginLimit, the_addresses_of_one_customer_count_together) {
  LoginLimit limit;
  const MonoTime now{std::chrono::hours{1}};
  for (int i = 0; i < LoginLimit::kMaxWrongTries; ++i) {
    limit.count_wrong_try("2001:db8::" + std::to_string(i), now);
  }
  EXPECT_TRUE(limit.wait_of("2001:db8::ffff", now).has_value());
  EXPECT_FALSE(limit.wait_of("2001:db8:0:1::1", now).has_value());
}

TEST(LoginLimit, a_flood_of_addresses_does_not_free_the_latest) {
  LoginLimit limit;
  MonoTime now{std::chrono::hours{1}};
  for (int i = 0; i < 2 * static_cast<int>(LoginLimit::kMaxAddresses); ++i) {
    now += std::chrono::microseconds{1};
    limit.count_wrong_try("address " + std::to_string(i), now);
  }
  for (int i = 0; i < LoginLimit::kMaxWrongTries; ++i) {
    limit.count_wrong_try("192.0.2.1", now);
  }
  EXPECT_TRUE(limit.wait_of("192.0.2.1", now).has_value());
}

}  // namespace
}  // namespace dispatcher
