// Promise: requests on one connection are answered whole and in order, by HTTP/1.1's rules and
// HTTP/1.0's, and a bug in the service ends no more than its own request.
#include "http_server/server_fixture.hpp"

#include <regex>

namespace dispatcher::testing {
namespace {

class Exchange : public ServerTest {};

TEST_F(Exchange, a_connection_serves_one_request_after_another) {
  RawClient client = connect();
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(client.send(post("/echo", std::string(static_cast<std::size_t>(i), 'e'))));
    const auto answer = client.read_answer();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status_line, "HTTP/1.1 200 OK");
    EXPECT_EQ(answer->body, std::string(static_cast<std::size_t>(i), 'e'));
    EXPECT_EQ(answer->header("connection"), "");
  }
}

TEST_F(Exchange, every_answer_says_how_long_it_took_in_milliseconds_with_two_decimals) {
  const std::regex form{"[0-9]+\\.[0-9]{2}ms"};
  for (const char* path : {"/health", "/refused", "/none", "/stream", "/unknown"}) {
    EXPECT_TRUE(std::regex_match(ask(get(path)).header("x-process-time"), form)) << path;
  }
  EXPECT_TRUE(std::regex_match(ask("nonsense\r\n\r\n").header("x-process-time"), form));
}

TEST_F(Exchange, pipelined_requests_are_answered_in_order) {
  std::string all;
  for (int i = 0; i < 500; ++i) {
    all += post("/echo", std::to_string(i)) + (i % 7 == 0 ? "\r\n" : "");
  }
  RawClient client = connect();
  ASSERT_TRUE(client.send(all));
  for (int i = 0; i < 500; ++i) {
    const auto answer = client.read_answer();
    ASSERT_TRUE(answer) << i;
    EXPECT_EQ(answer->body, std::to_string(i));
  }
}

TEST_F(Exchange, a_pipelined_request_waits_for_the_one_before_it) {
  RawClient client = connect();
  ASSERT_TRUE(client.send(get("/hold") + get("/health")));
  service.wait_for_held(1);
  EXPECT_EQ(service.served, 1);
  service.release();
  EXPECT_EQ(client.read_answer().value().body, "held");
  EXPECT_EQ(client.read_answer().value().body, R"({"status":"healthy"})");
}

TEST_F(Exchange, a_request_that_comes_byte_by_byte_is_one_request) {
  RawClient client = connect();
  for (const char c : post("/echo", "slow")) {
    ASSERT_TRUE(client.send({&c, 1}));
  }
  EXPECT_EQ(client.read_answer().value().body, "slow");
}

