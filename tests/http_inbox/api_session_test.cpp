// Promises: the token of a Triggers API is fetched with the first call, kept, and renewed once when
// it is refused or about to end; a key that is not accepted is said, and never shown.
#include "adapters/http_inbox/api_session.hpp"

#include "base/bytes.hpp"
#include "http_inbox/scripted.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <boost/asio/experimental/awaitable_operators.hpp>

#include <algorithm>

namespace dispatcher {
namespace {

using namespace test;
using namespace boost::asio::experimental::awaitable_operators;

std::string header(const HttpRequest& request, std::string_view name) {
  for (const HttpHeader& one : request.headers) {
    if (one.name == name) {
      return one.value;
    }
  }
  return "";
}

std::string jwt_ending(WallTime end) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(end).time_since_epoch().count();
  return "e30." + to_base64url(fmt::format(R"({{"sub":"api","exp":{}}})", seconds)) + ".c2ln";
}

class ApiSessionTest : public testing::Test {
 protected:
  ApiSessionTest() {
    http.answer = [this](const HttpRequest& request) { return serve(request); };
  }

  Exchange serve(const HttpRequest& request) {
    if (request.url.target == "/base/token") {
      ++tokens_given;
      current = next_token.empty() ? fmt::format("token-{}", tokens_given) : next_token;
      return answered(200,
                      fmt::format(R"({{"access_token":"{}","token_type":"bearer"}})", current));
    }
    const bool is_good = !refuses_all && header(request, "Authorization") == "Bearer " + current;
    return is_good ? answered(200, "[]") : answered(401, R"({"detail":"no"})");
  }

  static ApiAccess access() {
    ApiAccess access;
    access.base = *parse_webhook_url("https://api.example.com:8443/base");
    access.api_key = "key with +&=% in it";
    access.user_agent = "EventDispatcher/1";
    return access;
  }

  Result<Answer> get(std::string path) {
    TriggersRequest request;
    request.path = std::move(path);
    return await(session.request(request));
  }

  ManualClock clock;
  ScriptedHttp http;
  ApiSession session{http, clock, access()};
  std::string current;
  std::string next_token;
  int tokens_given = 0;
  bool refuses_all = false;
};

TEST_F(ApiSessionTest, what_may_not_be_done_twice_has_a_connection_of_its_own) {
  EXPECT_EQ(get("/inbox")->status, 200);
  EXPECT_GT(http.requests.back().max_idle_connections, 0U);
  TriggersRequest request;
  request.method = "POST";
  request.path = "/events";
  request.is_repeatable = false;
  EXPECT_EQ(await(session.request(request))->status, 200);
  EXPECT_EQ(http.requests.back().max_idle_connections, 0U);
}

TEST_F(ApiSessionTest, the_token_is_fetched_once_and_every_call_carries_it) {
  EXPECT_EQ(get("/inbox?limit=1")->status, 200);
  EXPECT_EQ(get("/inbox?limit=2")->status, 200);
  EXPECT_EQ(tokens_given, 1);
  ASSERT_EQ(http.requests.size(), 3U);
  EXPECT_EQ(http.requests[1].url.target, "/base/inbox?limit=1");
  EXPECT_EQ(header(http.requests[2], "Authorization"), "Bearer token-1");
  EXPECT_FALSE(http.requests[1].is_webhook);
  EXPECT_TRUE(http.requests[1].needs_whole_body);
}

TEST_F(ApiSessionTest, the_key_is_sent_as_a_form) {
  (void)get("/inbox");
  EXPECT_EQ(http.requests[0].method, "POST");
  EXPECT_EQ(header(http.requests[0], "Content-Type"), "application/x-www-form-urlencoded");
  EXPECT_EQ(http.requests[0].body,
            "grant_type=password&username=api&password=key%20with%20%2B%26%3D%25%20in%20it");
}

TEST_F(ApiSessionTest, a_401_renews_the_token_once_and_repeats_the_call) {
  (void)get("/inbox");
  current = "another";  // the service has forgotten the first one
  EXPECT_EQ(get("/inbox")->status, 200);
  EXPECT_EQ(tokens_given, 2);
}

TEST_F(ApiSessionTest, a_second_401_ends_in_a_clear_refusal) {
  refuses_all = true;
  const auto answer = get("/inbox");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ErrorKind::refused);
  EXPECT_NE(answer.error().message.find("https://api.example.com:8443"), std::string::npos);
  EXPECT_EQ(tokens_given, 2);
}

TEST_F(ApiSessionTest, calls_side_by_side_share_one_renewal) {
  TriggersRequest request;
  request.path = "/inbox";
  const auto both = [&]() -> boost::asio::awaitable<int> {
    const auto [a, b, c] =
        co_await (session.request(request) && session.request(request) && session.request(request));
    co_return a->status + b->status + c->status;
  };
  EXPECT_EQ(await(both()), 600);
  EXPECT_EQ(tokens_given, 1);
  current = "another";
  EXPECT_EQ(await(both()), 600);
  EXPECT_EQ(tokens_given, 2);
}

TEST_F(ApiSessionTest, a_token_about_to_end_is_renewed_before_it_is_refused) {
  next_token = jwt_ending(clock.wall() + std::chrono::hours{24});
  (void)get("/inbox");
  clock.advance(std::chrono::hours{23});
  (void)get("/inbox");
  EXPECT_EQ(tokens_given, 1);
  clock.advance(std::chrono::minutes{59} + std::chrono::seconds{30});
  next_token = jwt_ending(clock.wall() + std::chrono::hours{24});
  EXPECT_EQ(get("/inbox")->status, 200);
  EXPECT_EQ(tokens_given, 2);
}

