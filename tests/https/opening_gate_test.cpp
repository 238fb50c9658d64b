// Promise: where connections may be opened a few at a time, a receiver that answers gets all
// requests over few of them; one that does not keeps nobody waiting past a deadline; and each pool
// opens its own.
#include "https/world.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace dispatcher::test {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kAtATime = 4;
constexpr int kRequests = 64;

HttpsOptions gated() {
  HttpsOptions options = local_options();
  options.max_opening = kAtATime;
  return options;
}

std::vector<HttpRequest> many(const std::string& url, milliseconds time, int count = kRequests) {
  std::vector<HttpRequest> requests;
  for (int i = 0; i < count; ++i) {
    requests.push_back(post_within(url, time));
  }
  return requests;
}

long answered(const std::vector<Exchange>& exchanges) {
  return std::count_if(exchanges.begin(), exchanges.end(),
                       [](const Exchange& exchange) { return outcome(exchange) == "status 200"; });
}

TEST(https_opening_gate, requests_wait_for_a_connection_that_is_free) {
  Imposter imposter{always_tls("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), &local_tls()};
  World world{gated()};
  EXPECT_EQ(answered(world.send_all(many(https_url(imposter), milliseconds{20'000}))), kRequests);
  // Each round of openings leaves as many that serve the others.
  EXPECT_LT(world.client->connections_opened(), kRequests / 2U);
}

TEST(https_opening_gate, a_receiver_that_closes_each_connection_gets_all_of_them) {
  Imposter imposter{always_tls("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
                    &local_tls()};
  World world{gated()};
  EXPECT_EQ(answered(world.send_all(many(https_url(imposter), milliseconds{20'000}))), kRequests);
  EXPECT_EQ(world.client->connections_opened(), static_cast<std::uint64_t>(kRequests));
}

TEST(https_opening_gate, all_end_at_their_deadline_where_no_handshake_ends) {
  Imposter imposter{[](Peer& peer, int) { peer.hold(); }, &local_tls()};
  World world{gated()};
  const auto exchanges = world.send_all(many(https_url(imposter), milliseconds{300}, 12));
  const auto timed_out = [](const Exchange& exchange) {
    return outcome(exchange).starts_with("timeout: ");
  };
  EXPECT_TRUE(std::all_of(exchanges.begin(), exchanges.end(), timed_out));
  // What waited is not in the way of what comes.
  EXPECT_TRUE(timed_out(world.send(post_within(https_url(imposter), milliseconds{50}))));
}

TEST(https_opening_gate, a_place_where_nothing_listens_refuses_all) {
  World world{gated()};
  const std::string nobody = [] {
    const Imposter gone{always("")};
    return http_url(gone);
  }();
  for (const Exchange& exchange : world.send_all(many(nobody, milliseconds{20'000}))) {
    EXPECT_TRUE(outcome(exchange).starts_with("connect: ")) << outcome(exchange);
  }
}

TEST(https_opening_gate, one_endpoint_does_not_wait_for_another_s_connections) {
  Imposter hangs{[](Peer& peer, int connection) {
                   if (connection < static_cast<int>(kAtATime)) {
                     peer.hold();
                     return;
                   }
                   peer.handshake();
                   peer.read_request();
                   peer.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
                 },
                 &local_tls()};
  World world{gated()};
  auto requests = many(https_url(hangs), milliseconds{1'000}, kAtATime);
  for (HttpRequest& request : requests) {
    request.pool = "hangs";
  }
  requests.push_back(post_within(https_url(hangs), milliseconds{20'000}));
  requests.back().pool = "other";
  EXPECT_EQ(answered(world.send_all(std::move(requests))), 1);
}

}  // namespace
}  // namespace dispatcher::test
