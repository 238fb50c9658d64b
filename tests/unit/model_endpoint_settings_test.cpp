// Promise: what an endpoint was told is kept as it was said, what it was not told follows the
// program's settings, records of a later version can be read, and keys that were rotated out sign
// for the overlap and no longer.
#include "model/endpoint_settings.hpp"

#include "model/endpoint_limits.hpp"

#include <gtest/gtest.h>

namespace dispatcher {
namespace {

using namespace std::chrono_literals;

constexpr WallTime kNow{std::chrono::sys_days{std::chrono::year{2026} / 1 / 1}};

EndpointSettings everything() {
  EndpointSettings settings;
  settings.description = "orders \"of\" the shop, größer";
  settings.body = BodyFormat::standard;
  settings.concurrency = 3;
  settings.rate_per_second = 2.5;
  settings.timeout = 1500ms;
  settings.retries = 0;
  settings.schedule = {60s, 3600s};
  return settings;
}

TEST(EndpointSettings, everything_said_is_read_back) {
  const auto read = decode_settings(encode_settings(everything()));
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->description, everything().description);
  EXPECT_EQ(read->body, BodyFormat::standard);
  EXPECT_EQ(read->concurrency, 3);
  EXPECT_EQ(read->rate_per_second, 2.5);
  EXPECT_EQ(read->timeout, 1500ms);
  EXPECT_EQ(read->retries, 0);
  EXPECT_EQ(read->schedule, (std::vector{60s, 3600s}));
}

TEST(EndpointSettings, what_was_not_said_stays_unsaid) {
  EXPECT_EQ(encode_settings({}), R"({"description":"","body":"event"})");
  for (const std::string_view json : {R"({})", R"({"retries":null,"schedule_seconds":null})"}) {
    const auto read = decode_settings(json);
    ASSERT_TRUE(read.has_value()) << json;
    EXPECT_EQ(read->body, BodyFormat::event);
    EXPECT_FALSE(read->concurrency || read->rate_per_second || read->timeout || read->retries ||
                 read->schedule);
  }
  EndpointSettings none_at_all;
  none_at_all.schedule.emplace();
  EXPECT_EQ(decode_settings(encode_settings(none_at_all))->schedule->size(), 0U);
}

TEST(EndpointSettings, what_a_later_version_added_is_left_alone) {
  const auto read = decode_settings(R"({"colour":{"a":[1]},"retries":7})");
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->retries, 7);
  const auto secrets = decode_secrets(
      R"({"url":"https://a.test/x","new":1,"headers":[{"name":"a","value":"b","kind":2}]})");
  ASSERT_TRUE(secrets.has_value());
  EXPECT_EQ(secrets->headers.front().value, "b");
}

TEST(EndpointSettings, what_cannot_be_read_is_refused_without_being_shown) {
  for (const std::string_view json :
       {"", "[]", "hunter2", R"({"body":"hunter2"})", R"({"retries":-1})", R"({"retries":1.5})",
        R"({"retries":"7"})", R"({"schedule_seconds":["hunter2"]})", R"({"description":7})",
        R"({"concurrency":99999999999})"}) {
    const auto read = decode_settings(json);
    ASSERT_FALSE(read.has_value()) << json;
    EXPECT_EQ(read.error().message.find("hunter2"), std::string::npos);
  }
  for (const std::string_view json :
       {R"({"url":7})", R"({"headers":["hunter2"]})", R"({"headers":[{"name":"a"}]})",
        R"({"signing_keys":[{"key":"hunter2!"}]})", R"({"signing_keys":[{}]})",
        R"({"signing_keys":{"key":"aGk="}})"}) {
    const auto read = decode_secrets(json);
    ASSERT_FALSE(read.has_value()) << json;
    EXPECT_EQ(read.error().message.find("hunter2"), std::string::npos);
  }
}

TEST(EndpointSecrets, everything_said_is_read_back) {
  EndpointSecrets secrets;
  secrets.url = "https://user:pass@hooks.example.com/a?b=c";
  secrets.headers = {{"X-One", "1"}, {"X-Two", "zwei: größer\t"}};
  secrets.signing_keys = {{std::string{"\0raw\xff", 5}, std::nullopt}, {"old", kNow}};
  const auto read = decode_secrets(encode_secrets(secrets));
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->url, secrets.url);
  ASSERT_EQ(read->headers.size(), 2U);
  EXPECT_EQ(read->headers[1].name, "X-Two");
  EXPECT_EQ(read->headers[1].value, secrets.headers[1].value);
  ASSERT_EQ(read->signing_keys.size(), 2U);
  EXPECT_EQ(read->signing_keys[0].bytes, secrets.signing_keys[0].bytes);
  EXPECT_EQ(read->signing_keys[0].until, std::nullopt);
  EXPECT_EQ(read->signing_keys[1].until, kNow);
}

