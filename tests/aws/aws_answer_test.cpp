// Promises: an answer of AWS is told apart by what the caller may do about it; what it says is
// shown in one line without the request's secrets; a damaged body is noticed; AWS's clock is learnt
// from its dates, and a clock that is right is left alone.
#include "adapters/aws/aws_answer.hpp"
#include "adapters/aws/clock_skew.hpp"

#include <gtest/gtest.h>

namespace dispatcher {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

Answer answer_of(int status, std::string body, std::vector<HttpHeader> headers = {}) {
  return {status, std::move(headers), std::move(body)};
}

TEST(fault_of, kinds_and_remedies) {
  struct Case {
    int status;
    std::string code;
    ErrorKind kind;
    AwsRemedy remedy;
  };
  for (const Case& one : std::vector<Case>{
           {400, "ProvisionedThroughputExceededException", ErrorKind::retry_later,
            AwsRemedy::slow_down},
           {400, "ThrottlingException", ErrorKind::retry_later, AwsRemedy::slow_down},
           {400, "RequestLimitExceeded", ErrorKind::retry_later, AwsRemedy::slow_down},
           {429, "", ErrorKind::retry_later, AwsRemedy::slow_down},
           {503, "SlowDown", ErrorKind::retry_later, AwsRemedy::slow_down},
           {500, "InternalServerError", ErrorKind::retry_later, AwsRemedy::wait},
           {500, "", ErrorKind::retry_later, AwsRemedy::wait},
           {503, "", ErrorKind::retry_later, AwsRemedy::wait},
           {400, "InternalServiceError", ErrorKind::retry_later, AwsRemedy::wait},
           {400, "TransactionConflictException", ErrorKind::retry_later, AwsRemedy::wait},
           {400, "InvalidSignatureException", ErrorKind::refused, AwsRemedy::set_clock},
           {403, "RequestTimeTooSkewed", ErrorKind::refused, AwsRemedy::set_clock},
           {400, "ExpiredTokenException", ErrorKind::refused, AwsRemedy::new_credentials},
           {400, "UnrecognizedClientException", ErrorKind::refused, AwsRemedy::new_credentials},
           {400, "AccessDeniedException", ErrorKind::refused, AwsRemedy::none},
           {403, "", ErrorKind::refused, AwsRemedy::none},
           {400, "ResourceNotFoundException", ErrorKind::not_found, AwsRemedy::none},
           {400, "ConditionalCheckFailedException", ErrorKind::conflict, AwsRemedy::none},
           {400, "TransactionCanceledException", ErrorKind::conflict, AwsRemedy::none},
           {400, "ValidationException", ErrorKind::invalid, AwsRemedy::none},
           {404, "", ErrorKind::invalid, AwsRemedy::none},
           {301, "", ErrorKind::refused, AwsRemedy::none},
       }) {
    const auto fault = fault_of(
        answer_of(one.status, R"({"__type":"com.amazon#)" + one.code + R"("})"), AwsProtocol::json);
    EXPECT_EQ(fault.code, one.code);
    EXPECT_EQ(to_string(fault.kind), to_string(one.kind)) << one.status << " " << one.code;
    EXPECT_EQ(fault.remedy, one.remedy) << one.status << " " << one.code;
  }
}

TEST(fault_of, the_code_stands_in_a_header_or_in_the_body) {
  const auto header = fault_of(
      answer_of(400, R"({"Message":"m","__type":"Other"})",
                {{"x-amzn-ErrorType", "AccessDeniedException:http://internal.amazon.com/x"}}),
      AwsProtocol::json);
  EXPECT_EQ(header.code, "AccessDeniedException");
  EXPECT_EQ(header.message, "m");
  const auto body = fault_of(
      answer_of(400, R"({"__type":"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException",)"
                     R"("message":"Requested resource not found"})"),
      AwsProtocol::json);
  EXPECT_EQ(body.code, "ResourceNotFoundException");
  EXPECT_EQ(body.message, "Requested resource not found");
  const auto xml =
      fault_of(answer_of(403,
                         "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code>"
                         "<Message>not for you</Message></Error></ErrorResponse>"),
               AwsProtocol::query);
  EXPECT_EQ(xml.code, "AccessDenied");
  EXPECT_EQ(xml.message, "not for you");
}

TEST(fault_of, whatever_came_is_no_trouble) {
  for (const std::string body :
       {"", "{", "[]", "null", R"({"__type":7,"message":{}})", R"({"__type":"<script>"})", "<Code>",
        "<Code><Code></Code>", "</Code><Message>", "\xff\xfe"}) {
    for (const AwsProtocol protocol : {AwsProtocol::json, AwsProtocol::query}) {
      const auto fault = fault_of(answer_of(400, body), protocol);
      EXPECT_EQ(fault.code, "") << body;
      EXPECT_EQ(fault.kind, ErrorKind::invalid);
    }
  }
}

TEST(fault_of, a_message_is_one_line_of_bounded_length) {
  const auto fault =
      fault_of(answer_of(400, R"({"__type":"ValidationException","message":"a\nb\r\u0000)" +
                                  std::string(398, 'x') + R"(éééé"})"),
               AwsProtocol::json);
  EXPECT_EQ(fault.message.substr(0, 5), "a b  ");
  EXPECT_LE(fault.message.size(), 400U);
  EXPECT_GE(fault.message.size(), 398U);
}

TEST(fault_of, what_repeats_the_signed_headers_is_not_shown) {
  for (const std::string code : {"InvalidSignatureException", "SignatureDoesNotMatch"}) {
    const auto fault = fault_of(
        answer_of(403, R"({"__type":")" + code +
                           R"(","message":"should have been x-amz-security-token:hunter2"})"),
        AwsProtocol::json);
    EXPECT_EQ(fault.message, "");
  }
}

