// Checks that of an answer without end no more is read than the limits allow, and nothing kept of
// it beyond them.
#include "https/world.hpp"

#include <gtest/gtest.h>

#include <atomic>

namespace dispatcher::test {
namespace {

using std::chrono::milliseconds;

// What the buffers of a loopback connection hold: sent, and never read.
constexpr std::size_t kUnread = std::size_t{12} * 1024 * 1024;
constexpr std::size_t kBodyLimit = std::size_t{64} * 1024;

struct Flood {
  const char* name;
  std::string begins;
  std::string goes_on;
  const char* outcome;  // or how it begins
};

const std::string kHead = "HTTP/1.1 200 OK\r\n";
const std::string kFailed = "HTTP/1.1 500 Failed\r\n";

TEST(https_floods, a_flood_ends_at_its_limit) {
  const std::string chunk = "1000\r\n" + std::string(4096, 'c') + "\r\n";
  const Flood floods[] = {
      {"a status line", "HTTP/1.1 200 ", std::string(4096, 's'),
       "protocol: the answer's headers are longer than 16 KiB"},
      {"one header", kHead + "A: ", std::string(4096, 'a'),
       "protocol: the answer's headers are longer than 16 KiB"},
      {"long headers", kHead, "A: " + std::string(4096, 'a') + "\r\n",
       "protocol: the answer's headers are longer than 16 KiB"},
      // Which of the two limits is met first hangs on the pieces in which they come.
      {"short headers", kHead, "A: b\r\n", "protocol: the answer"},
      {"empty lines", "", "\r\n", "protocol: what came back is not HTTP/1.x"},
      {"interim answers", "", "HTTP/1.1 102 Processing\r\nA: b\r\n\r\n",
       "protocol: the server sends interim answers without end"},
      {"a body", kHead + "\r\n", std::string(4096, 'b'), "status 200"},
      {"a failure's body", kFailed + "\r\n", std::string(4096, 'b'), "status 500"},
      {"chunks", kHead + "Transfer-Encoding: chunked\r\n\r\n", chunk, "status 200"},
      {"a chunk's size", kHead + "Transfer-Encoding: chunked\r\n\r\n", std::string(4096, '0'),
       "status 200"},
      {"a chunk's extension", kHead + "Transfer-Encoding: chunked\r\n\r\n5;",
       std::string(4096, 'e'), "status 200"},
      {"trailers", kHead + "Transfer-Encoding: chunked\r\n\r\n0\r\n", "A: b\r\n", "status 200"},
      {"garbage", "", std::string(4096, '\xee'), "protocol: what came back is not HTTP/1.x"},
  };
  for (const bool is_tls : {false, true}) {
    for (const Flood& flood : floods) {
      std::atomic<std::size_t> sent{0};
      {
        Imposter imposter{[&](Peer& peer, int) {
                            if (is_tls) {
                              peer.handshake();
                            }
                            peer.read_request();
                            peer.write(flood.begins);
                            while (peer.write(flood.goes_on)) {
                              sent += flood.goes_on.size();
                            }
                          },
                          is_tls ? &local_tls() : nullptr};
        World world;
        const std::string url = is_tls ? https_url(imposter) : http_url(imposter);
        const Exchange exchange = world.send(post_within(url, std::chrono::seconds{60}));
        const std::string result = outcome(exchange);
        EXPECT_TRUE(result.starts_with(flood.outcome)) << flood.name << ": " << result;
        EXPECT_EQ(imposter.connections(), 1) << flood.name;
        EXPECT_EQ(world.client->idle_connections(), 0U) << flood.name;
        if (const auto* answer = std::get_if<Answer>(&exchange.result)) {
          EXPECT_LE(answer->body.size(), kBodyLimit) << flood.name;
        }
      }
      EXPECT_LT(sent, kUnread) << flood.name;
    }
  }
}

TEST(https_floods, who_needs_the_whole_body_reads_no_more_than_its_limit) {
  for (const std::string& head : {kHead + "\r\n", kHead + "Transfer-Encoding: chunked\r\n\r\n"}) {
    std::atomic<std::size_t> sent{0};
    {
      Imposter imposter{[&](Peer& peer, int) {
        peer.read_request();
        peer.write(head);
        const std::string piece = "1000\r\n" + std::string(4096, 'c') + "\r\n";
        while (peer.write(piece)) {
          sent += piece.size();
        }
      }};
      HttpRequest request = post_within(http_url(imposter), std::chrono::seconds{60});
      request.needs_whole_body = true;
      EXPECT_EQ(outcome(World{}.send(std::move(request))),
                "protocol: the answer's body is longer than 65536 bytes");
    }
    EXPECT_LT(sent, kUnread);
  }
}

TEST(https_floods, a_handshake_without_end_is_refused) {
  // A server's first message that says it has 16 MB, and goes on.
  const std::string record = std::string{"\x16\x03\x03\x40\x00", 5} + std::string(16'384, '\x03');
  std::atomic<std::size_t> sent{0};
  std::string result;
  {
    Imposter imposter{[&](Peer& peer, int) {
      peer.write(std::string{"\x16\x03\x03\x40\x00\x02\xff\xff\xff", 9} + std::string(16'380, 'x'));
      while (peer.write(record)) {
        sent += record.size();
      }
    }};
    result = outcome(World{}.send(post_within(https_url(imposter), std::chrono::seconds{60})));
  }
  EXPECT_TRUE(result.starts_with("tls: ")) << result;
  EXPECT_LT(sent, kUnread);
}

TEST(https_floods, renewing_keys_without_end_ends_at_the_deadline_and_holds_up_nobody) {
  Imposter flooding{[](Peer& peer, int) {
                      peer.handshake();
                      peer.read_request();
                      while (peer.renew_keys()) {
                      }
                    },
                    &local_tls()};
  Imposter healthy{always_tls(std::string{kOk}), &local_tls()};
  World world;
  Exchange flooded;
  world.start(post_within(https_url(flooding), milliseconds{500}), flooded);
  Exchange served;
  world.start(post_within(https_url(healthy), std::chrono::seconds{60}), served);
  while (world.under_way > 0) {
    world.loop.run_one();
  }
  EXPECT_EQ(outcome(served), "status 200");
  const std::string result = outcome(flooded);
  EXPECT_TRUE(result == "timeout: waiting for an answer" || result.starts_with("tls: ")) << result;
}

}  // namespace
}  // namespace dispatcher::test
