// Promise: what describes an endpoint is checked whole, each fault is named where it is, and none
// shows a secret.
#include "api/endpoint_body.hpp"

#include <gtest/gtest.h>

#include <string>

namespace dispatcher {
namespace {

struct Read {
  EndpointBody body;
  std::string faults;
};

Read read(const std::string& json, bool is_new = true, const TargetRule& rule = {}) {
  auto fields = endpoint_fields();
  const JsonScan scan = scan_json(json, fields);
  Faults faults;
  Read out;
  const auto value = std::get<JsonValue>(scan);
  out.body = is_new ? read_new_endpoint(value, fields, rule, faults)
                    : read_endpoint_change(value, fields, rule, faults);
  out.faults = faults.empty() ? "" : faults.body();
  return out;
}

// The faults of a body that is otherwise right.
std::string faults_with(const std::string& member) {
  return read(R"({"url":"https://a.test/x",)" + member + "}").faults;
}

std::string detail(const std::string& entry) {
  return R"({"detail":[)" + entry + "]}";
}

TEST(EndpointBody, a_url_alone_is_enough) {
  const Read made = read(R"({"url":"https://a.test/x"})");
  EXPECT_EQ(made.faults, "");
  EndpointDraft draft;
  apply(made.body, draft);
  EXPECT_EQ(draft.secrets.url, "https://a.test/x");
  EXPECT_EQ(draft.filter.types, std::vector<std::string>{"*"});
  EXPECT_EQ(draft.settings.body, BodyFormat::event);
  EXPECT_FALSE(draft.settings.concurrency || draft.settings.retries || draft.settings.schedule);
  EXPECT_TRUE(draft.secrets.signing_keys.empty());
  EXPECT_EQ(made.body.start, EndpointStart::now);
}

TEST(EndpointBody, everything_can_be_said) {
  const Read made = read(R"({"url":"https://u:p@a.test:8443/x?y=z","description":"d",
      "types":["order.*","x"],"sources":[""],"body":"payload","headers":{"X-One":"1","x-two":"b"},
      "concurrency":"7","rate_per_second":0.5,"timeout_seconds":2.5,"retries":0,
      "schedule_seconds":[60,3600.0],"start":"pending",
      "secret":"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"})");
  ASSERT_EQ(made.faults, "");
  EndpointDraft draft;
  apply(made.body, draft);
  EXPECT_EQ(draft.filter.types, (std::vector<std::string>{"order.*", "x"}));
  EXPECT_EQ(draft.filter.sources, std::vector<std::string>{""});
  EXPECT_EQ(draft.settings.body, BodyFormat::payload);
  EXPECT_EQ(draft.secrets.headers.at(1).name, "x-two");
  EXPECT_EQ(draft.settings.concurrency, 7);
  EXPECT_EQ(draft.settings.rate_per_second, 0.5);
  EXPECT_EQ(draft.settings.timeout, std::chrono::milliseconds{2500});
  EXPECT_EQ(draft.settings.retries, 0);
  EXPECT_EQ(draft.settings.schedule->at(1), std::chrono::hours{1});
  EXPECT_EQ(draft.secrets.signing_keys.at(0).bytes.size(), 24U);
  EXPECT_EQ(made.body.start, EndpointStart::pending);
}

TEST(EndpointBody, a_change_leaves_alone_what_it_does_not_name_and_null_goes_back_to_the_default) {
  EndpointDraft draft;
  apply(read(R"({"url":"https://a.test/x","types":["a"],"retries":9,"description":"d",
                 "headers":{"X-One":"1"},"rate_per_second":5,"body":"standard"})")
            .body,
        draft);
  const Read nothing = read("{}", false);
  EXPECT_EQ(nothing.faults, "");
  apply(nothing.body, draft);
  EXPECT_EQ(draft.settings.retries, 9);
  EXPECT_EQ(draft.secrets.headers.size(), 1U);
  const Read reset = read(R"({"types":null,"retries":null,"description":null,"headers":null,
                              "rate_per_second":null,"body":null})",
                          false);
  EXPECT_EQ(reset.faults, "");
  apply(reset.body, draft);
  EXPECT_EQ(draft.filter.types, std::vector<std::string>{"*"});
  EXPECT_FALSE(draft.settings.retries || draft.settings.rate_per_second);
  EXPECT_EQ(draft.settings.description, "");
  EXPECT_EQ(draft.settings.body, BodyFormat::event);
  EXPECT_TRUE(draft.secrets.headers.empty());
  EXPECT_EQ(draft.secrets.url, "https://a.test/x");
}

