// Checks that a request ends by its deadline, with the right failure, whatever the receiver does.
#include "https/world.hpp"

#include <gtest/gtest.h>

#include <future>

namespace dispatcher::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// Long enough for a handshake under a sanitizer, short enough to wait for.
constexpr milliseconds kShort{400};

// What it came to; it neither ended before its time nor went on for seconds after.
std::string outcome_at_deadline(World& world, HttpRequest request) {
  const auto begun = steady_clock::now();
  const MonoTime deadline = request.deadline;
  const std::string result = outcome(world.send(std::move(request)));
  EXPECT_GE(steady_clock::now(), deadline);
  EXPECT_LT(steady_clock::now(), begun + std::chrono::seconds{5});
  return result;
}

TEST(https_hostile, one_that_never_answers_ends_at_the_deadline) {
  Imposter imposter{[](Peer& peer, int) {
                      peer.handshake();
                      peer.hold();
                    },
                    &local_tls()};
  World world;
  EXPECT_EQ(outcome_at_deadline(world, post_within(https_url(imposter), kShort)),
            "timeout: waiting for an answer");
}

TEST(https_hostile, one_that_never_shakes_hands_ends_at_the_deadline) {
  Imposter imposter{[](Peer& peer, int) { peer.hold(); }, &local_tls()};
  World world;
  const Exchange exchange = world.send(post_within(https_url(imposter), kShort));
  EXPECT_EQ(outcome(exchange), "timeout: TLS handshake");
  EXPECT_EQ(exchange.remote_address, "127.0.0.1:" + std::to_string(imposter.port()));
}

