// Promises: each flag reaches its field of the API, and what the API finds wrong comes back by
// flag; a secret is shown once and in no error; a test shows the whole exchange, and fails unless
// answered 2xx.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "hosts/command_fixture.hpp"

namespace dispatcher {
namespace {

constexpr std::string_view kEndpoint =
    R"({"id":"ep_1","url":"https://h.test/…","description":"","state":"active","state_reason":null,)"
    R"("types":["a","b*"],"sources":["*"],"body":"event","headers":{"X-A":"…"},"concurrency":64,)"
    R"("rate_per_second":null,"timeout_seconds":30,"retries":3,"schedule_seconds":[300,1800],)"
    R"("breaker":"closed","failing_since":null,"created_at":"c","updated_at":"u",)"
    R"("stats":{"delivered":5,"failed":1,"waiting":70001,"review":2,"oldest_waiting":"o",)"
    R"("p50_ms":3,"p99_ms":9}})";

class EndpointsCommandTest : public CommandsTest {
 protected:
  EndpointsCommandTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "endpoints-XXXXXX").string();
    directory = ::mkdtemp(pattern.data());
  }
  ~EndpointsCommandTest() override { std::filesystem::remove_all(directory); }

  std::string file(const std::string& name, const std::string& content) {
    std::ofstream{directory + "/" + name} << content;
    return "@" + directory + "/" + name;
  }
  void answer(int status, std::string_view body) {
    api.answers.push_back(answer_of(status, std::string{body}));
  }

  std::string directory;
};