TEST(EndpointBody, a_missing_url_shows_the_body_without_its_secrets) {
  EXPECT_EQ(
      read(
          R"({"description":"d","headers":{"X":"hunter2"},"secret":"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"})")
          .faults,
      detail(R"({"type":"missing","loc":["body","url"],"msg":"Field required","input":)"
             R"({"description":"d","headers":"***","secret":"***"}})"));
  EXPECT_EQ(read("{}", false).faults, "");
}

TEST(EndpointBody, faults_of_a_url_do_not_show_it) {
  const std::string head = R"({"type":"value_error","loc":["body","url"],"msg":"Value error, )";
  const std::string tail = R"(,"ctx":{"error":{}}})";
  EXPECT_EQ(read(R"({"url":"hunter2"})").faults,
            detail(head +
                   R"-(it does not begin with https:// (give https://HOST[:PORT]/PATH)",)-"
                   R"("input":"***")" +
                   tail));
  EXPECT_EQ(read(R"({"url":7})").faults,
            detail(R"({"type":"string_type","loc":["body","url"],)"
                   R"("msg":"Input should be a valid string","input":"***"})"));
  const TargetRule rule = [](const WebhookUrl&) {
    return std::optional<std::string>{"it is ours"};
  };
  EXPECT_EQ(read(R"({"url":"https://u:hunter3@127.0.0.1:8443/hunter2"})", true, rule).faults,
            detail(head + R"(it is ours","input":"https://127.0.0.1:8443/***")" + tail));
  for (const std::string bad :
       {R"({"url":null})", R"({"url":"https:///x"})", R"({"url":"//a.test/x"})",
        R"({"url":"ftp://a.test/x"})", R"({"url":""})", R"({"url":"https://a.test/***"})"}) {
    EXPECT_NE(read(bad).faults, "") << bad;
    EXPECT_NE(read(bad, false).faults, "") << bad;
  }
}

TEST(EndpointBody, each_fault_is_named_where_it_is) {
  const auto has = [](const std::string& member, const std::string& type, const std::string& loc) {
    const std::string faults = faults_with(member);
    EXPECT_NE(faults.find(R"("type":")" + type + R"(","loc":)" + loc), std::string::npos)
        << member << "\n"
        << faults;
  };
  has(R"("description":7)", "string_type", R"(["body","description"])");
  has(R"("description":")" + std::string(1001, 'x') + '"', "string_too_long",
      R"(["body","description"])");
  has(R"("types":"a")", "list_type", R"(["body","types"])");
  has(R"("types":[])", "too_short", R"(["body","types"])");
  has(R"("types":["a",7])", "string_type", R"(["body","types",1])");
  has(R"("sources":["a*b"])", "value_error", R"(["body","sources",0])");
  has(R"("sources":["**"])", "value_error", R"(["body","sources",0])");
  has(R"("types":[")" + std::string(256, 'x') + R"("])", "string_too_long",
      R"(["body","types",0])");
  has(R"("body":"xml")", "literal_error", R"(["body","body"])");
  has(R"("concurrency":0)", "greater_than_equal", R"(["body","concurrency"])");
  has(R"("concurrency":65537)", "less_than_equal", R"(["body","concurrency"])");
  has(R"("concurrency":1.5)", "int_from_float", R"(["body","concurrency"])");
  has(R"("concurrency":true)", "int_type", R"(["body","concurrency"])");
  has(R"("concurrency":"x")", "int_parsing", R"(["body","concurrency"])");
  has(R"("rate_per_second":0)", "greater_than_equal", R"(["body","rate_per_second"])");
  has(R"("rate_per_second":"x")", "float_type", R"(["body","rate_per_second"])");
  has(R"("timeout_seconds":0)", "greater_than_equal", R"(["body","timeout_seconds"])");
  has(R"("timeout_seconds":3541)", "less_than_equal", R"(["body","timeout_seconds"])");
  has(R"("retries":-1)", "greater_than_equal", R"(["body","retries"])");
  has(R"("retries":101)", "less_than_equal", R"(["body","retries"])");
  has(R"("schedule_seconds":[1,0])", "greater_than_equal", R"(["body","schedule_seconds",1])");
  has(R"("schedule_seconds":60)", "list_type", R"(["body","schedule_seconds"])");
  has(R"("start":"later")", "literal_error", R"(["body","start"])");
  has(R"("secret":"hunter2")", "value_error", R"(["body","secret"])");
  has(R"("secret":"whsec_aHVudGVyMg==")", "value_error", R"(["body","secret"])");
  has(R"("concurency":1)", "extra_forbidden", R"(["body","concurency"])");
  has(R"("headers":[])", "dict_type", R"(["body","headers"])");
  has(R"("headers":{"Host":"x"})", "value_error", R"(["body","headers","Host"])");
  has(R"("headers":{"X":7})", "string_type", R"(["body","headers","X"])");
  has(R"("headers":{"X":"a\r\nY: b"})", "value_error", R"(["body","headers","X"])");
  has(R"("headers":{"X":"1","x":"2"})", "value_error", R"(["body","headers","x"])");
  has(R"("headers":{"X":"***"})", "value_error", R"(["body","headers","X"])");
}

TEST(EndpointBody, the_bound_of_a_fraction_is_shown_as_one) {
  EXPECT_EQ(faults_with(R"("timeout_seconds":0)"),
            detail(R"({"type":"greater_than_equal","loc":["body","timeout_seconds"],)"
                   R"("msg":"Input should be greater than or equal to 0.01","input":0,)"
                   R"("ctx":{"ge":0.01}})"));
}

TEST(EndpointBody, no_fault_shows_a_secret) {
  for (const std::string member :
       {R"("headers":{"X":"hunter2\n"})", R"("headers":{"Host":"hunter2"})",
        R"("headers":"hunter2")", R"("headers":{"X":["hunter2"]})", R"("secret":"hunter2")",
        R"("secret":["hunter2"])", R"("header":{"X":"hunter2"})", R"("uri":"hunter2")"}) {
    const std::string faults = faults_with(member);
    EXPECT_NE(faults, "") << member;
    EXPECT_EQ(faults.find("hunter2"), std::string::npos) << faults;
  }
}

TEST(EndpointBody, all_faults_come_at_once_in_the_order_of_the_fields) {
  const std::string faults =
      read(R"({"nonsense":1,"retries":-1,"types":[],"start":"x","body":7})").faults;
  std::size_t last = 0;
  for (const std::string loc : {"url", "types", "body", "retries", "start", "nonsense"}) {
    const auto at = faults.find(R"(["body",")" + loc + R"("])");
    ASSERT_NE(at, std::string::npos) << loc << "\n" << faults;
    EXPECT_GT(at, last) << loc;
    last = at;
  }
}

TEST(EndpointBody, a_change_takes_neither_a_secret_nor_a_start) {
  const std::string faults =
      read(R"({"secret":"whsec_x","start":"now","state":"paused"})", false).faults;
  for (const std::string name : {"secret", "start", "state"}) {
    EXPECT_NE(faults.find(R"("extra_forbidden","loc":["body",")" + name), std::string::npos);
  }
}

TEST(EndpointBody, headers_have_a_limit_together) {
  std::string many = R"("headers":{)";
  for (int i = 0; i < 51; ++i) {
    many += (i == 0 ? "" : ",") + std::string{R"("X-)"} + std::to_string(i) + R"(":"v")";
  }
  EXPECT_NE(faults_with(many + "}").find("at most 50 headers"), std::string::npos);
  EXPECT_NE(faults_with(R"("headers":{"A":")" + std::string(4000, 'a') + R"(","B":")" +
                        std::string(4000, 'b') + R"("})")
                .find("6,144 bytes"),
            std::string::npos);
}

TEST(EndpointBody, headers_past_the_limit_are_not_looked_at) {
  std::string many = R"("headers":{)";
  for (int i = 0; i < 1000; ++i) {
    many += (i == 0 ? "" : ",") + std::string{R"("X-)"} + std::to_string(i) + R"(":)" +
            (i < 50 ? R"("v")" : "7");
  }
  EXPECT_EQ(faults_with(many + "}"),
            detail(R"({"type":"value_error","loc":["body","headers"],"msg":"Value error, )"
                   R"(an endpoint has at most 50 headers, of 6,144 bytes together","input":"***",)"
                   R"("ctx":{"error":{}}})"));
}

}  // namespace
}  // namespace dispatcher
