// Promise: the head of an answer says how its body is framed and how long it took, and no header of
// the service's can end its own line.
#include "adapters/http_server/answer_text.hpp"

#include <gtest/gtest.h>

namespace dispatcher {
namespace {

class EmptyStream : public BodyStream {
 public:
  boost::asio::awaitable<std::optional<std::string>> next() override { co_return std::nullopt; }
};

std::string head_of(const ServerAnswer& answer, AnswerFraming framing = {}) {
  framing.date = "Thu, 01 Jan 1970 00:00:00 GMT";
  std::string out;
  append_answer_head(out, answer, framing);
  return out;
}

TEST(AnswerText, an_answer_has_its_length_its_time_and_its_headers) {
  ServerAnswer answer;
  answer.status = 201;
  answer.body = "{}";
  answer.headers = {{"x-a", "b"}};
  AnswerFraming framing;
  framing.process_time = std::chrono::microseconds{1'554};
  EXPECT_EQ(head_of(answer, framing),
            "HTTP/1.1 201 Created\r\n"
            "date: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
            "content-type: application/json\r\n"
            "content-length: 2\r\n"
            "x-a: b\r\n"
            "x-process-time: 1.55ms\r\n"
            "\r\n");
}

TEST(AnswerText, times_have_two_decimals_rounded) {
  const auto time_of = [](std::chrono::nanoseconds time) {
    AnswerFraming framing;
    framing.process_time = time;
    const std::string head = head_of({}, framing);
    const std::size_t begin = head.find("x-process-time: ") + 16;
    return head.substr(begin, head.find("\r\n", begin) - begin);
  };
  using std::chrono::nanoseconds;
  EXPECT_EQ(time_of(nanoseconds{0}), "0.00ms");
  EXPECT_EQ(time_of(nanoseconds{4'999}), "0.00ms");
  EXPECT_EQ(time_of(nanoseconds{5'000}), "0.01ms");
  EXPECT_EQ(time_of(nanoseconds{99'996'000}), "100.00ms");
  EXPECT_EQ(time_of(nanoseconds{12'340'000'000}), "12340.00ms");
  EXPECT_EQ(time_of(nanoseconds{-1}), "0.00ms");
}

TEST(AnswerText, a_stream_is_chunked_but_for_an_old_client) {
  ServerAnswer answer;
  answer.stream = std::make_unique<EmptyStream>();
  EXPECT_NE(head_of(answer).find("transfer-encoding: chunked"), std::string::npos);
  EXPECT_EQ(head_of(answer).find("content-length"), std::string::npos);
  AnswerFraming old;
  old.is_http_1_0 = true;
  EXPECT_EQ(head_of(answer, old).find("transfer-encoding"), std::string::npos);
}

TEST(AnswerText, a_status_without_a_body_announces_none) {
  for (const int status : {204, 304}) {
    ServerAnswer answer;
    answer.status = status;
    answer.content_type = "";
    const std::string head = head_of(answer);
    EXPECT_EQ(head.find("content-"), std::string::npos);
    EXPECT_FALSE(sends_body(answer, {}));
  }
}

TEST(AnswerText, what_becomes_of_the_connection_is_said_where_it_is_not_the_default) {
  AnswerFraming framing;
  EXPECT_EQ(head_of({}, framing).find("connection:"), std::string::npos);
  framing.keeps_alive = false;
  EXPECT_NE(head_of({}, framing).find("\r\nconnection: close\r\n"), std::string::npos);
  framing.keeps_alive = true;
  framing.is_http_1_0 = true;
  EXPECT_NE(head_of({}, framing).find("\r\nconnection: keep-alive\r\n"), std::string::npos);
}

TEST(AnswerText, a_line_break_in_a_header_is_a_space) {
  ServerAnswer answer;
  answer.headers = {{"location", "/a\r\nset-cookie: x"}, {std::string{"a\0b", 3}, "\n"}};
  const std::string head = head_of(answer);
  EXPECT_NE(head.find("location: /a  set-cookie: x\r\n"), std::string::npos);
  EXPECT_NE(head.find("a b:  \r\n"), std::string::npos);
}

TEST(AnswerText, a_date_is_that_of_the_standard) {
  EXPECT_EQ(format_http_date(wall_from_micros(784'111'777'999'999)),
            "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(format_http_date(wall_from_micros(0)), "Thu, 01 Jan 1970 00:00:00 GMT");
}

}  // namespace
}  // namespace dispatcher
