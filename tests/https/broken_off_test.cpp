// Checks what a request comes to when the receiver breaks off, at each stage and in each way: it is
// a reset, unless the answer's headers were there; and that what was begun on a kept connection is
// begun again once, on a new one, only when nothing of an answer came.
#include "https/world.hpp"

#include <gtest/gtest.h>

#include <atomic>

namespace dispatcher::test {
namespace {

using std::chrono::milliseconds;

enum class Way { reset, ended, closed };  // by an RST, by a FIN, by a close_notify before the FIN

void break_off(Peer& peer, Way way) {
  switch (way) {
    case Way::reset: return peer.reset();
    case Way::ended: return peer.close_raw();
    case Way::closed: return peer.close();
  }
}

struct Stage {
  const char* name;
  void (*before)(Peer& peer);  // after the handshake
  const char* outcome;
};

void sends(Peer& peer, std::string_view answer) {
  peer.read_request();
  peer.write(answer);
}

const Stage kStages[] = {
    {"before the request", [](Peer&) {}, "reset: "},
    {"behind the request", [](Peer& peer) { peer.read_request(); }, "reset: "},
    {"in the status line", [](Peer& peer) { sends(peer, "HTTP/1.1 2"); }, "reset: "},
    {"in the headers", [](Peer& peer) { sends(peer, "HTTP/1.1 200 OK\r\nA: b\r\n"); }, "reset: "},
    {"behind an interim answer", [](Peer& peer) { sends(peer, "HTTP/1.1 102 Wait\r\n\r\n"); },
     "reset: "},
    {"behind the headers",
     [](Peer& peer) { sends(peer, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"); }, "status 200"},
    {"in the body",
     [](Peer& peer) { sends(peer, "HTTP/1.1 500 No\r\nContent-Length: 9\r\n\r\nabc"); },
     "status 500"},
    {"in a chunk",
     [](Peer& peer) {
       sends(peer, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc");
     },
     "status 200"},
};

TEST(https_broken_off, at_every_stage_and_in_every_way) {
  for (const bool is_tls : {false, true}) {
    for (const Way way : {Way::reset, Way::ended, Way::closed}) {
      for (const Stage& stage : kStages) {
        Imposter imposter{[&](Peer& peer, int) {
                            if (is_tls) {
                              peer.handshake();
                            }
                            stage.before(peer);
                            break_off(peer, way);
                          },
                          is_tls ? &local_tls() : nullptr};
        World world;
        const std::string url = is_tls ? https_url(imposter) : http_url(imposter);
        const std::string result = outcome(world.send(post(url)));
        // An RST may overtake what was sent before it.
        const bool is_overtaken = way == Way::reset && result.starts_with("reset: ");
        EXPECT_TRUE(result.starts_with(stage.outcome) || is_overtaken)
            << stage.name << ": " << result;
        EXPECT_EQ(imposter.connections(), 1) << stage.name;
        EXPECT_EQ(world.client->idle_connections(), 0U) << stage.name;
      }
    }
  }
}

TEST(https_broken_off, in_the_handshake) {
  for (const Way way : {Way::reset, Way::ended}) {
    for (const std::string& begun : {std::string{}, std::string{"\x16\x03\x03\x00\x7a\x02"}}) {
      Imposter imposter{[&](Peer& peer, int) {
                          peer.write_raw(begun);
                          break_off(peer, way);
                        },
                        &local_tls()};
      const std::string result = outcome(World{}.send(post(https_url(imposter))));
      EXPECT_TRUE(result.starts_with("reset: ")) << begun.size() << result;
    }
  }
}

TEST(https_broken_off, in_the_middle_of_a_long_request) {
  for (const Way way : {Way::reset, Way::ended}) {
    Imposter imposter{[&](Peer& peer, int) {
                        peer.handshake();
                        peer.read_bytes(100'000);
                        break_off(peer, way);
                      },
                      &local_tls()};
    HttpRequest request = post(https_url(imposter));
    request.body = std::string(8 * 1024 * 1024, 'x');
    const std::string result = outcome(World{}.send(std::move(request)));
    EXPECT_TRUE(result.starts_with("reset: ")) << result;
    EXPECT_EQ(imposter.connections(), 1);
  }
}

TEST(https_broken_off, a_body_that_is_needed_whole_is_then_a_reset) {
  for (const char* answer : {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
                             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc"}) {
    Imposter imposter{[answer](Peer& peer, int) {
                        peer.handshake();
                        sends(peer, answer);
                      },
                      &local_tls()};
    HttpRequest request = post(https_url(imposter));
    request.needs_whole_body = true;
    EXPECT_EQ(outcome(World{}.send(std::move(request))),
              "reset: the connection ended within the answer's body");
  }
}

// -- kept connections

// Answers the first request of each connection. Of the second it reads `bytes`, 0: all of it, and
// breaks off.
Imposter::Script breaks_off_when_reused(std::size_t bytes, Way way) {
  return [bytes, way](Peer& peer, int) {
    peer.handshake();
    peer.read_request();
    peer.write(kOk);
    bytes > 0 ? peer.read_bytes(bytes) : static_cast<void>(peer.read_request());
    break_off(peer, way);
  };
}

TEST(https_broken_off, a_request_cut_on_a_kept_connection_is_begun_again_on_a_new_one) {
  for (const Way way : {Way::reset, Way::ended, Way::closed}) {
    for (const std::size_t bytes : {std::size_t{0}, std::size_t{1}, std::size_t{100'000}}) {
      Imposter imposter{breaks_off_when_reused(bytes, way), &local_tls()};
      World world;
      EXPECT_EQ(outcome(world.send(post(https_url(imposter)))), "status 200");
      HttpRequest request = post(https_url(imposter));
      request.body = std::string(1024 * 1024, 'x');
      EXPECT_EQ(outcome(world.send(std::move(request))), "status 200") << bytes;
      EXPECT_EQ(imposter.connections(), 2) << bytes;
    }
  }
}

TEST(https_broken_off, the_second_try_is_on_a_new_connection_and_there_is_no_third) {
  std::atomic<bool> is_healthy{true};
  std::atomic<int> requests{0};
  Imposter imposter{[&](Peer& peer, int) {
                      peer.handshake();
                      while (!peer.read_request().empty()) {
                        ++requests;
                        if (!is_healthy) {
                          return;
                        }
                        peer.write(kOk);
                      }
                    },
                    &local_tls()};
  World world;
  std::vector<HttpRequest> at_once;
  for (int i = 0; i < 3; ++i) {
    at_once.push_back(post(https_url(imposter)));
  }
  for (const Exchange& exchange : world.send_all(std::move(at_once))) {
    EXPECT_EQ(outcome(exchange), "status 200");
  }
  EXPECT_EQ(world.client->idle_connections(), 3U);
  is_healthy = false;
  EXPECT_EQ(outcome(world.send(post(https_url(imposter)))),
            "reset: the connection ended before an answer");
  EXPECT_EQ(requests, 3 + 2);
  EXPECT_EQ(imposter.connections(), 3 + 1);
}

TEST(https_broken_off, both_tries_share_one_deadline) {
  Imposter imposter{[](Peer& peer, int connection) {
                      peer.handshake();
                      peer.read_request();
                      if (connection > 0) {  // past the deadline, but not the time from here on
                        std::this_thread::sleep_for(milliseconds{500});
                        peer.write(kOk);
                        return;
                      }
                      peer.write(kOk);
                      peer.read_request();
                      std::this_thread::sleep_for(milliseconds{300});
                    },
                    &local_tls()};
  World world;
  EXPECT_EQ(outcome(world.send(post(https_url(imposter)))), "status 200");
  HttpRequest request = post_within(https_url(imposter), milliseconds{600});
  EXPECT_EQ(outcome(world.send(std::move(request))), "timeout: waiting for an answer");
  EXPECT_EQ(imposter.connections(), 2);
}

TEST(https_broken_off, a_request_that_keeps_no_connection_uses_none_and_is_sent_once) {
  std::atomic<int> requests{0};
  Imposter imposter{[&](Peer& peer, int connection) {
                      peer.handshake();
                      while (!peer.read_request().empty()) {
                        ++requests;
                        if (connection > 0) {
                          return;
                        }
                        peer.write(kOk);
                      }
                    },
                    &local_tls()};
  World world;
  EXPECT_EQ(outcome(world.send(post(https_url(imposter)))), "status 200");
  HttpRequest request = post(https_url(imposter));
  request.max_idle_connections = 0;
  EXPECT_EQ(outcome(world.send(std::move(request))),
            "reset: the connection ended before an answer");
  EXPECT_EQ(requests, 2);
  EXPECT_EQ(imposter.connections(), 2);
}

}  // namespace
}  // namespace dispatcher::test
