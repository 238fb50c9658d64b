// Promise: endpoints are shown in the contract's words and order, their secrets masked unless they
// are to be revealed, and a signing secret once.
#include "api_fixture.hpp"

#include "model/signature.hpp"

#include <chrono>

namespace dispatcher {
namespace {

using namespace std::chrono_literals;

class ApiEndpoints : public ApiFixture {
 protected:
  ApiEndpoints() { load_key(); }

  ServerAnswer call(std::string method, std::string path, std::string body = {}) {
    return serve(head_of(std::move(method), std::move(path)), std::move(body));
  }

  // The id of a new endpoint.
  std::string create(
      const std::string& body = R"({"url":"https://hooks.example.com/T0/hunter2"})") {
    const ServerAnswer made = call("POST", "/endpoints", body);
    EXPECT_EQ(made.status, 201) << made.body;
    return store.records.back().id;
  }
};

TEST_F(ApiEndpoints, a_new_endpoint_is_shown_whole_with_its_secret_this_once) {
  const ServerAnswer made = call("POST", "/endpoints",
                                 R"({"url":"https://hooks.example.com:8443/T0/hunter2","headers":)"
                                 R"({"X-Key":"hunter3"},"description":"d","timeout_seconds":2.5})");
  EXPECT_EQ(made.status, 201);
  ASSERT_EQ(store.records.size(), 1U);
  const std::string id = store.records.front().id;
  const std::string secret = format_signing_secret(runtime.find(id)->signing_keys.front().bytes);
  const std::string whole =
      R"({"id":")" + id +
      R"(","url":"https://hooks.example.com:8443/***","description":"d","state":"active",)"
      R"("state_reason":null,"types":["*"],"sources":["*"],"body":"event",)"
      R"("headers":{"X-Key":"***"},"concurrency":64,"rate_per_second":null,)"
      R"("timeout_seconds":2.5,"retries":3,)"
      R"("schedule_seconds":[300,1800,7200,18000,36000,50400,72000,86400],)"
      R"("breaker":"closed","failing_since":null,"created_at":"2026-01-01T00:00:00.000000Z",)"
      R"("updated_at":"2026-01-01T00:00:00.000000Z","stats":{"delivered":0,"failed":0,)"
      R"("waiting":0,"review":0,"oldest_waiting":null,"p50_ms":null,"p99_ms":null})";
  EXPECT_EQ(made.body, whole + R"(,"secret":")" + secret + R"("})");
  EXPECT_EQ(call("GET", "/endpoints/" + id).body, whole + "}");
}

