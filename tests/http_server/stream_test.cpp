// Promise: a streamed answer arrives whole or visibly cut, and holds one piece of memory however
// slowly it is read.
#include "http_server/server_fixture.hpp"

namespace dispatcher::testing {
namespace {

class Stream : public ServerTest {
 protected:
  std::string whole() const {
    std::string all;
    for (int i = 0; i < service.pieces; ++i) {
      all += std::string(service.piece_bytes, static_cast<char>('a' + i % 26));
    }
    return all;
  }
};

TEST_F(Stream, its_pieces_arrive_in_chunks_and_the_connection_goes_on) {
  RawClient client = connect();
  ASSERT_TRUE(client.send(get("/stream") + get("/health")));
  const auto answer = client.read_answer();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->header("transfer-encoding"), "chunked");
  EXPECT_EQ(answer->header("content-length"), "");
  EXPECT_EQ(answer->body, whole());
  EXPECT_EQ(client.read_answer().value().status, 200);
}

TEST_F(Stream, an_empty_one_and_one_with_empty_pieces_end_where_they_should) {
  service.pieces = 0;
  EXPECT_EQ(ask(get("/stream")).body, "");
  service.pieces = 3;
  service.piece_bytes = 0;
  RawClient client = connect();
  ASSERT_TRUE(client.send(get("/stream") + get("/health")));
  EXPECT_EQ(client.read_answer().value().body, "");
  EXPECT_EQ(client.read_answer().value().header("content-length"), "20");
  EXPECT_EQ(service.streams.asked, 3);
}

TEST_F(Stream, an_http_1_0_client_gets_the_bytes_and_the_end_of_the_connection) {
  RawClient client = connect();
  ASSERT_TRUE(client.send("GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
  const auto answer = client.read_answer();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->header("transfer-encoding"), "");
  EXPECT_EQ(answer->header("connection"), "close");
  EXPECT_EQ(answer->body, whole());
}

TEST_F(Stream, head_asks_for_no_piece) {
  RawClient client = connect();
  ASSERT_TRUE(client.send("HEAD /stream HTTP/1.1\r\nHost: a\r\n\r\n" + get("/health")));
  EXPECT_EQ(client.read_answer(true).value().status, 200);
  EXPECT_EQ(client.read_answer().value().header("content-length"), "20");
  EXPECT_EQ(service.streams.asked, 0);
}

TEST_F(Stream, one_that_is_cut_short_or_throws_never_looks_whole) {
  for (const char* path : {"/cut-stream", "/throw-stream"}) {
    RawClient client = connect();
    ASSERT_TRUE(client.send(get(path)));
    EXPECT_FALSE(client.read_answer()) << path;
  }
  RawClient old = connect();
  ASSERT_TRUE(old.send("GET /cut-stream HTTP/1.0\r\n\r\n"));
  EXPECT_EQ(old.wait_for_end(), RawClient::End::reset);
  EXPECT_EQ(service.streams.streams, 0);
}

TEST_F(Stream, a_slow_reader_holds_one_piece_and_gets_everything_in_the_end) {
  service.pieces = 128;
  service.piece_bytes = 256 * 1024;  // 32 MiB, far past what the kernel buffers
  RawClient client = connect(4 * 1024);
  ASSERT_TRUE(client.send(get("/stream")));
  ASSERT_TRUE(client.read_head());
  ASSERT_EQ(client.read_bytes(1), "4");  // of the first chunk's size
  // Others are served meanwhile, and by the time that they are the stream has come to a halt.
  int asked = -1;
  while (asked != service.streams.asked) {
    asked = service.streams.asked;
    for (int i = 0; i < 100; ++i) {
      ASSERT_EQ(ask(get("/health")).status, 200);
    }
  }
  EXPECT_LT(asked, 64);
  for (int i = 0; i < 128; ++i) {  // `40000`, the piece, and line breaks
    ASSERT_EQ(client.read_bytes(i == 0 ? 262'144 + 8 : 262'144 + 9).size(),
              i == 0 ? 262'152U : 262'153U);
  }
  EXPECT_EQ(service.streams.asked, 128);
}

TEST_F(Stream, a_reader_that_stops_is_cut_off_and_its_stream_ends) {
  options.limits.write_idle_time = std::chrono::milliseconds{100};
  service.pieces = 512;
  service.piece_bytes = 256 * 1024;
  RawClient client = connect(4 * 1024);
  ASSERT_TRUE(client.send(get("/stream")));
  ASSERT_TRUE(client.read_head());
  wait_for_connections(0);
  EXPECT_EQ(service.streams.streams, 0);
}

TEST_F(Stream, a_reader_that_goes_away_ends_its_stream) {
  service.pieces = 512;
  service.piece_bytes = 256 * 1024;
  {
    RawClient client = connect(4 * 1024);
    ASSERT_TRUE(client.send(get("/stream")));
    ASSERT_TRUE(client.read_head());
  }
  wait_for_connections(0);
  EXPECT_EQ(service.streams.streams, 0);
  EXPECT_LT(service.streams.asked, 512);
}

}  // namespace
}  // namespace dispatcher::testing
