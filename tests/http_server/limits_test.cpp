// Promise: whatever outside input can grow has a bound, reaching it gets an answer that says so,
// and the connection ends in a way that lets the client read that answer.
#include "http_server/server_fixture.hpp"

#include <thread>

namespace dispatcher::testing {
namespace {

using std::chrono::milliseconds;

class Limits : public ServerTest {
 protected:
  // The answer, after which the connection must end without a reset.
  RawAnswer ask_last(std::string_view request) {
    RawClient client = connect();
    client.send(request);
    auto answer = client.read_answer();
    EXPECT_TRUE(answer.has_value());
    client.end_sending();
    EXPECT_EQ(client.wait_for_end(), RawClient::End::closed);
    EXPECT_TRUE(!answer || answer->header("connection") == "close");
    return answer.value_or(RawAnswer{});
  }
};

TEST_F(Limits, headers_up_to_16_kib_pass_and_beyond_get_431) {
  const std::string frame = get("/health", "X: \r\n");
  const std::string most(16 * 1024 - frame.size(), 'x');
  EXPECT_EQ(ask(get("/health", "X: " + most + "\r\n")).status, 200);
  EXPECT_EQ(ask_last(get("/health", "X: " + most + "x\r\n")).status, 431);
  EXPECT_EQ(ask_last("GET /" + std::string(20'000, 'p')).status, 431);  // without an end
}

TEST_F(Limits, a_hundred_headers_pass_and_one_more_gets_431) {
  std::string headers;
  for (int i = 0; i < 99; ++i) {
    headers += "X: y\r\n";
  }
  EXPECT_EQ(ask(get("/health", headers)).status, 200);
  EXPECT_EQ(ask_last(get("/health", headers + "X: y\r\n")).status, 431);
}

TEST_F(Limits, a_body_of_a_mebibyte_passes_and_a_byte_more_gets_413) {
  EXPECT_EQ(ask(post("/size", std::string(1024 * 1024, 'x'))).body, "1048576");
  EXPECT_EQ(ask_last(post("/size", std::string(1024 * 1024 + 1, 'x'))).status, 413);
  EXPECT_EQ(service.served, 1);
}

TEST_F(Limits, a_body_that_is_announced_too_large_is_refused_before_it_comes) {
  EXPECT_EQ(
      ask_last("POST /size HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n").status,
      413);
}

TEST_F(Limits, a_client_that_sends_100_mb_at_once_can_read_its_413) {
  RawClient client = connect();
  const std::string part(1024 * 1024, 'x');
  ASSERT_TRUE(client.send("POST /size HTTP/1.1\r\nHost: a\r\nContent-Length: 104857600\r\n\r\n"));
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(client.send(part)) << i;
  }
  EXPECT_EQ(client.read_answer().value().status, 413);
}

TEST_F(Limits, a_chunked_body_is_counted) {
  std::string request = "POST /size HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 17; ++i) {
    request += "10000\r\n" + std::string(65'536, 'x') + "\r\n";
  }
  EXPECT_EQ(ask_last(request).status, 413);
}

TEST_F(Limits, headers_that_do_not_end_in_time_get_408) {
  options.limits.header_time = milliseconds{80};
  EXPECT_EQ(ask_last("GET / HTTP/1.1\r\nHost:").status, 408);
}

TEST_F(Limits, a_client_that_sends_a_byte_now_and_then_is_cut_off_all_the_same) {
  options.limits.header_time = milliseconds{200};
  options.limits.linger_idle_time = milliseconds{200};
  RawClient client = connect();
  // As long as the server takes them; a server without that limit takes all of them.
  int sent = 0;
  for (; sent < 2'000 && client.send("G"); ++sent) {
    std::this_thread::sleep_for(milliseconds{5});  // the slowness is what is tested
  }
  EXPECT_LT(sent, 2'000);
}

TEST_F(Limits, a_body_that_does_not_come_in_time_gets_408) {
  options.limits.body_time = milliseconds{80};
  EXPECT_EQ(ask_last("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc").status, 408);
  EXPECT_EQ(
      ask_last("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\na").status,
      408);
  EXPECT_EQ(service.served, 0);
}

TEST_F(Limits, a_connection_without_a_request_is_closed_in_silence) {
  options.limits.idle_time = milliseconds{80};
  RawClient fresh = connect();
  EXPECT_EQ(fresh.read_to_end(), "");
  EXPECT_EQ(fresh.wait_for_end(), RawClient::End::closed);

  RawClient used = connect();
  ASSERT_TRUE(used.send(get("/health")));
  EXPECT_EQ(used.read_answer().value().status, 200);
  EXPECT_EQ(used.read_to_end(), "");
}

TEST_F(Limits, time_spent_in_the_service_is_not_the_clients) {
  options.limits.idle_time = milliseconds{40};
  options.limits.header_time = milliseconds{40};
  options.limits.body_time = milliseconds{40};
  options.limits.write_idle_time = milliseconds{40};
  RawClient held = connect();
  ASSERT_TRUE(held.send(get("/hold")));
  service.wait_for_held(1);
  RawClient idle = connect();
  EXPECT_EQ(idle.read_to_end(), "");  // that one's time is up
  service.release();
  EXPECT_EQ(held.read_answer().value().body, "held");
}

TEST_F(Limits, a_client_that_takes_nothing_of_its_answer_is_cut_off) {
  options.limits.write_idle_time = milliseconds{100};
  service.large_bytes = 64 * 1024 * 1024;
  RawClient client = connect(4 * 1024);
  ASSERT_TRUE(client.send(get("/large")));
  wait_for_connections(1);
  wait_for_connections(0);  // returns: the server has let go of it
  EXPECT_LT(client.read_to_end().size(), service.large_bytes);
}

TEST_F(Limits, connections_beyond_the_limit_get_503_and_the_others_go_on) {
  options.limits.max_connections = 2;
  RawClient first = connect();
  RawClient second = connect();
  wait_for_connections(2);
  RawClient third = connect();
  const auto answer = third.read_answer();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 503);
  EXPECT_EQ(answer->header("retry-after"), "1");
  third.end_sending();
  EXPECT_EQ(third.wait_for_end(), RawClient::End::closed);
  ASSERT_TRUE(first.send(get("/health")));
  EXPECT_EQ(first.read_answer().value().status, 200);
}

TEST_F(Limits, a_place_that_is_free_again_is_given_again) {
  options.limits.max_connections = 1;
  for (int i = 0; i < 3; ++i) {
    RawClient client = connect();
    ASSERT_TRUE(client.send(get("/health", "Connection: close\r\n")));
    EXPECT_EQ(client.read_answer().value().status, 200);
    EXPECT_EQ(client.wait_for_end(), RawClient::End::closed);
    wait_for_connections(0);
  }
}

TEST_F(Limits, bodies_beyond_the_memory_for_all_get_503) {
  options.limits.max_memory_bytes = 512 * 1024;
  RawClient large = connect();
  const std::string half(300 * 1024, 'x');
  // Announced and sent in part: it holds its memory.
  ASSERT_TRUE(
      large.send("POST /size HTTP/1.1\r\nHost: a\r\nContent-Length: 400000\r\n\r\n" + half));
  const std::string announced =
      "POST /size HTTP/1.1\r\nHost: a\r\nContent-Length: 400000\r\nExpect: 100-continue\r\n\r\n";
  RawAnswer refused;
  while (refused.status != 503) {  // from when the server has read that part
    RawClient other = connect();
    ASSERT_TRUE(other.send(announced));
    refused = other.read_head().value();
  }
  EXPECT_EQ(refused.header("retry-after"), "1");
  EXPECT_EQ(ask(post("/size", "small")).status, 200);
  ASSERT_TRUE(large.send(std::string(400'000 - half.size(), 'x')));
  EXPECT_EQ(large.read_answer().value().body, "400000");
  ASSERT_TRUE(large.send(get("/health")));  // its memory is free by the next answer
  EXPECT_EQ(large.read_answer().value().status, 200);
  EXPECT_EQ(ask(post("/size", std::string(400'000, 'x'))).status, 200);
}

TEST_F(Limits, chunked_bodies_beyond_the_memory_for_all_get_503) {
  options.limits.max_memory_bytes = 256 * 1024;
  std::string request = "POST /size HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 8; ++i) {
    request += "10000\r\n" + std::string(65'536, 'x') + "\r\n";
  }
  EXPECT_EQ(ask_last(request).status, 503);
}

}  // namespace
}  // namespace dispatcher::testing