TEST_F(Exchange, a_request_reaches_the_service_as_it_was_sent) {
  const RawAnswer answer =
      ask("POST /what?a=%20b HTTP/1.1\r\nhOsT: x\r\nX-Two:  2  \r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(answer.body, "POST [/what] [a=%20b] 127.0.0.1\nhOsT=x\nX-Two=2\nContent-Length=0");
}

TEST_F(Exchange, a_chunked_body_reaches_the_service_whole) {
  const RawAnswer answer =
      ask("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
          "3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nTrailer: t\r\n\r\n");
  EXPECT_EQ(answer.body, "abcdefg");
}

TEST_F(Exchange, a_large_body_in_and_a_large_answer_out_arrive_whole) {
  const std::string body(1024 * 1024, 'b');
  EXPECT_EQ(ask(post("/echo", body)).body, body);
  EXPECT_EQ(ask(get("/large")).body, std::string(service.large_bytes, 'x'));
}

TEST_F(Exchange, head_has_the_headers_of_the_answer_and_no_body) {
  RawClient client = connect();
  ASSERT_TRUE(client.send("HEAD /health HTTP/1.1\r\nHost: a\r\n\r\n" + get("/health")));
  const auto head = client.read_answer(true);
  ASSERT_TRUE(head);
  EXPECT_EQ(head->header("content-length"), "20");
  EXPECT_EQ(client.read_answer().value().body, R"({"status":"healthy"})");
}

TEST_F(Exchange, an_answer_without_a_body_leaves_the_connection_in_step) {
  RawClient client = connect();
  ASSERT_TRUE(client.send(get("/none") + get("/health")));
  const auto none = client.read_answer();
  ASSERT_TRUE(none);
  EXPECT_EQ(none->status, 204);
  EXPECT_EQ(none->header("content-length"), "");
  EXPECT_EQ(client.read_answer().value().status, 200);
}

TEST_F(Exchange, connection_close_is_said_and_done) {
  for (const std::string& request : {get("/health", "Connection: close\r\n"), get("/close")}) {
    RawClient client = connect();
    ASSERT_TRUE(client.send(request));
    EXPECT_EQ(client.read_answer().value().header("connection"), "close");
    EXPECT_EQ(client.wait_for_end(), RawClient::End::closed);
  }
}

TEST_F(Exchange, an_http_1_0_client_gets_one_answer_unless_it_asks_for_more) {
  RawClient once = connect();
  ASSERT_TRUE(once.send("GET /health HTTP/1.0\r\n\r\n"));
  EXPECT_EQ(once.read_answer().value().header("connection"), "close");
  EXPECT_EQ(once.wait_for_end(), RawClient::End::closed);

  RawClient twice = connect();
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(twice.send("GET /health HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
    EXPECT_EQ(twice.read_answer().value().header("connection"), "keep-alive");
  }
}

TEST_F(Exchange, a_client_that_ends_its_side_still_gets_its_answer) {
  RawClient client = connect();
  ASSERT_TRUE(client.send(get("/health")));
  client.end_sending();
  EXPECT_EQ(client.read_answer().value().status, 200);
  EXPECT_EQ(client.wait_for_end(), RawClient::End::closed);
}

TEST_F(Exchange, a_body_that_breaks_off_never_reaches_the_service) {
  RawClient client = connect();
  ASSERT_TRUE(client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc"));
  client.end_sending();
  EXPECT_EQ(client.wait_for_end(), RawClient::End::closed);
  EXPECT_EQ(service.served, 0);
}

TEST_F(Exchange, an_exception_of_the_service_is_a_500_a_log_line_and_nothing_more) {
  RawClient client = connect();
  for (const char* path : {"/throw", "/throw-early"}) {
    ASSERT_TRUE(client.send(get(path)));
    const auto answer = client.read_answer();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 500);
    EXPECT_EQ(answer->body, "Internal Server Error");
  }
  ASSERT_TRUE(client.send(get("/health")));
  EXPECT_EQ(client.read_answer().value().status, 200);
  const auto lines = log_lines();
  EXPECT_EQ(std::count_if(lines.begin(), lines.end(),
                          [](const std::string& line) {
                            return line.find("exception") != std::string::npos;
                          }),
            2);
}

TEST_F(Exchange, the_go_ahead_comes_before_the_body_of_who_waits_for_it) {
  RawClient client = connect();
  ASSERT_TRUE(client.send(
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n"));
  EXPECT_EQ(client.read_head().value().status_line, "HTTP/1.1 100 Continue");
  EXPECT_EQ(service.served, 0);
  ASSERT_TRUE(client.send("body"));
  EXPECT_EQ(client.read_answer().value().body, "body");
}

TEST_F(Exchange, there_is_no_go_ahead_for_a_body_that_has_come_already) {
  EXPECT_EQ(ask(post("/echo", "body", "Expect: 100-continue\r\n")).status, 200);
}

TEST_F(Exchange, who_asks_whether_to_send_is_refused_without_a_go_ahead) {
  for (const char* request :
       {"POST /refused HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999\r\nExpect: "
        "100-continue\r\n\r\n"}) {
    RawClient client = connect();
    ASSERT_TRUE(client.send(request));
    const auto answer = client.read_answer();
    ASSERT_TRUE(answer);
    EXPECT_TRUE(answer->status == 401 || answer->status == 413) << answer->status;
    EXPECT_EQ(answer->header("connection"), "close");
  }
}

TEST_F(Exchange, an_early_refusal_drops_a_small_body_and_goes_on) {
  RawClient client = connect();
  ASSERT_TRUE(client.send(post("/refused", std::string(60'000, 'x')) + get("/health")));
  const auto refused = client.read_answer();
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->status, 401);
  EXPECT_EQ(refused->header("connection"), "");
  EXPECT_EQ(client.read_answer().value().status, 200);
  EXPECT_EQ(service.served, 1);
}

TEST_F(Exchange, an_early_refusal_of_a_large_or_chunked_body_closes) {
  for (const std::string& request :
       {post("/refused", std::string(100'000, 'x')),
        std::string{"POST /refused HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"}}) {
    RawClient client = connect();
    ASSERT_TRUE(client.send(request));
    const auto refused = client.read_answer();
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->status, 401);
    EXPECT_EQ(refused->header("connection"), "close");
    EXPECT_EQ(client.wait_for_end(), RawClient::End::closed);
  }
}

}  // namespace
}  // namespace dispatcher::testing
