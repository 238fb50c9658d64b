// Promises: a call is signed and shaped as the service wants it; throttling, server errors and
// broken connections are tried again with growing random waits, within the deadline; a wrong clock
// and ended credentials are put right once; no message, no line of the log holds a credential.
#include "aws/world.hpp"

#include <fmt/format.h>

namespace dispatcher {
namespace {

using namespace test;

Exchange fault(int status, const std::string& code, const std::string& message = "m",
               std::vector<HttpHeader> headers = {}) {
  return answered(status, fmt::format(R"({{"__type":"x#{}","message":"{}"}})", code, message),
                  std::move(headers));
}

class AwsClientTest : public AwsWorld {
 protected:
  ErrorKind kind_of(const AwsResult& result) {
    return result ? ErrorKind::overloaded : result.error().error.kind;
  }
  // Nothing that was said holds a credential.
  void expect_discreet(const AwsResult& result) {
    const std::string all = logged() + (result ? "" : result.error().error.message);
    EXPECT_EQ(all.find("hunter"), std::string::npos) << all;
  }
};

TEST_F(AwsClientTest, a_json_call_has_the_service_s_shape) {
  answers.push_back(answered(200, R"({"Items":[]})", {{"x-amzn-RequestId", "REQ1"}}));
  const auto result = call(AwsService::dynamodb, "UpdateItem", R"({"TableName":"t"})");
  ASSERT_TRUE(result);
  EXPECT_EQ(result->body, R"({"Items":[]})");
  EXPECT_EQ(result->request_id, "REQ1");
  const HttpRequest& request = http.requests.at(0);
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.url.display(), "https://dynamodb.us-east-2.amazonaws.com");
  EXPECT_EQ(request.body, R"({"TableName":"t"})");
  EXPECT_EQ(header_of(request, "Content-Type"), "application/x-amz-json-1.0");
  EXPECT_EQ(header_of(request, "X-Amz-Target"), "DynamoDB_20120810.UpdateItem");
  EXPECT_EQ(header_of(request, "X-Amz-Date"), "20260101T000000Z");
  EXPECT_EQ(header_of(request, "X-Amz-Security-Token"), "hunter3");
  EXPECT_EQ(header_of(request, "User-Agent"), "EventDispatcher/test");
  EXPECT_EQ(header_of(request, "Authorization")
                .find("AWS4-HMAC-SHA256 Credential=key-one/20260101/"
                      "us-east-2/dynamodb/aws4_request, "
                      "SignedHeaders=content-type;host;x-amz-date;"),
            0U);
  EXPECT_FALSE(request.is_webhook);
  EXPECT_TRUE(request.needs_whole_body);
}

TEST_F(AwsClientTest, each_service_has_its_own_media_type_and_scope) {
  ASSERT_TRUE(call(AwsService::secrets_manager, "GetSecretValue"));
  ASSERT_TRUE(call(AwsService::cloudwatch, "PutMetricData", "Namespace=n"));
  EXPECT_EQ(header_of(http.requests.at(0), "Content-Type"), "application/x-amz-json-1.1");
  EXPECT_EQ(header_of(http.requests.at(0), "X-Amz-Target"), "secretsmanager.GetSecretValue");
  EXPECT_NE(header_of(http.requests.at(0), "Authorization").find("/secretsmanager/"),
            std::string::npos);
  EXPECT_EQ(http.requests.at(1).body, "Action=PutMetricData&Version=2010-08-01&Namespace=n");
  EXPECT_EQ(header_of(http.requests.at(1), "Content-Type"),
            "application/x-www-form-urlencoded; charset=utf-8");
  EXPECT_EQ(header_of(http.requests.at(1), "X-Amz-Target"), "");
  EXPECT_NE(header_of(http.requests.at(1), "Authorization").find("/monitoring/"),
            std::string::npos);
}

TEST_F(AwsClientTest, what_is_transient_is_tried_again) {
  answers = {fault(500, "InternalServerError"),
             fault(400, "ProvisionedThroughputExceededException"),
             failed(FailureKind::reset),
             failed(FailureKind::timeout),
             answered(200, "{}", {{"x-amz-crc32", "1"}}),  // damaged
             answered(200, "fine")};
  const auto result = call();
  ASSERT_TRUE(result);
  EXPECT_EQ(result->body, "fine");
  EXPECT_EQ(http.requests.size(), 6U);
  EXPECT_EQ(timers.waits.size(), 5U);
  EXPECT_EQ(lines.size(), 5U);
}

TEST_F(AwsClientTest, what_does_not_pass_is_given_up) {
  answers.assign(20, fault(400, "ThrottlingException", "Rate exceeded"));
  const auto result = call();
  EXPECT_EQ(kind_of(result), ErrorKind::retry_later);
  EXPECT_EQ(http.requests.size(), 6U);
  EXPECT_EQ(result.error().code, "ThrottlingException");
  EXPECT_EQ(result.error().error.message,
            "DynamoDB Query at https://dynamodb.us-east-2.amazonaws.com: it answered 400 "
            "ThrottlingException: Rate exceeded");
  expect_discreet(result);
}

TEST_F(AwsClientTest, no_wait_goes_past_the_deadline) {
  answers.assign(20, failed(FailureKind::connect));
  const MonoTime deadline = clock.monotonic() + milliseconds{1};
  const auto result = call(AwsService::dynamodb, "Query", "{}", deadline);
  EXPECT_EQ(kind_of(result), ErrorKind::retry_later);
  EXPECT_EQ(result.error().error.message,
            "DynamoDB Query at https://dynamodb.us-east-2.amazonaws.com: connect: as the test "
            "says");
  EXPECT_EQ(http.requests.size(), 1U);
  EXPECT_EQ(http.requests.at(0).deadline, deadline);
}

TEST_F(AwsClientTest, a_request_has_a_share_of_the_call_s_time) {
  (void)call();
  EXPECT_EQ(http.requests.at(0).deadline - clock.monotonic(), seconds{5});
}

TEST_F(AwsClientTest, what_will_not_change_is_not_tried_again) {
  struct Case {
    std::string code;
    ErrorKind kind;
    std::string advice;
  };
  for (const Case& one : std::vector<Case>{
           {"AccessDeniedException", ErrorKind::refused, "(allow it in the policy"},
           {"ResourceNotFoundException", ErrorKind::not_found,
            "(is its name right, and the region?)"},
           {"ValidationException", ErrorKind::invalid, "m"},
       }) {
    http.requests.clear();
    answers = {fault(400, one.code)};
    const auto result = call();
    EXPECT_EQ(to_string(kind_of(result)), to_string(one.kind));
    EXPECT_EQ(result.error().code, one.code);
    EXPECT_EQ(result.error().body, "");
    EXPECT_NE(result.error().error.message.find(one.advice), std::string::npos)
        << result.error().error.message;
    EXPECT_EQ(http.requests.size(), 1U);
  }
}

TEST_F(AwsClientTest, a_condition_that_was_not_met_is_told_apart_and_says_more) {
  answers = {answered(400, R"({"__type":"x#ConditionalCheckFailedException","Item":{"a":1}})")};
  const auto result = call();
  EXPECT_EQ(kind_of(result), ErrorKind::conflict);
  EXPECT_EQ(result.error().code, "ConditionalCheckFailedException");
  EXPECT_EQ(result.error().body,
            R"({"__type":"x#ConditionalCheckFailedException","Item":{"a":1}})");
}

TEST_F(AwsClientTest, a_stop_ends_it_at_once) {
  answers = {failed(FailureKind::aborted)};
  EXPECT_EQ(kind_of(call()), ErrorKind::stopped);
  EXPECT_EQ(http.requests.size(), 1U);
}

TEST_F(AwsClientTest, a_wrong_clock_is_put_right_by_the_answer_s_date) {
  const HttpHeader date{"Date", "Thu, 01 Jan 2026 00:07:00 GMT"};  // seven minutes ahead of ours
  answers = {fault(400, "InvalidSignatureException", "token hunter3", {date}),
             answered(200, "{}", {date}), answered(200, "{}", {date})};
  ASSERT_TRUE(call());
  EXPECT_EQ(header_of(http.requests.at(1), "X-Amz-Date"), "20260101T000700Z");
  EXPECT_TRUE(timers.waits.empty());
  ASSERT_TRUE(call());
  EXPECT_EQ(header_of(http.requests.at(2), "X-Amz-Date"), "20260101T000700Z");
  EXPECT_EQ(client().now() - clock.wall(), std::chrono::minutes{7});
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_NE(lines[0].find("clock differs from AWS's"), std::string::npos);
  EXPECT_NE(lines[0].find("420"), std::string::npos);
}

TEST_F(AwsClientTest, a_signature_that_is_wrong_all_the_same_is_refused) {
  const HttpHeader right{"Date", "Thu, 01 Jan 2026 00:00:00 GMT"};
  const HttpHeader wrong{"Date", "Thu, 01 Jan 2026 00:09:00 GMT"};
  answers = {fault(400, "InvalidSignatureException", "hunter3", {right})};
  const auto at_once = call();
  EXPECT_EQ(kind_of(at_once), ErrorKind::refused);
  EXPECT_EQ(http.requests.size(), 1U);
  expect_discreet(at_once);
  http.requests.clear();
  answers.assign(5, fault(403, "SignatureDoesNotMatch", "hunter3", {wrong}));
  const auto after_clock = call();
  EXPECT_EQ(kind_of(after_clock), ErrorKind::refused);
  EXPECT_EQ(http.requests.size(), 2U);
  EXPECT_NE(after_clock.error().error.message.find("clock right"), std::string::npos);
  expect_discreet(after_clock);
}

TEST_F(AwsClientTest, credentials_that_have_ended_are_found_anew_once) {
  http.answer = [this](const HttpRequest& request) {
    if (header_of(request, "Authorization").find("key-one") == std::string::npos) {
      return answered(200, "{}");
    }
    variables["AWS_ACCESS_KEY_ID"] = "key-two";
    variables["AWS_SECRET_ACCESS_KEY"] = "hunter4";
    return fault(400, "ExpiredTokenException");
  };
  EXPECT_TRUE(call());
  EXPECT_EQ(http.requests.size(), 2U);
}

TEST_F(AwsClientTest, credentials_that_stay_refused_are_said_to_be) {
  answers.assign(5, fault(400, "UnrecognizedClientException", "The security token is invalid."));
  const auto result = call();
  EXPECT_EQ(kind_of(result), ErrorKind::refused);
  EXPECT_EQ(http.requests.size(), 2U);
  EXPECT_NE(result.error().error.message.find("(renew the AWS credentials)"), std::string::npos);
}

TEST_F(AwsClientTest, without_credentials_nothing_is_sent) {
  variables = {{"AWS_REGION", "us-east-2"}};
  const auto result = call();
  EXPECT_EQ(kind_of(result), ErrorKind::invalid);
  EXPECT_NE(result.error().error.message.find("there are no AWS credentials"), std::string::npos);
  EXPECT_TRUE(http.requests.empty());
}

TEST_F(AwsClientTest, a_call_is_one_span_with_its_retries) {
  tracer.begin_run(kTraceHeader);
  answers = {failed(FailureKind::reset), answered(200, "{}", {{"x-amzn-RequestId", "REQ1"}})};
  ASSERT_TRUE(call());
  ASSERT_EQ(tracer.reports.size(), 1U);
  const SpanReport& report = tracer.reports[0];
  EXPECT_EQ(report.kind, SpanKind::aws_call);
  EXPECT_EQ(report.name, "DynamoDB");
  EXPECT_EQ(report.operation, "Query");
  EXPECT_EQ(report.region, "us-east-2");
  EXPECT_EQ(report.request_id, "REQ1");
  EXPECT_EQ(report.status, 200);
  EXPECT_EQ(report.attempt, 2);
  EXPECT_EQ(report.error, "");
  // AWS joins the trace by itself: no header of ours goes into what is signed.
  EXPECT_EQ(header_of(http.requests.at(0), "X-Amzn-Trace-Id"), "");
  answers = {fault(400, "AccessDeniedException")};
  ASSERT_FALSE(call());
  EXPECT_EQ(tracer.reports.at(1).status, 400);
  EXPECT_NE(tracer.reports.at(1).error.find("AccessDeniedException"), std::string::npos);
}

TEST(aws_backoff, grows_and_is_random_below_its_limit) {
  using std::chrono::milliseconds;
  EXPECT_EQ(aws_backoff(2, false, 0.0), milliseconds{0});
  EXPECT_EQ(aws_backoff(2, false, 0.5), milliseconds{25});
  EXPECT_EQ(aws_backoff(3, false, 0.5), milliseconds{50});
  EXPECT_EQ(aws_backoff(5, false, 0.5), milliseconds{200});
  EXPECT_EQ(aws_backoff(2, true, 0.5), milliseconds{100});
  EXPECT_EQ(aws_backoff(50, true, 0.999), milliseconds{4995});
}

}  // namespace
}  // namespace dispatcher
