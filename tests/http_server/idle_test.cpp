// Promise: ten thousand idle clients cost little memory, and the one that asks is served among
// them.
#include "http_server/server_fixture.hpp"

#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

namespace dispatcher::testing {
namespace {

// Both ends of each connection are in this process, and it needs some files besides.
std::size_t connections_that_fit(std::size_t wanted) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return std::min<std::size_t>(wanted, (limit.rlim_max - 256) / 2);
}

std::size_t resident_bytes() {
  ::malloc_trim(0);  // what is free, of an earlier test too, is not resident
  std::size_t total = 0;
  std::size_t resident = 0;
  std::ifstream{"/proc/self/statm"} >> total >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

class Idle : public ServerTest {
 protected:
  // The bound is the architecture's; the kernel's own buffers are not in it.
  static constexpr std::size_t kMaxBytesPerConnection = 8 * 1024;

  // What the memory of this process has grown by, for each connection.
  void expect_little_per_connection(std::size_t before, std::size_t connections) {
    const std::size_t after = resident_bytes();
    const std::size_t each = (after - std::min(before, after)) / connections;
    RecordProperty("bytes_per_connection", static_cast<int>(each));
    RecordProperty("connections", static_cast<int>(connections));
    if (!kIsSanitized) {
      EXPECT_LE(each, kMaxBytesPerConnection);
    }
  }
};

TEST_F(Idle, ten_thousand_connections_cost_less_than_8_kib_each_before_and_after_a_request) {
  start();  // raises the limit of open files
  const std::size_t count = connections_that_fit(10'000);
  std::vector<RawClient> clients;
  clients.reserve(count);
  const std::size_t before = resident_bytes();
  while (clients.size() < count) {
    clients.emplace_back(server->port());
    ASSERT_TRUE(clients.back().is_connected()) << clients.size();
  }
  wait_for_connections(count);
  expect_little_per_connection(before, count);
  EXPECT_EQ(ask(get("/health")).status, 200);
  for (RawClient& client : clients) {
    ASSERT_TRUE(
        client.send(get("/health", "Authorization: Bearer " + std::string(300, 'x') + "\r\n")));
    ASSERT_EQ(client.read_answer().value().status, 200);
  }
  expect_little_per_connection(before, count);
}

TEST_F(Idle, what_a_large_request_needed_is_given_back) {
  start();
  std::vector<RawClient> clients;
  for (int i = 0; i < 200; ++i) {
    clients.push_back(connect());
  }
  const std::string large = post("/size", std::string(1'000'000, 'x'));
  ASSERT_TRUE(clients[0].send(large));  // what one needs at a time is needed once
  ASSERT_EQ(clients[0].read_answer().value().body, "1000000");
  const std::size_t before = resident_bytes();
  for (RawClient& client : clients) {
    ASSERT_TRUE(client.send(large));
    ASSERT_EQ(client.read_answer().value().body, "1000000");
  }
  expect_little_per_connection(before, clients.size());
}

TEST_F(Idle, what_a_client_pipelines_does_not_add_up) {
  constexpr int kRequests = 20'000;
  constexpr std::size_t kSlice = 10'007;  // mostly ends within a request's headers
  const std::string one = get("/health", "X: " + std::string(1'000, 'x') + "\r\n");
  std::string all;
  for (int i = 0; i < kRequests; ++i) {
    all += one;
  }
  RawClient client = connect();
  const std::size_t before = resident_bytes();
  std::size_t answered = 0;
  for (std::size_t sent = 0; sent < all.size(); sent += kSlice) {
    ASSERT_TRUE(client.send(std::string_view{all}.substr(sent, kSlice)));
    for (; answered < std::min(sent + kSlice, all.size()) / one.size(); ++answered) {
      ASSERT_EQ(client.read_answer().value().status, 200);
    }
  }
  EXPECT_EQ(answered, static_cast<std::size_t>(kRequests));
  if (!kIsSanitized) {
    EXPECT_LT(resident_bytes(), before + all.size() / 4);
  }
}

}  // namespace
}  // namespace dispatcher::testing