TEST(MakeEndpoint, takes_from_the_program_what_the_endpoint_was_not_told) {
  DeliveryDefaults defaults;
  defaults.concurrency = 9;
  defaults.timeout = 7s;
  defaults.retry.retries = 5;
  defaults.retry.base = 2s;
  defaults.retry.schedule = {1s};
  const Endpoint plain = make_endpoint({}, {}, defaults);
  EXPECT_EQ(plain.concurrency, 9);
  EXPECT_EQ(plain.timeout, 7s);
  EXPECT_EQ(plain.retry.retries, 5);
  EXPECT_EQ(plain.retry.schedule, std::vector{1s});
  const Endpoint told = make_endpoint({}, everything(), defaults);
  EXPECT_EQ(told.concurrency, 3);
  EXPECT_EQ(told.timeout, 1500ms);
  EXPECT_EQ(told.retry.retries, 0);
  EXPECT_EQ(told.retry.base, 2s);
  EXPECT_EQ(told.retry.schedule, (std::vector{60s, 3600s}));
  EXPECT_EQ(told.rate_per_second, 2.5);
}

TEST(AddSecrets, a_url_that_is_none_is_refused_without_being_shown) {
  Endpoint endpoint;
  EXPECT_TRUE(add_secrets(endpoint, {"https://a.test/x", {{"X-One", "1"}}, {}}).has_value());
  EXPECT_EQ(endpoint.url.host, "a.test");
  EXPECT_EQ(endpoint.headers.size(), 1U);
  const auto refused = add_secrets(endpoint, {"hunter2", {}, {}});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().message.find("hunter2"), std::string::npos);
}

TEST(RotateSigningKey, the_old_key_signs_for_the_overlap) {
  std::vector<SigningKey> keys{{"first", std::nullopt}};
  rotate_signing_key(keys, "second", kNow, 24h);
  ASSERT_EQ(keys.size(), 2U);
  EXPECT_EQ(keys[0].bytes, "second");
  EXPECT_EQ(keys[0].until, std::nullopt);
  EXPECT_EQ(keys[1].until, kNow + 24h);
  // A key on its way out is not kept longer by the next rotation, but may go sooner.
  rotate_signing_key(keys, "third", kNow + 1h, 48h);
  EXPECT_EQ(keys[2].until, kNow + 24h);
  rotate_signing_key(keys, "fourth", kNow + 2h, 1h);
  EXPECT_EQ(keys[3].until, kNow + 3h);
  rotate_signing_key(keys, "fifth", kNow + 3h, 1h);
  EXPECT_EQ(keys.size(), 2U);
}

TEST(RotateSigningKey, no_overlap_ends_the_old_key_at_once) {
  std::vector<SigningKey> keys{{"first", std::nullopt}};
  rotate_signing_key(keys, "second", kNow, 0s);
  ASSERT_EQ(keys.size(), 1U);
  EXPECT_EQ(keys[0].bytes, "second");
}

TEST(RotateSigningKey, keys_do_not_pile_up) {
  std::vector<SigningKey> keys;
  for (int i = 0; i < 50; ++i) {
    rotate_signing_key(keys, std::to_string(i), kNow, 24h);
  }
  ASSERT_EQ(keys.size(), endpoint_limits::kMaxSigningKeys);
  EXPECT_EQ(keys.front().bytes, "49");
}

}  // namespace
}  // namespace dispatcher
