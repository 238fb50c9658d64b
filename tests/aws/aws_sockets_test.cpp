// Promises: over real sockets a call comes through throttling, server errors, hangs and answers
// that end early, and has ended by its deadline whatever AWS does; connections are kept and used
// again.
#include "adapters/https/https_client.hpp"
#include "adapters/system/system_clock.hpp"
#include "aws/world.hpp"
#include "https/imposter.hpp"

#include <fmt/format.h>

#include <mutex>

namespace dispatcher {
namespace {

using namespace test;

std::string http_answer(int status, const std::string& body) {
  return fmt::format("HTTP/1.1 {} X\r\nContent-Length: {}\r\n\r\n{}", status, body.size(), body);
}

// What the server does with the next request.
enum class Turn { ok, throttle, fail, hang, cut_headers, cut_body, reset, garbage };

class AwsSocketsTest : public testing::Test {
 protected:
  AwsSocketsTest() {
    http = HttpsClient::make(loop.get_executor(), clock, HttpsOptions{}).value();
    const Variables settings{
        {"AWS_REGION", "us-east-2"},
        {"AWS_ENDPOINT_URL", fmt::format("http://127.0.0.1:{}", server.port())}};
    AwsClientOptions options;
    options.settings = make_aws_settings(environment_of(settings), Profile{}, "").value();
    options.request_timeout = milliseconds{200};
    credentials.emplace(*http, clock, environment_of(keys));
    client.emplace(AwsClientPorts{*http, *credentials, clock, timers, random, tracer, log},
                   options);
  }
  ~AwsSocketsTest() override { http->abort(); }

  void plan(std::vector<Turn> turns) {
    const std::lock_guard lock{mutex};
    planned.assign(turns.begin(), turns.end());
  }

  AwsResult call(milliseconds time = seconds{30}) {
    AwsCall wanted{AwsService::dynamodb, "Query", R"({"TableName":"t"})", clock.monotonic() + time};
    std::optional<AwsResult> result;
    boost::asio::co_spawn(loop, client->call(std::move(wanted)),
                          [&](const std::exception_ptr&, AwsResult got) { result = got; });
    while (!result) {
      loop.run_one();
    }
    return *result;
  }

  Turn next_turn() {
    const std::lock_guard lock{mutex};
    if (planned.empty()) {
      return Turn::ok;
    }
    const Turn turn = planned.front();
    planned.pop_front();
    return turn;
  }

  void serve(Peer& peer) {
    while (!peer.read_request().empty()) {
      switch (next_turn()) {
        case Turn::ok: peer.write(http_answer(200, R"({"Items":[]})")); break;
        case Turn::throttle:
          peer.write(http_answer(400, R"({"__type":"x#ThrottlingException"})"));
          break;
        case Turn::fail: peer.write(http_answer(503, "<html>busy</html>")); break;
        case Turn::hang: peer.hold(); return;
        case Turn::cut_headers: peer.write("HTTP/1.1 200 OK\r\nContent-Le"); return;
        case Turn::cut_body:
          peer.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"Items\":[");
          return;
        case Turn::reset: peer.reset(); return;
        case Turn::garbage: peer.write("220 smtp.test ESMTP\r\n"); return;
      }
    }
  }

  std::mutex mutex;
  std::deque<Turn> planned;
  Imposter server{[this](Peer& peer, int) { serve(peer); }};
  const Variables keys{{"AWS_ACCESS_KEY_ID", "key-one"}, {"AWS_SECRET_ACCESS_KEY", "hunter2"}};
  SystemClock clock;
  boost::asio::io_context loop{1};
  SystemTimers timers{loop.get_executor()};
  fakes::SimRandom random{1};
  NoTracer tracer;
  std::vector<std::string> lines;
  Log log{LogLevel::debug, LogFormat::text,
          [this](std::string_view line) { lines.emplace_back(line); }};
  std::unique_ptr<HttpsClient> http;
  std::optional<CredentialSource> credentials;
  std::optional<AwsClient> client;
};

TEST_F(AwsSocketsTest, every_fault_is_come_through) {
  for (const Turn turn : {Turn::throttle, Turn::fail, Turn::hang, Turn::cut_headers, Turn::cut_body,
                          Turn::reset, Turn::garbage}) {
    plan({turn, turn});
    const auto result = call();
    ASSERT_TRUE(result) << static_cast<int>(turn) << ": " << result.error().error.message;
    EXPECT_EQ(result->body, R"({"Items":[]})");
  }
}

TEST_F(AwsSocketsTest, a_fault_that_stays_says_what_it_is) {
  plan(std::vector<Turn>(20, Turn::cut_body));
  const auto result = call();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().error.kind, ErrorKind::retry_later);
  EXPECT_NE(result.error().error.message.find("reset: "), std::string::npos)
      << result.error().error.message;
}

TEST_F(AwsSocketsTest, a_hang_has_ended_by_the_deadline) {
  plan(std::vector<Turn>(20, Turn::hang));
  const MonoTime started = clock.monotonic();
  const auto result = call(milliseconds{300});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().error.kind, ErrorKind::retry_later);
  EXPECT_NE(result.error().error.message.find("timeout: "), std::string::npos);
  EXPECT_GE(clock.monotonic() - started, milliseconds{200});
}

TEST_F(AwsSocketsTest, a_connection_is_used_again) {
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(call());
  }
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(AwsSocketsTest, the_date_of_a_server_whose_clock_is_ours_changes_nothing) {
  ASSERT_TRUE(call());
  const auto difference = client->now() - clock.wall();
  EXPECT_LE(std::chrono::abs(difference), seconds{1});
}

}  // namespace
}  // namespace dispatcher