TEST(is_damaged, a_body_that_is_not_what_its_checksum_says) {
  const auto with = [](std::string crc) {
    return answer_of(200, "{}", {{"X-Amz-Crc32", std::move(crc)}});
  };
  EXPECT_FALSE(is_damaged(with("2745614147")));  // as DynamoDB says of `{}`
  EXPECT_TRUE(is_damaged(with("2745614148")));
  EXPECT_FALSE(is_damaged(with("none")));
  EXPECT_FALSE(is_damaged(answer_of(200, "{}")));
}

class ClockSkewTest : public testing::Test {
 protected:
  // AWS's clock is `ahead` of ours; the answer takes `time`.
  void answer(microseconds ahead, milliseconds time = milliseconds{20}) {
    const WallTime sent = now;
    now += time;
    skew.note(std::chrono::floor<seconds>(sent + time / 2 + ahead), sent, now);
  }

  WallTime now = *parse_timestamp("2026-01-01T00:00:00.9Z");
  ClockSkew skew;
};

TEST_F(ClockSkewTest, a_clock_that_is_right_is_left_alone) {
  EXPECT_EQ(skew.offset(), microseconds{0});
  for (int i = 0; i < 50; ++i) {
    answer(microseconds{0});
    now += milliseconds{130};
    EXPECT_EQ(skew.offset(), microseconds{0});
  }
}

TEST_F(ClockSkewTest, answers_narrow_the_difference_down) {
  for (const auto ahead : {minutes{7}, minutes{-90}}) {
    skew = {};
    for (int i = 0; i < 50; ++i) {
      answer(ahead);
      EXPECT_LE(std::chrono::abs(skew.offset() - ahead), milliseconds{1020});
      now += milliseconds{130};
    }
    EXPECT_LE(std::chrono::abs(skew.offset() - ahead), milliseconds{150});
  }
}

TEST_F(ClockSkewTest, a_clock_that_was_set_meanwhile_is_learnt_anew) {
  answer(minutes{7});
  answer(microseconds{0});
  EXPECT_EQ(skew.offset(), microseconds{0});
  // Set back while an answer was under way: nothing can be learnt from it.
  skew.note(now, now, now - minutes{5});
  EXPECT_EQ(skew.offset(), microseconds{0});
}

TEST_F(ClockSkewTest, half_a_minute_is_worth_a_new_signature) {
  answer(seconds{20});
  EXPECT_FALSE(skew.is_far_from(microseconds{0}));
  skew = {};
  answer(seconds{-40});
  EXPECT_TRUE(skew.is_far_from(microseconds{0}));
  EXPECT_FALSE(skew.is_far_from(seconds{-40}));
}

}  // namespace
}  // namespace dispatcher