TEST_F(ApiSessionTest, a_token_shorter_than_our_margin_is_used_all_the_same) {
  next_token = jwt_ending(clock.wall() + std::chrono::seconds{10});
  (void)get("/inbox");
  EXPECT_EQ(get("/inbox")->status, 200);
  EXPECT_EQ(tokens_given, 1);
}

TEST_F(ApiSessionTest, a_wrong_key_is_refused_and_not_shown) {
  http.answer = [](const HttpRequest&) { return answered(401, "{}"); };
  const auto answer = get("/inbox");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ErrorKind::refused);
  EXPECT_EQ(answer.error().message.find("key with"), std::string::npos);
  EXPECT_EQ(http.requests.size(), 1U);
}

TEST_F(ApiSessionTest, something_else_than_an_api_is_told_apart) {
  for (const std::string_view body : {"<html>", "{}", R"({"access_token":7})",
                                      R"({"access_token":"a\r\nb"})", R"({"access_token":""})"}) {
    http.answer = [&](const HttpRequest&) { return answered(200, std::string{body}); };
    ApiSession fresh{http, clock, access()};
    TriggersRequest request;
    request.path = "/inbox";
    const auto answer = await(fresh.request(request));
    ASSERT_FALSE(answer) << body;
    EXPECT_EQ(answer.error().kind, ErrorKind::refused) << body;
  }
}

TEST_F(ApiSessionTest, a_service_that_cannot_be_reached_may_be_asked_later) {
  http.answer = [](const HttpRequest&) { return failed(FailureKind::connect); };
  EXPECT_EQ(get("/inbox").error().kind, ErrorKind::retry_later);
  http.answer = [](const HttpRequest&) { return answered(503, ""); };
  EXPECT_EQ(get("/inbox").error().kind, ErrorKind::retry_later);
  http.answer = [](const HttpRequest&) { return failed(FailureKind::aborted); };
  EXPECT_EQ(get("/inbox").error().kind, ErrorKind::stopped);
}

class ApiSessionWithKeys : public ApiSessionTest {
 protected:
  ApiSessionWithKeys() {
    auto with_keys = access();
    with_keys.api_key = "old";
    with_keys.read_key = [this](MonoTime) -> boost::asio::awaitable<std::optional<std::string>> {
      ++keys_read;
      co_return key_kept;
    };
    rotating.emplace(http, clock, std::move(with_keys));
    http.answer = [this](const HttpRequest& request) {
      const bool is_login = request.url.target == "/base/token";
      if (is_login && !request.body.ends_with("password=" + key_accepted)) {
        return answered(login_refusal, "{}");
      }
      return serve(request);
    };
  }

  Result<Answer> get(std::string path) {
    TriggersRequest request;
    request.path = std::move(path);
    return await(rotating->request(request));
  }

  std::optional<ApiSession> rotating;
  std::optional<std::string> key_kept = "old";
  std::string key_accepted = "old";
  int login_refusal = 401;
  int keys_read = 0;
};

TEST_F(ApiSessionWithKeys, a_key_that_is_refused_is_read_again_and_the_call_goes_on) {
  for (const int refusal : {401, 403}) {
    login_refusal = refusal;
    current = "forgotten";
    key_kept = key_accepted = fmt::format("new-{}", refusal);
    EXPECT_EQ(get("/inbox")->status, 200);
    clock.advance(ApiSession::kKeyPause);
  }
  EXPECT_EQ(keys_read, 2);
}

TEST_F(ApiSessionWithKeys,
       a_new_token_that_is_refused_makes_it_ask_for_the_key_but_not_all_the_time) {
  refuses_all = true;
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(get("/inbox").error().kind, ErrorKind::refused);
  }
  EXPECT_EQ(keys_read, 1);
  clock.advance(ApiSession::kKeyPause);
  EXPECT_FALSE(get("/inbox"));
  EXPECT_EQ(keys_read, 2);
}

TEST_F(ApiSessionWithKeys, a_403_that_stays_is_the_answer) {
  http.answer = [this](const HttpRequest& request) {
    return request.url.target == "/base/token" ? serve(request) : answered(403, "not yours");
  };
  const auto answer = get("/inbox");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 403);
  EXPECT_EQ(answer->body, "not yours");
}

TEST_F(ApiSessionWithKeys, another_key_to_use_gives_up_the_token_and_the_same_one_keeps_it) {
  EXPECT_EQ(get("/inbox")->status, 200);
  rotating->use_key("old");
  EXPECT_EQ(get("/inbox")->status, 200);
  EXPECT_EQ(tokens_given, 1);
  key_accepted = "other";
  rotating->use_key("other");
  EXPECT_EQ(get("/inbox")->status, 200);
  EXPECT_EQ(tokens_given, 2);
  EXPECT_EQ(keys_read, 0);
}

TEST(token_end, is_read_from_the_claims_and_else_unknown) {
  const WallTime end = *parse_timestamp("2024-02-03T04:05:06Z");
  EXPECT_EQ(token_end(jwt_ending(end)), end);
  for (const char* token : {"", "opaque", "a.b", "a.b.c", "e30.e30.e30", "..",
                            "e30.eyJleHAiOiJ4In0.x", "e30.eyJleHAiOi0xfQ.x"}) {
    EXPECT_EQ(token_end(token), std::nullopt) << token;
  }
}

}  // namespace
}  // namespace dispatcher