TEST_F(EndpointsCommandTest, add_sends_what_was_given_and_nothing_else) {
  answer(201, R"({"id":"ep_1","secret":"whsec_x"})");
  EXPECT_EQ(call({"endpoints", "add", "https://h.test/1"}), 0) << err.str();
  EXPECT_EQ(api.requests.at(0).method, "POST");
  EXPECT_EQ(api.requests.at(0).path, "/endpoints");
  EXPECT_EQ(api.requests.at(0).content_type, "application/json");
  EXPECT_EQ(api.requests.at(0).body, R"({"url":"https://h.test/1"})");
}

TEST_F(EndpointsCommandTest, every_flag_reaches_its_field) {
  answer(201, R"({"id":"ep_1","secret":"whsec_x"})");
  EXPECT_EQ(call({"endpoints",
                  "add",
                  "https://h.test/1",
                  "--description",
                  "my \"own\"",
                  "--type",
                  "a,b",
                  "--type",
                  "order.*",
                  "--source",
                  "shop",
                  "--body",
                  "standard",
                  "--header",
                  "X-A: 1, 2",
                  "--header",
                  "X-B:c:d",
                  "--concurrency",
                  "8",
                  "--rate",
                  "0.5",
                  "--timeout",
                  "250ms",
                  "--retries",
                  "0",
                  "--schedule",
                  "5m,1h",
                  "--start",
                  "pending",
                  "--secret",
                  "whsec_abc"}),
            0)
      << err.str();
  EXPECT_EQ(api.requests.at(0).body,
            R"({"url":"https://h.test/1","description":"my \"own\"","types":["a,b","order.*"],)"
            R"("sources":["shop"],"body":"standard","headers":{"X-A":"1, 2","X-B":"c:d"},)"
            R"("concurrency":8,"rate_per_second":0.5,"timeout_seconds":0.25,"retries":0,)"
            R"("schedule_seconds":[300,3600],"start":"pending","secret":"whsec_abc"})");
}

TEST_F(EndpointsCommandTest, the_secret_is_shown_and_said_to_be_shown_once) {
  answer(201, R"({"id":"ep_1","url":"https://h.test/…","secret":"whsec_x"})");
  EXPECT_EQ(call({"endpoints", "add", "https://h.test/1"}), 0);
  EXPECT_EQ(out.str(),
            "id      ep_1\nsecret  whsec_x\n\nThe secret is shown this once: keep it now.\n");
  EXPECT_EQ(err.str(), "");
  answer(201, R"({"id":"ep_1","secret":"whsec_x"})");
  EXPECT_EQ(call({"endpoints", "add", "https://h.test/1", "--json"}), 0);
  EXPECT_EQ(out.str(), "{\"id\":\"ep_1\",\"secret\":\"whsec_x\"}\n");
}

TEST_F(EndpointsCommandTest, secrets_come_from_the_input_and_from_files) {
  in.str("  https://h.test/from-stdin\n");
  answer(201, "{}");
  EXPECT_EQ(call({"endpoints", "add", "-", "--secret", file("secret", "whsec_f\n"), "--header",
                  file("headers", "X-A: 1\r\n\nX-B: 2\n"), "--header", "X-C: 3"}),
            0)
      << err.str();
  EXPECT_EQ(api.requests.at(0).body,
            R"({"url":"https://h.test/from-stdin","headers":{"X-A":"1","X-B":"2","X-C":"3"},)"
            R"("secret":"whsec_f"})");
  expect_refusal({"endpoints", "add", "@/nonexistent"}, 2, "URL: cannot read the file");
  expect_refusal({"endpoints", "add", "-", "--secret", "-"}, 2,
                 "--secret: the URL is read from standard input already");
}

TEST_F(EndpointsCommandTest, set_changes_what_is_named) {
  answer(200, kEndpoint);
  EXPECT_EQ(call({"endpoints", "set", "ep_1", "--rate", "none", "--header", "none", "--schedule",
                  "none", "--url", "https://h.test/2"}),
            0)
      << err.str();
  EXPECT_EQ(api.requests.at(0).method, "PATCH");
  EXPECT_EQ(api.requests.at(0).path, "/endpoints/ep_1");
  EXPECT_EQ(api.requests.at(0).body, R"({"url":"https://h.test/2","headers":{},)"
                                     R"("rate_per_second":null,"schedule_seconds":[]})");
  expect_refusal({"endpoints", "set", "ep_1"}, 2, "there is nothing to change");
  expect_refusal({"endpoints", "set", "--rate", "1"}, 2, "ID: is missing");
}

TEST_F(EndpointsCommandTest, what_is_wrong_is_refused_before_it_is_sent_and_not_shown) {
  for (const std::string rate : {"0", "-1", "fast", "1e400"}) {
    expect_refusal({"endpoints", "set", "ep_1", "--rate", rate}, 2, "--rate: is no number above 0");
  }
  expect_refusal({"endpoints", "set", "ep_1", "--header", "hunter2"}, 2,
                 "--header: is not a name and a value");
  EXPECT_EQ(err.str().find("hunter2"), std::string::npos);
  expect_refusal({"endpoints", "set", "ep_1", "--header", "X-A: 1", "--header", "X-A: 2"}, 2,
                 "--header: X-A is given twice");
  expect_refusal({"endpoints", "add"}, 2, "URL: is missing");
  expect_refusal({"endpoints", "set", "ep_1", "--body", "xml"}, 2, "--body: \"xml\"");
  EXPECT_TRUE(api.requests.empty());
}

TEST_F(EndpointsCommandTest, what_the_service_finds_wrong_is_told_by_flag) {
  const std::string faults =
      R"({"detail":[{"loc":["body","url"],"msg":"Value error, must be https","input":"http://h/hunter2"},)"
      R"({"loc":["body","headers","Host"],"msg":"may not be set","input":"hunter2"},)"
      R"({"loc":["body","timeout_seconds"],"msg":"too long"}]})";
  answer(422, faults);
  EXPECT_EQ(call({"endpoints", "add", "http://h/hunter2"}), 2);
  EXPECT_EQ(err.str(),
            "dispatcher: URL: must be https\ndispatcher: --header: Host: may not be set\n"
            "dispatcher: --timeout: too long\n");
  EXPECT_EQ(out.str(), "");
  answer(422, R"({"detail":[{"loc":["body","url"],"msg":"must be https"}]})");
  expect_refusal({"endpoints", "set", "ep_1", "--url", "http://h"}, 2, "--url: must be https");
  answer(422, R"({"detail":[{"loc":["body","newer"],"msg":"is needed"}]})");
  expect_refusal({"endpoints", "set", "ep_1", "--rate", "1"}, 1, "422: body.newer: is needed");
}

TEST_F(EndpointsCommandTest, an_endpoint_is_not_added_twice_for_want_of_an_answer) {
  api.answers.push_back(make_error(ErrorKind::retry_later, "timed out"));
  expect_refusal({"endpoints", "add", "https://h.test/1"}, 1, "may have been added or not");
  EXPECT_EQ(api.requests.size(), 1U);
}

TEST_F(EndpointsCommandTest, the_list_shows_how_each_does) {
  answer(200, fmt::format(R"({{"items":[{}],"next_cursor":null}})", kEndpoint));
  EXPECT_EQ(call({"endpoints", "list", "--reveal"}), 0) << err.str();
  EXPECT_EQ(api.requests.at(0).path, "/endpoints?limit=1000&reveal=true");
  EXPECT_TRUE(out.str().starts_with("ID "));
  EXPECT_NE(out.str().find("70001"), std::string::npos);
  answer(200, fmt::format(R"({{"items":[{}],"next_cursor":null}})", kEndpoint));
  EXPECT_EQ(call({"endpoints", "list", "--json"}), 0);
  EXPECT_EQ(api.requests.at(1).path, "/endpoints?limit=1000");
  EXPECT_EQ(out.str(), fmt::format("[{}]\n", kEndpoint));
}

TEST_F(EndpointsCommandTest, show_has_every_setting_on_a_line) {
  answer(200, kEndpoint);
  EXPECT_EQ(call({"endpoints", "show", "a/b", "--reveal"}), 0);
  EXPECT_EQ(api.requests.at(0).path, "/endpoints/a%2Fb?reveal=true");
  EXPECT_NE(out.str().find("types            a, b*\n"), std::string::npos) << out.str();
  EXPECT_NE(out.str().find("schedule (s)     300, 1800\n"), std::string::npos);
  EXPECT_NE(out.str().find("waiting          70001\n"), std::string::npos);
  answer(200, kEndpoint);
  EXPECT_EQ(call({"endpoints", "show", "ep_1", "--json"}), 0);
  EXPECT_EQ(out.str(), fmt::format("{}\n", kEndpoint));
  answer(404, R"({"detail":"Endpoint with ID x not found"})");
  expect_refusal({"endpoints", "show", "x"}, 1, "Endpoint with ID x not found");
}

TEST_F(EndpointsCommandTest, pause_and_resume_say_the_new_state) {
  answer(200, R"({"id":"ep_1","state":"paused"})");
  EXPECT_EQ(call({"endpoints", "pause", "ep_1"}), 0);
  EXPECT_EQ(api.requests.at(0).path, "/endpoints/ep_1/pause");
  EXPECT_EQ(out.str(), "ep_1 is paused\n");
  answer(200, R"({"id":"ep_1","state":"active"})");
  EXPECT_EQ(call({"endpoints", "resume", "ep_1"}), 0);
  EXPECT_EQ(api.requests.at(1).path, "/endpoints/ep_1/resume");
}

TEST_F(EndpointsCommandTest, a_rotation_shows_the_new_secret) {
  answer(200, R"({"id":"ep_1","secret":"whsec_new","previous_valid_until":"t"})");
  EXPECT_EQ(call({"endpoints", "rotate-secret", "ep_1", "--overlap", "2h"}), 0);
  EXPECT_EQ(api.requests.at(0).path, "/endpoints/ep_1/rotate-secret");
  EXPECT_EQ(api.requests.at(0).body, R"({"overlap_seconds":7200})");
  EXPECT_EQ(out.str(),
            "id      ep_1\nsecret  whsec_new\n\nThe secret is shown this once: keep it now.\n"
            "The one before signs too until t.\n");
  answer(200, R"({"secret":"whsec_new"})");
  EXPECT_EQ(call({"endpoints", "rotate-secret", "ep_1"}), 0);
  EXPECT_EQ(api.requests.at(1).body, "{}");
}

TEST_F(EndpointsCommandTest, what_waits_is_discarded_only_when_asked_for) {
  answer(409, R"({"detail":"Endpoint ep_1 has deliveries that wait"})");
  expect_refusal({"endpoints", "remove", "ep_1"}, 1, "has deliveries that wait");
  EXPECT_EQ(api.requests.at(0).method, "DELETE");
  EXPECT_EQ(api.requests.at(0).path, "/endpoints/ep_1");
  answer(204, "");
  EXPECT_EQ(call({"endpoints", "remove", "ep_1", "--waiting", "discard"}), 0);
  EXPECT_EQ(api.requests.at(1).path, "/endpoints/ep_1?waiting=discard");
  EXPECT_EQ(out.str(), "removed ep_1\n");
  answer(204, "");
  EXPECT_EQ(call({"endpoints", "remove", "ep_1", "--json"}), 0);
  EXPECT_EQ(out.str(), "{\"id\":\"ep_1\"}\n");
}

// -- test

TEST_F(EndpointsCommandTest, a_test_shows_the_whole_exchange) {
  answer(200, R"({"timeout_seconds":60})");
  answer(200, R"({"number":1,"outcome":"delivered","status":200,"error":null,"duration_ms":12,)"
              R"("response_body":"ok\n\u001b[31m","remote_address":"127.0.0.1:8443",)"
              R"("request":{"url":"https://h.test/hunter2","headers":{"webhook-id":"t1"},)"
              R"("body":"{\"type\":\"test\"}"},"response_headers":{"content-type":"text/plain"}})");
  EXPECT_EQ(call({"endpoints", "test", "ep_1"}), 0) << err.str();
  EXPECT_EQ(out.str(),
            "> POST https://h.test\n> webhook-id: t1\n> \n> {\"type\":\"test\"}\n\n"
            "< 200\n< content-type: text/plain\n< \n< ok\n< ?[31m\n\n"
            "delivered in 12 ms by 127.0.0.1:8443\n");
  EXPECT_EQ(api.requests.at(1).path, "/endpoints/ep_1/test");
  // The endpoint's own time-out is longer than that of a call.
  EXPECT_GE(*api.requests.at(1).deadline, clock.monotonic() + std::chrono::seconds{60});
}

TEST_F(EndpointsCommandTest, a_test_shows_its_url_only_when_asked_to) {
  const std::string exchange =
      R"({"outcome":"delivered","status":204,"request":{"url":"https://h.test/hunter2"}})";
  answer(200, kEndpoint);
  answer(200, exchange);
  EXPECT_EQ(call({"endpoints", "test", "ep_1"}), 0);
  EXPECT_EQ(api.requests.at(1).path, "/endpoints/ep_1/test");
  EXPECT_EQ(out.str().find("hunter2"), std::string::npos);
  answer(200, kEndpoint);
  answer(200, exchange);
  EXPECT_EQ(call({"endpoints", "test", "ep_1", "--reveal"}), 0);
  EXPECT_EQ(api.requests.at(3).path, "/endpoints/ep_1/test?reveal=true");
  EXPECT_NE(out.str().find("> POST https://h.test/hunter2\n"), std::string::npos);
}

TEST_F(EndpointsCommandTest, a_test_that_is_not_answered_2xx_is_status_1) {
  const std::string refused =
      R"({"outcome":"refused","status":404,"error":"status: 404","duration_ms":2})";
  answer(200, kEndpoint);
  answer(200, refused);
  EXPECT_EQ(call({"endpoints", "test", "ep_1"}), 1);
  EXPECT_NE(out.str().find("< 404\n! status: 404\n"), std::string::npos) << out.str();
  answer(200, kEndpoint);
  answer(200, refused);
  EXPECT_EQ(call({"endpoints", "test", "ep_1", "--json"}), 1);
  EXPECT_EQ(out.str(), refused + "\n");
  answer(200, kEndpoint);
  answer(200, R"({"outcome":"retryable","status":null,"error":"timeout: 30 s","duration_ms":3})");
  EXPECT_EQ(call({"endpoints", "test", "ep_1"}), 1);
  EXPECT_NE(out.str().find("< no answer\n! timeout: 30 s\n"), std::string::npos) << out.str();
}

TEST_F(EndpointsCommandTest, a_test_of_what_is_not_there_is_an_error) {
  answer(404, R"({"detail":"Endpoint with ID x not found"})");
  answer(404, R"({"detail":"Endpoint with ID x not found"})");
  expect_refusal({"endpoints", "test", "x"}, 1, "Endpoint with ID x not found");
}

}  // namespace
}  // namespace dispatcher
