// Promise: what is signed is what receivers of Standard Webhooks and of X-Webhook-Signature check,
// and what is checked cannot be forged, replayed late or confused.
#include "model/signature.hpp"

#include "base/bytes.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace dispatcher {
namespace {

// The example of the Standard Webhooks libraries.
constexpr std::string_view kSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
constexpr std::string_view kId = "msg_p5jXN8AQM9LWM0D4loKWxJek";
constexpr std::int64_t kTimestamp = 1614265330;
constexpr std::string_view kBody = R"({"test": 2432232314})";
constexpr std::string_view kSignature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

WallTime at(std::int64_t seconds) {
  return wall_from_micros(seconds * 1'000'000);
}

std::vector<std::string> keys_of(std::string_view secret) {
  return {parse_signing_secret(secret).value()};
}

Result<void> verify(std::string_view signatures, std::string_view timestamp = "1614265330",
                    WallTime now = at(kTimestamp), std::string_view body = kBody,
                    std::string_view id = kId) {
  const StandardHeaders headers{.id = id, .timestamp = timestamp, .signatures = signatures};
  return verify_standard(keys_of(kSecret), headers, body, now);
}

TEST(Signature, the_published_example_comes_out) {
  EXPECT_EQ(sign_standard(keys_of(kSecret)[0], kId, kTimestamp, kBody), kSignature);
}

TEST(Signature, the_hex_signature_is_that_of_openssl) {
  // printf '{"a":1}' | openssl dgst -sha256 -hmac secret
  EXPECT_EQ(sign_body("secret", R"({"a":1})"),
            "aa9e2e3575f5d7098b6caccd790888c36d5fdb63342a73bada2d6a51747a8494");
}

TEST(Signature, a_secret_with_the_prefix_is_base64_and_any_other_is_the_key_itself) {
  EXPECT_EQ(parse_signing_secret("whsec_c2VjcmV0").value(), "secret");
  EXPECT_EQ(parse_signing_secret("c2VjcmV0").value(), "c2VjcmV0");
}

TEST(Signature, an_empty_secret_and_bad_base64_are_refused_without_showing_them) {
  EXPECT_EQ(parse_signing_secret("").error().kind, ErrorKind::invalid);
  EXPECT_EQ(parse_signing_secret("whsec_").error().kind, ErrorKind::invalid);
  const auto bad = parse_signing_secret("whsec_!hidden!");
  ASSERT_TRUE(bad.has_error());
  EXPECT_EQ(bad.error().message.find("hidden"), std::string::npos);
}

TEST(Signature, rotated_keys_sign_once_each_and_either_is_enough) {
  const std::array<std::string_view, 2> keys{"new", "old"};
  const std::string all = standard_signatures(keys, kId, kTimestamp, kBody);
  EXPECT_EQ(all, sign_standard("new", kId, kTimestamp, kBody) + " " +
                     sign_standard("old", kId, kTimestamp, kBody));
  const StandardHeaders headers{.id = kId, .timestamp = "1614265330", .signatures = all};
  for (const std::string_view key : keys) {
    const std::array<std::string, 1> one{std::string{key}};
    EXPECT_TRUE(verify_standard(one, headers, kBody, at(kTimestamp)).has_value());
  }
  const std::array<std::string, 1> other{"other"};
  EXPECT_FALSE(verify_standard(other, headers, kBody, at(kTimestamp)).has_value());
}

TEST(Signature, the_right_signature_is_found_among_others_and_other_versions) {
  EXPECT_TRUE(verify(kSignature).has_value());
  EXPECT_TRUE(verify("v1a,AAAA v1,AAAA " + std::string{kSignature}).has_value());
  EXPECT_TRUE(verify(std::string{kSignature} + "  v2,x ").has_value());
}

TEST(Signature, a_change_of_id_time_or_body_is_refused) {
  EXPECT_FALSE(verify(kSignature, "1614265331").has_value());
  EXPECT_FALSE(verify(kSignature, "1614265330", at(kTimestamp), "{}").has_value());
  EXPECT_FALSE(verify(kSignature, "1614265330", at(kTimestamp), kBody, "msg_other").has_value());
}

TEST(Signature, a_time_is_accepted_up_to_five_minutes_away_and_no_further) {
  EXPECT_TRUE(verify(kSignature, "1614265330", at(kTimestamp + 300)).has_value());
  EXPECT_TRUE(verify(kSignature, "1614265330", at(kTimestamp - 300)).has_value());
  EXPECT_FALSE(verify(kSignature, "1614265330", at(kTimestamp + 301)).has_value());
  EXPECT_FALSE(verify(kSignature, "1614265330", at(kTimestamp - 301)).has_value());
}

TEST(Signature, garbage_in_the_headers_is_refused) {
  for (const char* timestamp : {"", "now", "-1", "1614265330.5", "16142653301614265330999", " 1"}) {
    EXPECT_FALSE(verify(kSignature, timestamp).has_value()) << timestamp;
  }
  for (const char* signatures : {"", " ", "v1", "v1,", "v1,,", "g0hM9SsE"}) {
    EXPECT_FALSE(verify(signatures).has_value()) << signatures;
  }
}

TEST(Signature, no_more_than_sixteen_signatures_are_looked_at) {
  std::string many;
  for (int i = 0; i < 16; ++i) {
    many += "v1,AAAA ";
  }
  EXPECT_FALSE(verify(many + std::string{kSignature}).has_value());
}

TEST(Signature, the_hex_signature_is_checked_in_lower_case_against_every_key) {
  const std::array<std::string, 2> keys{"other", "secret"};
  EXPECT_TRUE(verify_body(keys, sign_body("secret", "x"), "x"));
  EXPECT_FALSE(verify_body(keys, sign_body("secret", "x"), "y"));
  EXPECT_FALSE(verify_body(keys, "", "x"));
  EXPECT_FALSE(verify_body({}, sign_body("secret", "x"), "x"));
}

}  // namespace
}  // namespace dispatcher
