// Promise: a stop loses no request that has begun, waits for no client that has not, and ends.
#include "http_server/server_fixture.hpp"

#include <future>
#include <thread>

namespace dispatcher::testing {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

class Stop : public ServerTest {};

TEST_F(Stop, an_idle_server_stops_at_once_and_again) {
  RawClient idle = connect();
  ASSERT_TRUE(idle.send(get("/health")));
  ASSERT_TRUE(idle.read_answer());
  RawClient fresh = connect();
  wait_for_connections(2);
  server->stop(hours{1});
  EXPECT_EQ(idle.wait_for_end(), RawClient::End::closed);
  EXPECT_EQ(fresh.wait_for_end(), RawClient::End::closed);
  server->stop(hours{1});
  EXPECT_FALSE(RawClient{server->port()}.is_connected());
}

TEST_F(Stop, a_running_request_is_finished_and_its_connection_closed) {
  RawClient client = connect();
  ASSERT_TRUE(client.send(get("/hold")));
  service.wait_for_held(1);
  auto stopped = std::async(std::launch::async, [&] { server->stop(hours{1}); });
  while (RawClient{server->port()}.is_connected()) {
    std::this_thread::yield();  // until nobody is taken any more
  }
  service.release();
  const auto answer = client.read_answer();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body, "held");
  EXPECT_EQ(answer->header("connection"), "close");
  EXPECT_EQ(client.wait_for_end(), RawClient::End::closed);
  stopped.get();
}

TEST_F(Stop, a_request_that_is_still_coming_in_may_come_in) {
  RawClient client = connect();
  ASSERT_TRUE(
      client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n"
                  "Expect: 100-continue\r\n\r\n"));
  ASSERT_TRUE(client.read_head());
  auto stopped = std::async(std::launch::async, [&] { server->stop(hours{1}); });
  while (RawClient{server->port()}.is_connected()) {
    std::this_thread::yield();
  }
  ASSERT_TRUE(client.send("body"));
  EXPECT_EQ(client.read_answer().value().body, "body");
  stopped.get();
}

TEST_F(Stop, what_is_not_done_by_the_end_of_the_grace_is_cut) {
  RawClient held = connect();
  ASSERT_TRUE(held.send(get("/hold")));
  service.wait_for_held(1);
  RawClient slow = connect();
  ASSERT_TRUE(slow.send("GET / HT"));
  wait_for_connections(2);
  server->stop(milliseconds{20});
  EXPECT_NE(slow.wait_for_end(), RawClient::End::open);
  EXPECT_EQ(held.read_to_end(), "");
}

TEST_F(Stop, what_the_service_ends_after_the_server_has_gone_does_no_harm) {
  if (kIsSanitized) {
    GTEST_SKIP() << "leaves the request behind, and says so in the log";
  }
  RawClient held = connect();
  ASSERT_TRUE(held.send(get("/hold")));
  service.wait_for_held(1);
  server.reset();
  service.release();
  EXPECT_EQ(held.read_to_end(), "");
  EXPECT_NE(log_lines().back().find("never ended"), std::string::npos);
}

TEST_F(Stop, a_second_one_may_shorten_the_grace) {
  RawClient held = connect();
  ASSERT_TRUE(held.send(get("/hold")));
  service.wait_for_held(1);
  auto stopped = std::async(std::launch::async, [&] { server->stop(hours{1}); });
  server->stop(milliseconds{0});
  stopped.get();  // hangs when it does not
}

TEST_F(Stop, several_loops_stop_together_under_load) {
  options.loops = 3;
  start();
  std::atomic<bool> is_over{false};
  std::atomic<int> cut_answers{0};
  std::vector<std::thread> clients;
  for (int i = 0; i < 6; ++i) {
    clients.emplace_back([&, i] {
      while (!is_over) {
        RawClient client{server->port()};
        while (client.is_connected() && client.send(post("/echo", std::to_string(i)))) {
          const auto head = client.read_head();
          if (!head) {
            break;
          }
          cut_answers += client.read_bytes(1) == std::to_string(i) ? 0 : 1;
        }
      }
    });
  }
  while (service.served < 2'000) {
    std::this_thread::yield();
  }
  server->stop(hours{1});
  is_over = true;
  for (std::thread& client : clients) {
    client.join();
  }
  EXPECT_EQ(cut_answers, 0);
  EXPECT_EQ(server->open_connections(), 0U);
}

}  // namespace
}  // namespace dispatcher::testing