TEST_F(ApiEndpoints, a_secret_of_ones_own_is_taken) {
  const std::string id =
      create(R"({"url":"https://a.test/x","secret":"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"})");
  EXPECT_EQ(format_signing_secret(runtime.find(id)->signing_keys.front().bytes),
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
}

TEST_F(ApiEndpoints, only_reveal_shows_the_url_and_the_headers) {
  const std::string id =
      create(R"({"url":"https://u:hunter4@a.test/hunter2","headers":{"X-Key":"hunter3"}})");
  for (const std::string& path : {"/endpoints/" + id, std::string{"/endpoints"}}) {
    EXPECT_EQ(call("GET", path).body.find("hunter"), std::string::npos);
    EXPECT_EQ(call("GET", path + "?reveal=false").body.find("hunter"), std::string::npos);
    const std::string revealed = call("GET", path + "?reveal=true").body;
    EXPECT_NE(revealed.find(R"("url":"https://u:hunter4@a.test/hunter2")"), std::string::npos);
    EXPECT_NE(revealed.find(R"("headers":{"X-Key":"hunter3"})"), std::string::npos);
    EXPECT_EQ(revealed.find("whsec_"), std::string::npos);
    EXPECT_EQ(call("GET", path + "?reveal=please").status, 422);
  }
}

TEST_F(ApiEndpoints, what_is_known_of_the_deliveries_is_shown) {
  const std::string id = create();
  store.has_waiting = true;
  EndpointHealth health;
  health.number = store.records.front().number;
  health.breaker = BreakerState::half_open;
  health.p50 = 12ms;
  health.p99 = 340ms;
  runtime.known_health = {EndpointHealth{}, health};
  const std::string shown = call("GET", "/endpoints/" + id).body;
  EXPECT_NE(shown.find(R"("breaker":"half_open")"), std::string::npos);
  EXPECT_NE(shown.find(R"("waiting":3,"review":1,"oldest_waiting":null,"p50_ms":12,"p99_ms":340})"),
            std::string::npos);
}

TEST_F(ApiEndpoints, one_that_a_429_holds_says_until_when) {
  const std::string id = create();
  EndpointHealth health;
  health.number = store.records.front().number;
  health.paused_until = WallTime{1'700'000'000s};
  runtime.known_health = {health};
  EXPECT_NE(call("GET", "/endpoints/" + id)
                .body.find(R"("state":"active","state_reason":"429 with Retry-After: nothing is )"
                           R"(sent until 2023-11-14T22:13:20.000000Z")"),
            std::string::npos);
  EXPECT_NE(call("POST", "/endpoints/" + id + "/pause")
                .body.find(R"("state":"paused","state_reason":null)"),
            std::string::npos);
}

TEST_F(ApiEndpoints, lists_page_in_the_order_of_making) {
  std::vector<std::string> ids;
  for (int i = 0; i < 5; ++i) {
    ids.push_back(create());
  }
  std::string cursor;
  std::vector<std::string> pages;
  do {
    pages.push_back(call("GET", "/endpoints?limit=2" + cursor).body);
    const auto at = pages.back().rfind(R"("next_cursor":)");
    const std::string next = pages.back().substr(at + 14);
    cursor = next == "null}" ? "" : "&cursor=" + next.substr(1, next.size() - 3);
  } while (!cursor.empty() && pages.size() < 10);
  ASSERT_EQ(pages.size(), 3U);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    EXPECT_NE(pages[i / 2].find(ids[i]), std::string::npos) << i;
  }
  EXPECT_EQ(call("GET", "/endpoints?limit=0").status, 422);
  EXPECT_EQ(call("GET", "/endpoints?cursor=x").status, 422);
}

TEST_F(ApiEndpoints, a_list_ends_before_it_grows_past_its_bytes) {
  const std::string value(6000, 'v');
  for (int i = 0; i < 350; ++i) {
    (void)create(R"({"url":"https://a.test/)" + value + R"(","headers":{"A":")" +
                 value.substr(0, 3000) + R"(","B":")" + value.substr(0, 3000) + R"("}})");
  }
  const ServerAnswer page = call("GET", "/endpoints?limit=1000&reveal=true");
  EXPECT_LT(page.body.size(), kMaxListBytes + 16'384);
  EXPECT_EQ(page.body.find(R"("next_cursor":null)"), std::string::npos);
}

TEST_F(ApiEndpoints, a_change_shows_what_it_made) {
  const std::string id = create();
  clock.advance(1s);
  const ServerAnswer changed =
      call("PATCH", "/endpoints/" + id, R"({"types":["order.*"],"rate_per_second":5})");
  EXPECT_EQ(changed.status, 200);
  EXPECT_NE(changed.body.find(R"("types":["order.*"])"), std::string::npos);
  EXPECT_NE(changed.body.find(R"("rate_per_second":5,)"), std::string::npos);
  EXPECT_NE(changed.body.find(R"("updated_at":"2026-01-01T00:00:01.000000Z")"), std::string::npos);
  EXPECT_EQ(runtime.find(id)->filter.types, std::vector<std::string>{"order.*"});
  EXPECT_EQ(call("PATCH", "/endpoints/" + id, R"({"retries":-1})").status, 422);
  EXPECT_EQ(call("PATCH", "/endpoints/ep_none", "{}").body,
            R"({"detail":"Endpoint with ID ep_none not found"})");
}

TEST_F(ApiEndpoints, a_body_that_is_no_object_is_not_shown) {
  const ServerAnswer answer = call("POST", "/endpoints", R"("https://a.test/hunter2")");
  EXPECT_EQ(answer.status, 422);
  EXPECT_EQ(answer.body.find("hunter2"), std::string::npos);
  EXPECT_EQ(
      call("POST", "/endpoints").body,
      R"({"detail":[{"type":"missing","loc":["body"],"msg":"Field required","input":null}]})");
  RequestHead head = head_of("POST", "/endpoints");
  head.headers.push_back({"content-type", "text/plain"});
  EXPECT_EQ(serve(std::move(head), "https://a.test/hunter2").body.find("hunter2"),
            std::string::npos);
}

TEST_F(ApiEndpoints, pausing_and_resuming_show_the_state) {
  const std::string id = create();
  EXPECT_NE(call("POST", "/endpoints/" + id + "/pause").body.find(R"("state":"paused")"),
            std::string::npos);
  EXPECT_NE(call("POST", "/endpoints/" + id + "/resume").body.find(R"("state":"active")"),
            std::string::npos);
}

TEST_F(ApiEndpoints, deleting_asks_what_becomes_of_what_waits) {
  const std::string id = create();
  store.has_waiting = true;
  const ServerAnswer refused = call("DELETE", "/endpoints/" + id);
  EXPECT_EQ(refused.status, 409);
  EXPECT_NE(refused.body.find("?waiting=discard"), std::string::npos);
  EXPECT_EQ(call("DELETE", "/endpoints/" + id + "?waiting=keep").status, 422);
  const ServerAnswer gone = call("DELETE", "/endpoints/" + id + "?waiting=discard");
  EXPECT_EQ(gone.status, 204);
  EXPECT_EQ(gone.body + gone.content_type, "");
  EXPECT_EQ(store.removal_note.by, "the-api-... from 192.0.2.1");
  EXPECT_EQ(call("DELETE", "/endpoints/" + id).status, 404);
}

TEST_F(ApiEndpoints, a_new_signing_secret_is_shown_once_and_the_old_one_goes_on_for_a_while) {
  const std::string id = create();
  const ServerAnswer rotated =
      call("POST", "/endpoints/" + id + "/rotate-secret", R"({"overlap_seconds":60})");
  const std::string secret = format_signing_secret(runtime.find(id)->signing_keys.front().bytes);
  EXPECT_EQ(rotated.status, 200);
  EXPECT_EQ(rotated.body, R"({"id":")" + id + R"(","secret":")" + secret +
                              R"(","previous_valid_until":"2026-01-01T00:01:00.000000Z"})");
  EXPECT_NE(call("POST", "/endpoints/" + id + "/rotate-secret").body.find("2026-01-02T00:00:00"),
            std::string::npos);
  EXPECT_EQ(call("POST", "/endpoints/" + id + "/rotate-secret", R"({"overlap_seconds":-1})").status,
            422);
}

TEST_F(ApiEndpoints, a_rotation_that_is_refused_does_not_show_what_may_be_a_secret) {
  const std::string path = "/endpoints/" + create() + "/rotate-secret";
  for (const std::string body : {R"({"secret":"hunter2"})", R"("hunter2")", R"(["hunter2"])",
                                 R"({"Secret":{"a":"hunter2"}})"}) {
    const ServerAnswer answer = call("POST", path, body);
    EXPECT_EQ(answer.status, 422) << body;
    EXPECT_EQ(answer.body.find("hunter2"), std::string::npos) << answer.body;
    EXPECT_NE(answer.body.find(R"("input":"***")"), std::string::npos) << answer.body;
  }
}

TEST_F(ApiEndpoints, a_test_that_cannot_run_now_is_to_be_asked_for_again) {
  const std::string id = create();
  runtime.test_answer.reset();
  const ServerAnswer answer = call("POST", "/endpoints/" + id + "/test");
  EXPECT_EQ(answer.status, 429);
  EXPECT_EQ(header_of(answer, "retry-after"), "1");
  EXPECT_TRUE(answer.body.starts_with(R"({"detail":)")) << answer.body;
}

TEST_F(ApiEndpoints, a_test_shows_the_exchange_with_its_secrets_masked) {
  const std::string id =
      create(R"({"url":"https://a.test/hunter2","headers":{"X-Key":"hunter3"}})");
  TestExchange& exchange = *runtime.test_answer;
  exchange.request.url = *parse_webhook_url("https://me:hunter4@a.test/hunter2");
  exchange.request.max_idle_connections = 1;
  exchange.request.headers = {{"webhook-signature", "v1,abc"}, {"x-key", "hunter3"}};
  exchange.request.body = "{}";
  exchange.attempt.number = 1;
  exchange.attempt.endpoint_id = id;
  exchange.attempt.outcome = Outcome::delivered;
  exchange.attempt.status = 200;
  exchange.attempt.response_body = "thanks";
  exchange.answer_headers = {{"Server", "x"}, {"Via", "a"}, {"via", "b"}};
  const ServerAnswer tested = call("POST", "/endpoints/" + id + "/test");
  EXPECT_EQ(tested.status, 200);
  EXPECT_EQ(tested.body,
            R"({"number":1,"endpoint_id":")" + id +
                R"(","started_at":"1970-01-01T00:00:00.000000Z","duration_ms":0,)"
                R"("outcome":"delivered","status":200,"error":null,"response_body":"thanks",)"
                R"("remote_address":"","request":{"method":"POST","url":"https://a.test/***",)"
                R"("headers":{"Host":"a.test","Authorization":"***","webhook-signature":"v1,abc",)"
                R"("x-key":"***","Content-Length":"2"},"body":"{}"},)"
                R"("response_headers":{"Server":"x","Via":"a, b"}})");
  EXPECT_NE(call("POST", "/endpoints/" + id + "/test?reveal=true").body.find("hunter3"),
            std::string::npos);
}

}  // namespace
}  // namespace dispatcher
