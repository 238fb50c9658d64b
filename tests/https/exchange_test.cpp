// Checks what a request over a real socket comes to when the receiver behaves: answers, kept
// connections, resumed sessions, addresses.
#include "https/world.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <future>

namespace dispatcher::test {
namespace {

using std::chrono::milliseconds;

TEST(https_exchange, a_request_is_answered) {
  std::promise<std::string> seen;
  Imposter imposter{[&seen](Peer& peer, int) {
                      peer.handshake();
                      seen.set_value(peer.read_request());
                      peer.write("HTTP/1.1 202 Accepted\r\nX-A: b\r\nContent-Length: 2\r\n\r\nok");
                    },
                    &local_tls()};
  World world;
  const Exchange exchange = world.send(post(https_url(imposter)));
  ASSERT_EQ(outcome(exchange), "status 202");
  const Answer& answer = std::get<Answer>(exchange.result);
  EXPECT_EQ(answer.body, "ok");
  EXPECT_EQ(answer.header("x-a"), "b");
  EXPECT_EQ(exchange.remote_address, "127.0.0.1:" + std::to_string(imposter.port()));
  EXPECT_EQ(seen.get_future().get(),
            "POST /secret-path?secret=query HTTP/1.1\r\nHost: 127.0.0.1:" +
                std::to_string(imposter.port()) +
                "\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n{\"n\":1}");
}

TEST(https_exchange, connections_are_kept_and_reused) {
  Imposter imposter{always_tls(std::string{kOk}), &local_tls()};
  World world;
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(outcome(world.send(post(https_url(imposter)))), "status 200");
  }
  EXPECT_EQ(imposter.connections(), 1);
  EXPECT_EQ(world.client->connections_opened(), 1U);
  EXPECT_EQ(world.client->idle_connections(), 1U);
}

TEST(https_exchange, no_more_connections_are_kept_than_asked_for) {
  Imposter imposter{always(std::string{kOk})};
  World world;
  for (int round = 0; round < 2; ++round) {
    std::vector<HttpRequest> requests;
    for (int i = 0; i < 8; ++i) {
      requests.push_back(post(http_url(imposter)));
      requests.back().max_idle_connections = 3;
    }
    for (const Exchange& exchange : world.send_all(std::move(requests))) {
      EXPECT_EQ(outcome(exchange), "status 200");
    }
    EXPECT_EQ(world.client->idle_connections(), 3U);
  }
  EXPECT_EQ(world.client->connections_opened(), 8U + 5U);
}

TEST(https_exchange, the_pool_has_a_bound_over_all_origins) {
  Imposter imposter{always(std::string{kOk})};
  HttpsOptions options = local_options();
  options.max_idle_connections = 2;
  World world{options};
  for (int i = 0; i < 4; ++i) {
    HttpRequest request = post(http_url(imposter));
    request.pool = "pool " + std::to_string(i);
    EXPECT_EQ(outcome(world.send(std::move(request))), "status 200");
  }
  EXPECT_EQ(world.client->idle_connections(), 2U);
  HttpRequest request = post(http_url(imposter));
  request.pool = "pool 3";  // one of the two used last
  world.send(std::move(request));
  EXPECT_EQ(world.client->connections_opened(), 4U);
}

TEST(https_exchange, a_connection_unused_for_the_idle_time_is_closed) {
  std::promise<void> closed;
  Imposter imposter{[&closed](Peer& peer, int) {
    peer.read_request();
    peer.write(kOk);
    peer.hold();
    closed.set_value();
  }};
  HttpsOptions options = local_options();
  options.idle_timeout = milliseconds{30};
  World world{options};
  EXPECT_EQ(outcome(world.send(post(http_url(imposter)))), "status 200");
  world.loop.restart();
  world.loop.run();  // ends when nothing is waited for any more
  EXPECT_EQ(world.client->idle_connections(), 0U);
  closed.get_future().wait();
}

TEST(https_exchange, pools_and_webhooks_and_others_do_not_share_connections) {
  Imposter imposter{always(std::string{kOk})};
  World world;
  world.send(post(http_url(imposter)));
  HttpRequest other_pool = post(http_url(imposter));
  other_pool.pool = "other";
  world.send(std::move(other_pool));
  HttpRequest no_webhook = post(http_url(imposter));
  no_webhook.is_webhook = false;
  world.send(std::move(no_webhook));
  EXPECT_EQ(imposter.connections(), 3);
}

void expect_resumption(int max_version) {
  std::atomic<int> resumed{0};
  ServerTls tls = local_tls();
  tls.max_version = max_version;
  Imposter imposter{
      [&resumed](Peer& peer, int) {
        peer.handshake();
        resumed += peer.was_resumed() ? 1 : 0;
        peer.read_request();
        peer.write("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
      },
      &tls};
  World world;
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(outcome(world.send(post(https_url(imposter)))), "status 200");
  }
  EXPECT_EQ(imposter.connections(), 4);
  EXPECT_EQ(resumed, 3);
  EXPECT_EQ(world.client->sessions_resumed(), 3U);
}

TEST(https_exchange, a_tls_1_3_session_is_resumed) {
  expect_resumption(TLS1_3_VERSION);
}
TEST(https_exchange, a_tls_1_2_session_is_resumed) {
  expect_resumption(TLS1_2_VERSION);
}

TEST(https_exchange, a_server_of_tls_1_1_is_refused) {
  ServerTls tls = local_tls();
  tls.max_version = TLS1_1_VERSION;
  tls.security_level = 0;
  Imposter imposter{always_tls(std::string{kOk}), &tls};
  EXPECT_TRUE(outcome(World{}.send(post(https_url(imposter)))).starts_with("tls: "));
}

TEST(https_exchange, the_server_name_is_sent_for_names_alone) {
  std::mutex mutex;
  std::vector<std::string> names;
  Imposter imposter{[&](Peer& peer, int) {
                      peer.handshake();
                      {
                        const std::lock_guard lock{mutex};
                        names.push_back(peer.server_name());
                      }
                      peer.read_request();
                      peer.write(kOk);
                    },
                    &local_tls()};
  World world;
  EXPECT_EQ(outcome(world.send(post(https_url(imposter, "localhost")))), "status 200");
  EXPECT_EQ(outcome(world.send(post(https_url(imposter, "127.0.0.1")))), "status 200");
  const std::lock_guard lock{mutex};
  EXPECT_EQ(names, (std::vector<std::string>{"localhost", ""}));
}

TEST(https_exchange, an_http_1_0_server_works) {
  Imposter imposter{[](Peer& peer, int) {
                      peer.handshake();
                      peer.read_request();
                      peer.write("HTTP/1.0 200 OK\r\nServer: old\r\n\r\nuntil the end");
                    },
                    &local_tls()};
  World world;
  HttpRequest request = post(https_url(imposter));
  request.needs_whole_body = true;
  const Exchange exchange = world.send(std::move(request));
  ASSERT_EQ(outcome(exchange), "status 200");
  EXPECT_EQ(std::get<Answer>(exchange.result).body, "until the end");
  EXPECT_EQ(world.client->idle_connections(), 0U);
}

TEST(https_exchange, redirects_are_answers) {
  Imposter imposter{always_tls("HTTP/1.1 307 Temporary Redirect\r\nLocation: https://127.0.0.1/\r\n"
                               "Content-Length: 0\r\n\r\n"),
                    &local_tls()};
  World world;
  EXPECT_EQ(outcome(world.send(post(https_url(imposter)))), "status 307");
  EXPECT_EQ(imposter.connections(), 1);
}

TEST(https_exchange, a_long_body_is_sent_whole) {
  std::promise<std::size_t> seen;
  Imposter imposter{[&seen](Peer& peer, int) {
                      peer.handshake();
                      seen.set_value(peer.read_request().size());
                      peer.write(kOk);
                    },
                    &local_tls()};
  World world;
  HttpRequest request = post(https_url(imposter));
  request.body = std::string(8 * 1024 * 1024, 'x');
  EXPECT_EQ(outcome(world.send(std::move(request))), "status 200");
  EXPECT_GT(seen.get_future().get(), 8U * 1024 * 1024);
}

TEST(https_exchange, an_answer_that_comes_before_the_request_is_sent_counts) {
  for (const bool is_tls : {false, true}) {
    Imposter imposter{[is_tls](Peer& peer, int) {
                        if (is_tls) {
                          peer.handshake();
                        }
                        peer.write("HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n");
                        std::this_thread::sleep_for(milliseconds{300});  // reads nothing
                      },
                      is_tls ? &local_tls() : nullptr};
    World world;
    HttpRequest request = post(is_tls ? https_url(imposter) : http_url(imposter));
    request.body = std::string(32 * 1024 * 1024, 'x');
    EXPECT_EQ(outcome(world.send(std::move(request))), "status 413");
    EXPECT_EQ(world.client->idle_connections(), 0U);
  }
}

TEST(https_exchange, a_large_answer_is_read_whole_where_that_is_needed) {
  const std::string body(3'000'000, 'b');
  Imposter imposter{always_tls("HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n" + body),
                    &local_tls()};
  World world;
  HttpRequest request = post(https_url(imposter));
  request.needs_whole_body = true;
  request.max_body_bytes = 4'000'000;
  const Exchange exchange = world.send(std::move(request));
  ASSERT_EQ(outcome(exchange), "status 200");
  EXPECT_TRUE(std::get<Answer>(exchange.result).body == body);
  EXPECT_EQ(world.client->idle_connections(), 1U);
}

TEST(https_exchange, many_requests_at_once_share_the_loop) {
  Imposter imposter{always_tls(std::string{kOk}), &local_tls()};
  World world;
  std::vector<HttpRequest> requests;
  for (int i = 0; i < 64; ++i) {
    requests.push_back(post(https_url(imposter, "localhost")));
  }
  for (const Exchange& exchange : world.send_all(std::move(requests))) {
    EXPECT_EQ(outcome(exchange), "status 200");
  }
  EXPECT_EQ(world.client->connections_opened(), 64U);
}

TEST(https_exchange, proxy_variables_are_not_read) {
  Imposter proxy{always(std::string{kOk})};
  const std::string address = http_url(proxy);
  for (const char* name : {"http_proxy", "https_proxy", "HTTPS_PROXY", "ALL_PROXY"}) {
    ::setenv(name, address.c_str(), 1);
  }
  Imposter imposter{always_tls(std::string{kOk}), &local_tls()};
  EXPECT_EQ(outcome(World{}.send(post(https_url(imposter)))), "status 200");
  for (const char* name : {"http_proxy", "https_proxy", "HTTPS_PROXY", "ALL_PROXY"}) {
    ::unsetenv(name);
  }
  EXPECT_EQ(proxy.connections(), 0);
}

TEST(https_exchange, ipv6_works) {
  Imposter imposter{always_tls(std::string{kOk}), &local_tls(), "::1"};
  const Exchange exchange = World{}.send(post(https_url(imposter, "[::1]")));
  EXPECT_EQ(outcome(exchange), "status 200");
  EXPECT_EQ(exchange.remote_address, "[::1]:" + std::to_string(imposter.port()));
}

// -- policy

TEST(https_exchange, an_address_that_is_not_public_is_blocked_before_a_socket_is_opened) {
  HttpsOptions options = local_options();
  options.allow_targets.clear();
  World world{options};
  Imposter imposter{always_tls(std::string{kOk}), &local_tls()};
  for (const char* host :
       {"127.0.0.1", "2130706433", "0177.0.0.1", "0x7f.1", "127.1", "localhost"}) {
    const Exchange exchange = world.send(post(https_url(imposter, host)));
    EXPECT_EQ(outcome(exchange),
              "blocked: address 127.0.0.1 is not public (ALLOW_TARGETS can exempt it)")
        << host;
    EXPECT_EQ(exchange.remote_address, "");
  }
  // Of this machine all of them, so that even a client without rules stays on it; the others are in
  // the table of address_rules_test.
  for (const char* host : {"[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "0"}) {
    EXPECT_TRUE(outcome(world.send(post(https_url(imposter, host)))).starts_with("blocked: "))
        << host;
  }
  EXPECT_TRUE(outcome(world.send(post(https_url(imposter, "1.2.3.4.5")))).starts_with("blocked: "));
  EXPECT_EQ(world.client->connections_opened(), 0U);
  EXPECT_EQ(imposter.connections(), 0);
}

TEST(https_exchange, plain_http_is_blocked_for_webhooks_alone) {
  Imposter imposter{always(std::string{kOk})};
  HttpsOptions options = local_options();
  options.allow_targets = parse_allow_targets("https://127.0.0.0/8").value();
  World world{options};
  for (const char* host : {"127.0.0.1", "localhost"}) {
    EXPECT_EQ(outcome(world.send(post(http_url(imposter, host)))),
              "blocked: only https is allowed (ALLOW_TARGETS can exempt a network)");
  }
  EXPECT_EQ(imposter.connections(), 0);
  HttpRequest request = post(http_url(imposter));
  request.is_webhook = false;
  EXPECT_EQ(outcome(world.send(std::move(request))), "status 200");
}

TEST(https_exchange, an_exempt_address_in_an_odd_notation_is_the_one_connected_to) {
  Imposter imposter{always_tls(std::string{kOk}), &local_tls()};
  const Exchange exchange = World{}.send(post(https_url(imposter, "0x7f.1")));
  EXPECT_EQ(outcome(exchange), "status 200");
  EXPECT_TRUE(exchange.remote_address.starts_with("127.0.0.1:"));
}

}  // namespace
}  // namespace dispatcher::test
