// Promises: the secret's URLs become endpoints whose ids follow the URL, and no error about one of
// them shows it.
#include "hosts/secret_endpoints.hpp"

#include <gtest/gtest.h>

namespace dispatcher {
namespace {

TEST(SecretEndpoints, ids_follow_the_url_and_not_its_place) {
  const auto one = make_secret_endpoints({"https://a.test/1", "https://b.test/2"}, {});
  const auto other = make_secret_endpoints({"https://b.test/2", "https://a.test/1"}, {});
  ASSERT_TRUE(one && other);
  EXPECT_EQ(one->endpoints[0].id, other->endpoints[1].id);
  EXPECT_EQ(one->endpoints[1].id, other->endpoints[0].id);
  // printf %s https://a.test/1 | sha256sum
  EXPECT_EQ(one->endpoints[0].id, "secret-f80e8e58");
}

TEST(SecretEndpoints, a_url_given_twice_is_one_endpoint) {
  const auto made = make_secret_endpoints({"https://a.test/1", "https://a.test/1"}, {});
  ASSERT_TRUE(made);
  EXPECT_EQ(made->endpoints.size(), 1U);
  EXPECT_EQ(made->url_hashes.size(), 1U);
}

TEST(SecretEndpoints, a_bad_url_is_named_by_its_place_and_not_shown) {
  const auto made = make_secret_endpoints({"https://a.test/1", "hunter2-not-a-url"}, {});
  ASSERT_FALSE(made);
  EXPECT_NE(made.error().message.find("webhook URL 2 of 2"), std::string::npos);
  EXPECT_EQ(made.error().message.find("hunter2"), std::string::npos);
}

TEST(SecretEndpoints, the_webhook_secret_signs_for_each) {
  EndpointDefaults defaults;
  defaults.webhook_secret = "whsec_aGVsbG8=";
  const auto made = make_secret_endpoints({"https://a.test/1", "https://b.test/2"}, defaults);
  ASSERT_TRUE(made);
  for (const Endpoint& endpoint : made->endpoints) {
    ASSERT_EQ(endpoint.signing_keys.size(), 1U);
    EXPECT_EQ(endpoint.signing_keys.front().bytes, "hello");
    EXPECT_EQ(endpoint.signing_keys.front().until, std::nullopt);
  }
}

TEST(SecretEndpoints, a_webhook_secret_that_cannot_be_read_is_refused_unseen) {
  EndpointDefaults defaults;
  defaults.webhook_secret = "whsec_!!hunter2!!";
  const auto made = make_secret_endpoints({"https://a.test/1"}, defaults);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().message.find("hunter2"), std::string::npos);
  EXPECT_NE(made.error().message.find("zapier_webhook_secret"), std::string::npos);
}

}  // namespace
}  // namespace dispatcher
