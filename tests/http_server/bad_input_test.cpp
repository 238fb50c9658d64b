// Promise: no input crashes the server or slips a second request past it; what is not HTTP is
// answered 400 and the connection ends.
#include "http_server/server_fixture.hpp"

#include <random>

namespace dispatcher::testing {
namespace {

class BadInput : public ServerTest {
 protected:
  BadInput() {
    options.limits.header_time = std::chrono::milliseconds{100};
    options.limits.body_time = std::chrono::milliseconds{100};
  }

  // The request is refused with that status, the connection ends, and nothing that followed on it
  // was taken for a request.
  void expect_refused(const std::string& request, int status) {
    RawClient client = connect();
    client.send(request + get("/health"));
    const auto answer = client.read_answer();
    ASSERT_TRUE(answer) << request;
    EXPECT_EQ(answer->status, status) << request;
    EXPECT_EQ(answer->header("connection"), "close") << request;
    client.end_sending();
    EXPECT_EQ(client.read_to_end(), "") << request;
    EXPECT_EQ(service.served, 0) << request;
  }
};

TEST_F(BadInput, every_form_of_smuggling_is_refused_and_ends_the_connection) {
  const std::string line = "POST /echo HTTP/1.1\r\nHost: a\r\n";
  for (const char* headers : {
           "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
           "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
           "Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcde",
           "Content-Length: 5, 5\r\n\r\nabcde",
           "Content-Length: +5\r\n\r\nabcde",
           "Content-Length : 5\r\n\r\nabcde",
           "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
           "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
           "Transfer-Encoding: \x0b"
           "chunked\r\n\r\n0\r\n\r\n",
           "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
           "X: y\r\n folded\r\n\r\n",
           "X: y\nContent-Length: 5\r\n\r\nabcde",
           "X: y\rContent-Length: 5\r\n\r\nabcde",
           "Transfer-Encoding: chunked\r\n\r\n5\nabcde\r\n0\r\n\r\n",
           "Transfer-Encoding: chunked\r\n\r\n5\r\nabcdef\r\n0\r\n\r\n",
           "Transfer-Encoding: chunked\r\n\r\n0x5\r\nabcde\r\n0\r\n\r\n",
           "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
       }) {
    expect_refused(line + headers, 400);
  }
  expect_refused(line + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501);
  expect_refused("GET / HTTP/1.1\r\n\r\n", 400);
  expect_refused("GET / HTTP/3.0\r\nHost: a\r\n\r\n", 505);
}

TEST_F(BadInput, a_tls_hello_on_a_plain_port_is_answered_at_once) {
  options.limits.header_time = std::chrono::hours{1};
  expect_refused(std::string{"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11}, 400);
}

TEST_F(BadInput, what_is_refused_after_a_good_request_does_not_touch_its_answer) {
  RawClient client = connect();
  client.send(get("/health") + "rubbish\r\n\r\n");
  EXPECT_EQ(client.read_answer().value().status, 200);
  EXPECT_EQ(client.read_answer().value().status, 400);
}

TEST_F(BadInput, random_bytes_and_mutated_requests_are_survived) {
  const unsigned seed = 20'260'101;
  SCOPED_TRACE(seed);
  std::mt19937 random{seed};
  const std::string good =
      get("/what?x=y", "Connection: keep-alive\r\n") + post("/echo", "abc") +
      "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
  for (int round = 0; round < 400; ++round) {
    std::string bytes = good;
    for (int changes = static_cast<int>(random() % 8); changes >= 0; --changes) {
      const std::size_t at = random() % bytes.size();
      switch (random() % 3) {
        case 0: bytes[at] = static_cast<char>(random()); break;
        case 1: bytes.erase(at, random() % 5); break;
        default: bytes.insert(at, 1 + random() % 3, "\r\n :;,0\xff"[random() % 8]);
      }
      bytes.push_back('x');
    }
    RawClient client = connect();
    client.send(bytes);
    client.end_sending();
    EXPECT_NE(client.wait_for_end(), RawClient::End::open) << round;
  }
  EXPECT_EQ(ask(get("/health")).status, 200);
}

}  // namespace
}  // namespace dispatcher::testing