TEST(https_hostile, a_handshake_of_a_byte_at_a_time_ends_at_the_deadline) {
  // A server's flight that says it is long: a handshake record of 16 KB, in drips.
  Imposter imposter{[](Peer& peer, int) {
    peer.write_slowly(
        std::string{"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc", 9} + std::string(10'000, '\x03'),
        milliseconds{5});
  }};
  World world;
  EXPECT_EQ(outcome_at_deadline(world, post_within(https_url(imposter), kShort)),
            "timeout: TLS handshake");
}

TEST(https_hostile, headers_of_a_byte_at_a_time_end_at_the_deadline) {
  Imposter imposter{[](Peer& peer, int) {
                      peer.handshake();
                      peer.read_request();
                      peer.write_slowly("HTTP/1.1 200 OK\r\nA: " + std::string(10'000, 'a'),
                                        milliseconds{5});
                    },
                    &local_tls()};
  World world;
  EXPECT_EQ(outcome_at_deadline(world, post_within(https_url(imposter), kShort)),
            "timeout: waiting for an answer");
}

TEST(https_hostile, a_body_of_a_byte_at_a_time_counts_by_its_headers) {
  Imposter imposter{[](Peer& peer, int) {
                      peer.handshake();
                      peer.read_request();
                      peer.write("HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n");
                      peer.write_slowly(std::string(10'000, 'b'), milliseconds{5});
                    },
                    &local_tls()};
  World world;
  HttpRequest request = post(https_url(imposter));
  request.max_body_time = milliseconds{100};
  const Exchange exchange = world.send(std::move(request));
  ASSERT_EQ(outcome(exchange), "status 200");
  EXPECT_LT(std::get<Answer>(exchange.result).body.size(), 10'000U);
  EXPECT_EQ(world.client->idle_connections(), 0U);

  HttpRequest by_deadline = post_within(https_url(imposter), kShort);
  by_deadline.max_body_time = std::chrono::seconds{60};
  EXPECT_EQ(outcome_at_deadline(world, std::move(by_deadline)), "status 200");

  HttpRequest whole = post_within(https_url(imposter), kShort);
  whole.needs_whole_body = true;
  EXPECT_EQ(outcome_at_deadline(world, std::move(whole)), "timeout: reading the answer");
}

TEST(https_hostile, a_request_that_nobody_reads_ends_at_the_deadline) {
  std::promise<void> ended;
  Imposter imposter{[&ended](Peer& peer, int) {
                      peer.handshake();
                      ended.get_future().wait();
                    },
                    &local_tls()};
  World world;
  HttpRequest request = post(https_url(imposter));
  request.body = std::string(16 * 1024 * 1024, 'x');
  // Copying and encrypting what the socket takes needs a while on a busy machine.
  request.deadline = world.clock.monotonic() + 4 * kShort;
  EXPECT_EQ(outcome_at_deadline(world, std::move(request)), "timeout: sending the request");
  ended.set_value();
}

struct Misbehaviour {
  const char* name;
  std::string answer;  // then the connection is closed
  const char* outcome;
};

TEST(https_hostile, what_is_wrong_with_an_answer_is_said) {
  const std::string head = "HTTP/1.1 200 OK\r\n";
  const Misbehaviour cases[] = {
      {"nothing", "", "reset: the connection ended before an answer"},
      {"half a line", "HTTP/1.1 20", "reset: the connection ended within the answer's headers"},
      {"half the headers", head + "A: b\r\n",
       "reset: the connection ended within the answer's headers"},
      {"garbage", std::string(100'000, '\xee'), "protocol: what came back is not HTTP/1.x"},
      {"HTTP/0.9", "<html><body>ok</body></html>", "protocol: what came back is not HTTP/1.x"},
      {"endless headers", head + "A: " + std::string(5'000'000, 'a'),
       "protocol: the answer's headers are longer than 16 KiB"},
      {"HTTP/2", std::string{"\0\0\x12\x04\0\0\0\0\0", 9} + std::string(18, '\0'),
       "protocol: the server speaks HTTP/2 only; HTTP/1.1 is needed"},
      {"a truncated body", head + "Content-Length: 10\r\n\r\nabc", "status 200"},
      {"a longer body", head + "Content-Length: 1\r\n\r\nabc", "status 200"},
      {"wrong chunks", head + "Transfer-Encoding: chunked\r\n\r\nnonsense\r\n", "status 200"},
      {"an endless body", head + "\r\n" + std::string(5'000'000, 'b'), "status 200"},
      {"an old upgrade", "HTTP/1.1 101 Switching Protocols\r\n\r\n",
       "protocol: the answer has status 101"},
  };
  for (const bool is_tls : {false, true}) {
    for (const Misbehaviour& one : cases) {
      Imposter imposter{[&](Peer& peer, int) {
                          if (is_tls) {
                            peer.handshake();
                          }
                          peer.read_request();
                          peer.write(one.answer);
                        },
                        is_tls ? &local_tls() : nullptr};
      World world;
      const std::string url = is_tls ? https_url(imposter) : http_url(imposter);
      const Exchange exchange = world.send(post(url));
      EXPECT_EQ(outcome(exchange), one.outcome) << one.name;
      EXPECT_EQ(world.client->idle_connections(), 0U) << one.name;
      EXPECT_EQ(imposter.connections(), 1) << one.name;
      if (const auto* answer = std::get_if<Answer>(&exchange.result)) {
        EXPECT_LE(answer->body.size(), 64U * 1024) << one.name;
      }
    }
  }
}

TEST(https_hostile, a_flood_of_interim_answers_ends) {
  Imposter imposter{[](Peer& peer, int) {
                      peer.handshake();
                      peer.read_request();
                      while (peer.write("HTTP/1.1 102 Processing\r\n\r\n")) {
                      }
                    },
                    &local_tls()};
  EXPECT_EQ(outcome(World{}.send(post(https_url(imposter)))),
            "protocol: the server sends interim answers without end");
}

TEST(https_hostile, a_reset_at_any_stage_is_a_reset) {
  enum Stage { accepted, shaken, asked, answering };
  for (const Stage stage : {accepted, shaken, asked, answering}) {
    Imposter imposter{[stage](Peer& peer, int) {
                        if (stage >= shaken) {
                          peer.handshake();
                        }
                        if (stage >= asked) {
                          peer.read_request();
                        }
                        if (stage >= answering) {
                          peer.write("HTTP/1.1 200");
                        }
                        peer.reset();
                      },
                      &local_tls()};
    const std::string result = outcome(World{}.send(post(https_url(imposter))));
    EXPECT_TRUE(result.starts_with("reset: ")) << stage << result;
  }
}

TEST(https_hostile, a_plain_server_on_the_port_is_named) {
  Imposter imposter{[](Peer& peer, int) {
    peer.write("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    peer.hold();
  }};
  EXPECT_EQ(outcome(World{}.send(post(https_url(imposter)))),
            "tls: the server does not speak TLS on this port");
}

TEST(https_hostile, a_server_of_http_2_alone_is_named) {
  ServerTls tls = local_tls();
  tls.protocol = "h2";
  Imposter imposter{always_tls(std::string{kOk}), &tls};
  EXPECT_EQ(outcome(World{}.send(post(https_url(imposter)))),
            "protocol: the server does not offer HTTP/1.1 (HTTP/2 only?)");
}

TEST(https_hostile, nobody_listening_is_a_refused_connection) {
  const std::string url = "https://127.0.0.1:" + std::to_string(closed_port()) + "/";
  const Exchange exchange = World{}.send(post(url));
  EXPECT_EQ(outcome(exchange), "connect: connection refused");
  EXPECT_EQ(exchange.remote_address, "");
}

TEST(https_hostile, nothing_secret_is_in_a_failure) {
  Imposter imposter{always_tls("garbage secret-answer"), &local_tls()};
  World world;
  HttpRequest request = post(https_url(imposter));
  request.headers.push_back({"X-Key", "secret-header"});
  EXPECT_EQ(outcome(world.send(std::move(request))).find("secret"), std::string::npos);
}

// -- kept connections that die

TEST(https_hostile, a_connection_closed_while_idle_is_replaced) {
  for (const bool is_proper : {true, false}) {
    std::promise<void> closed;
    Imposter imposter{[&closed, is_proper](Peer& peer, int connection) {
                        peer.handshake();
                        peer.read_request();
                        peer.write(kOk);
                        if (connection == 0) {
                          is_proper ? peer.close() : peer.close_raw();
                          closed.set_value();
                        }
                      },
                      &local_tls()};
    World world;
    EXPECT_EQ(outcome(world.send(post(https_url(imposter)))), "status 200");
    closed.get_future().wait();
    EXPECT_EQ(outcome(world.send(post(https_url(imposter)))), "status 200");
    EXPECT_EQ(imposter.connections(), 2);
  }
}

TEST(https_hostile, a_connection_closed_just_as_it_is_reused_is_replaced_within_the_call) {
  for (const bool is_reset : {true, false}) {
    std::atomic<int> requests{0};
    Imposter imposter{[&requests, is_reset](Peer& peer, int connection) {
                        peer.handshake();
                        requests += peer.read_request().empty() ? 0 : 1;
                        peer.write(kOk);
                        requests += peer.read_request().empty() ? 0 : 1;
                        if (connection == 0) {  // closed with the request read and not answered
                          is_reset ? peer.reset() : peer.close();
                        }
                      },
                      &local_tls()};
    World world;
    EXPECT_EQ(outcome(world.send(post(https_url(imposter)))), "status 200");
    EXPECT_EQ(outcome(world.send(post(https_url(imposter)))), "status 200");
    EXPECT_EQ(imposter.connections(), 2);
    EXPECT_EQ(requests, 3);
  }
}

TEST(https_hostile, a_new_connection_that_dies_is_not_tried_again) {
  Imposter imposter{[](Peer& peer, int connection) {
                      peer.handshake();
                      peer.read_request();
                      if (connection == 0) {
                        peer.write(kOk);
                        peer.read_request();
                      }
                    },
                    &local_tls()};
  World world;
  EXPECT_EQ(outcome(world.send(post(https_url(imposter)))), "status 200");
  EXPECT_EQ(outcome(world.send(post(https_url(imposter)))),
            "reset: the connection ended before an answer");
  EXPECT_EQ(imposter.connections(), 2);
}

TEST(https_hostile, one_that_dies_after_a_byte_of_the_answer_is_not_tried_again) {
  Imposter imposter{[](Peer& peer, int) {
                      peer.handshake();
                      peer.read_request();
                      peer.write(kOk);
                      peer.read_request();
                      peer.write("H");
                    },
                    &local_tls()};
  World world;
  EXPECT_EQ(outcome(world.send(post(https_url(imposter)))), "status 200");
  EXPECT_EQ(outcome(world.send(post(https_url(imposter)))),
            "reset: the connection ended within the answer's headers");
  EXPECT_EQ(imposter.connections(), 1);
}

TEST(https_hostile, an_answer_sent_before_it_was_asked_for_is_never_taken) {
  std::promise<void> answered;
  std::promise<void> sent;
  Imposter imposter{[&](Peer& peer, int connection) {
                      peer.handshake();
                      peer.read_request();
                      peer.write(kOk);
                      if (connection == 0) {
                        answered.get_future().wait();
                        peer.write("HTTP/1.1 500 Smuggled\r\nContent-Length: 0\r\n\r\n");
                        sent.set_value();
                        peer.hold();
                      }
                    },
                    &local_tls()};
  World world;
  EXPECT_EQ(outcome(world.send(post(https_url(imposter)))), "status 200");
  answered.set_value();
  sent.get_future().wait();
  EXPECT_EQ(outcome(world.send(post(https_url(imposter)))), "status 200");
  EXPECT_EQ(imposter.connections(), 2);
}

// -- giving up

TEST(https_hostile, abort_ends_requests_at_every_stage) {
  Imposter silent{[](Peer& peer, int) { peer.hold(); }, &local_tls()};
  Imposter deaf{[](Peer& peer, int) {
                  peer.handshake();
                  peer.hold();
                },
                &local_tls()};
  Imposter idle{always_tls(std::string{kOk}), &local_tls()};
  World world;
  EXPECT_EQ(outcome(world.send(post(https_url(idle)))), "status 200");
  std::vector<Exchange> exchanges(2);
  world.start(post(https_url(silent)), exchanges[0]);
  world.start(post(https_url(deaf)), exchanges[1]);
  world.loop.restart();
  world.loop.run_for(milliseconds{100});
  EXPECT_EQ(world.under_way, 2);
  world.client->abort();
  world.loop.restart();
  world.loop.run();  // nothing holds the loop any more
  EXPECT_EQ(world.under_way, 0);
  for (const Exchange& exchange : exchanges) {
    EXPECT_EQ(outcome(exchange), "aborted: given up because the dispatcher is stopping");
  }
  EXPECT_EQ(world.client->idle_connections(), 0U);
  EXPECT_EQ(outcome(world.send(post(https_url(idle)))),
            "aborted: given up because the dispatcher is stopping");
}

TEST(https_hostile, the_client_and_the_loop_may_end_with_requests_under_way) {
  Imposter imposter{[](Peer& peer, int) { peer.hold(); }, &local_tls()};
  Exchange first;
  {
    World world;
    world.start(post(https_url(imposter)), first);
    world.start(post(https_url(imposter, "localhost")), first);
    world.loop.run_for(milliseconds{50});
    world.client.reset();
    world.loop.restart();
    world.loop.run_one();
  }
  Exchange second;
  {
    World world;
    world.start(post(https_url(imposter)), second);
    world.loop.run_for(milliseconds{50});
  }
}

TEST(https_hostile, a_hanging_receiver_holds_up_no_other) {
  Imposter hanging{[](Peer& peer, int) { peer.hold(); }, &local_tls()};
  Imposter healthy{always_tls(std::string{kOk}), &local_tls()};
  World world;
  Exchange hung;
  world.start(post_within(https_url(hanging), std::chrono::seconds{60}), hung);
  for (int i = 0; i < 50; ++i) {
    Exchange exchange;
    world.start(post(https_url(healthy)), exchange);
    while (world.under_way > 1) {
      world.loop.run_one();
    }
    EXPECT_EQ(outcome(exchange), "status 200");
  }
  world.client->abort();
  world.loop.run();
}

}  // namespace
}  // namespace dispatcher::test
