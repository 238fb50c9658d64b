// Promise: the receiver answers what it is told to, lets nothing pass that is signed wrongly, and
// has written a request down by the time that it answers it.
#include "adapters/http_server/receiver.hpp"
#include "fakes/manual_clock.hpp"
#include "http_server/server_fixture.hpp"
#include "http_server/shell.hpp"
#include "http_server/tls_files.hpp"
#include "model/signature.hpp"

#include <fstream>
#include <thread>

namespace dispatcher::testing {
namespace {

constexpr std::string_view kSecret = "whsec_c2VjcmV0LXNlY3JldA==";
constexpr std::string_view kBody = R"({"a":1})";

class Receiver : public ::testing::Test {
 protected:
  void start() {
    auto opened = ReceiverService::open(receiver_options, clock,
                                        [this](const ReceivedRequest& r) { seen.push_back(r); });
    ASSERT_TRUE(opened.has_value()) << opened.error().message;
    receiver = *std::move(opened);
    HttpServerOptions options;
    options.port = 0;
    options.loops = 2;
    auto started = HttpServer::start(options, *receiver, log);
    ASSERT_TRUE(started.has_value()) << started.error().message;
    server = *std::move(started);
  }

  int ask(const std::string& headers, std::string_view body = kBody) {
    if (!server) {
      start();
    }
    RawClient client{server->port()};
    client.send(post("/hook?x=1", body, headers));
    const auto answer = client.read_answer();
    return answer ? answer->status : 0;
  }

  std::string standard_headers(std::string_view id, std::int64_t seconds_off = 0,
                               std::string_view body = kBody) const {
    const std::string key = parse_signing_secret(kSecret).value();
    const std::int64_t time = micros_since_epoch(clock.wall()) / 1'000'000 + seconds_off;
    return "webhook-id: " + std::string{id} + "\r\nwebhook-timestamp: " + std::to_string(time) +
           "\r\nWebhook-Signature: v1,AAAA " + sign_standard(key, id, time, body) + "\r\n";
  }

  static std::string plain_header(std::string_view body = kBody) {
    return "X-Webhook-Signature: " + sign_body(parse_signing_secret(kSecret).value(), body) +
           "\r\n";
  }

  static Error refused(const ReceiverOptions& options) {
    const fakes::ManualClock any_clock;
    const auto opened = ReceiverService::open(options, any_clock);
    EXPECT_TRUE(opened.has_error());
    return opened.has_error() ? opened.error() : Error{};
  }

  TlsFiles directory;
  fakes::ManualClock clock;
  ReceiverOptions receiver_options;
  std::vector<ReceivedRequest> seen;
  Log log{LogLevel::error, LogFormat::text, Log::stderr_sink()};
  std::unique_ptr<ReceiverService> receiver;
  std::unique_ptr<HttpServer> server;
};

TEST_F(Receiver, everything_is_accepted_with_the_status_it_is_told) {
  receiver_options.status = 202;
  EXPECT_EQ(ask(""), 202);
  EXPECT_EQ(ask("webhook-id: x\r\n", ""), 202);
  server.reset();
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(seen[1].id, "x");
  EXPECT_EQ(seen[0].body_bytes, kBody.size());
}

TEST_F(Receiver, either_signature_is_enough_and_both_may_be_there) {
  receiver_options.secrets = {std::string{kSecret}};
  EXPECT_EQ(ask(standard_headers("a")), 200);
  EXPECT_EQ(ask(plain_header()), 200);
  EXPECT_EQ(ask(standard_headers("b") + plain_header()), 200);
  EXPECT_EQ(receiver->counts().bad_signatures, 0U);
}

TEST_F(Receiver, any_of_several_secrets_may_have_signed_each_by_itself) {
  receiver_options.secrets = {"another secret", std::string{kSecret}, "a third"};
  const auto key = parse_signing_secret("another secret").value();
  const std::string plain = "X-Webhook-Signature: " + sign_body(key, kBody) + "\r\n";
  EXPECT_EQ(ask(standard_headers("a") + plain), 200);
  EXPECT_EQ(ask(plain), 200);
  EXPECT_EQ(ask(standard_headers("b") + plain_header()), 200);
  EXPECT_EQ(ask(plain, "{}"), 401);
  EXPECT_EQ(ask("X-Webhook-Signature: " + sign_body("unknown", kBody) + "\r\n"), 401);
}

TEST_F(Receiver, what_is_signed_wrongly_or_not_at_all_gets_401) {
  receiver_options.secrets = {std::string{kSecret}};
  EXPECT_EQ(ask(""), 401);
  EXPECT_EQ(ask(standard_headers("a", 301)), 401);
  EXPECT_EQ(ask(standard_headers("a", -301)), 401);
  EXPECT_EQ(ask(standard_headers("a"), "{}"), 401);
  EXPECT_EQ(ask(plain_header("{}")), 401);
  EXPECT_EQ(ask(standard_headers("a") + plain_header("{}")), 401);
  EXPECT_EQ(ask(standard_headers("a", 301) + plain_header()), 401);
  EXPECT_EQ(receiver->counts().bad_signatures, 7U);
  EXPECT_EQ(receiver->counts().accepted, 0U);
}

TEST_F(Receiver, the_share_that_fails_is_the_share_asked_for_and_the_same_each_time) {
  receiver_options.fail_rate = 0.25;
  std::vector<int> first;
  for (int run = 0; run < 2; ++run) {
    start();
    std::vector<int> statuses;
    for (int i = 0; i < 400; ++i) {
      statuses.push_back(ask(""));
    }
    first = run == 0 ? statuses : first;
    EXPECT_EQ(statuses, first);
    const auto failed =
        static_cast<std::uint64_t>(std::count(statuses.begin(), statuses.end(), 503));
    EXPECT_GT(failed, 60U);
    EXPECT_LT(failed, 140U);
    EXPECT_EQ(receiver->counts().failed_on_purpose, failed);
    EXPECT_EQ(receiver->counts().accepted, 400U - failed);
    server.reset();
  }
}

TEST_F(Receiver, ids_are_counted_once_and_only_when_accepted) {
  for (const char* id : {"a", "a", "0192f3a0-0000-7000-8000-000000000001",
                         "0192F3A0-0000-7000-8000-000000000001", "b"}) {
    EXPECT_EQ(ask("webhook-id: " + std::string{id} + "\r\n"), 200);
  }
  EXPECT_EQ(ask(""), 200);
  const ReceiverCounts counts = receiver->counts();
  EXPECT_EQ(counts.requests, 6U);
  EXPECT_EQ(counts.accepted, 6U);
  EXPECT_EQ(counts.distinct_accepted, 3U);
  EXPECT_EQ(counts.duplicates, 2U);
  server.reset();
  EXPECT_FALSE(seen[0].is_duplicate);
  EXPECT_TRUE(seen[1].is_duplicate);
}

TEST_F(Receiver, a_request_is_in_the_record_before_it_is_answered) {
  receiver_options.record_file = directory.key() + ".jsonl";
  { std::ofstream{receiver_options.record_file} << "{\"before\":true}\n"; }
  EXPECT_EQ(ask("webhook-id: \xe9\r\nX-A: 1\r\nx-a: \"2\"\r\n", "{\"text\":\"\\u00e9\"}"), 200);
  // Python reads it: a parser that nobody here wrote.
  EXPECT_EQ(shell("/usr/bin/python3 -c \"\nimport json, sys\n"
                  "lines = [json.loads(l) for l in open(sys.argv[1], encoding='utf-8')]\n"
                  "r = lines[1]\n"
                  "print(len(lines), list(r), r['id'], r['time'], r['method'], r['path'], "
                  "r['status'], r['headers']['x-a'], json.loads(r['body']) == {'text': '\\u00e9'})"
                  "\" '" +
                  receiver_options.record_file + "'"),
            "2 ['id', 'time', 'method', 'path', 'status', 'headers', 'body'] ? "
            "2026-01-01T00:00:00.000000Z POST /hook 200 1, \"2\" True\n");
  EXPECT_EQ(ask("", "\xff\xfe"), 200);
  EXPECT_NE(shell("tail -1 '" + receiver_options.record_file + "'").find(R"("body_base64":"//4=")"),
            std::string::npos);
}

TEST_F(Receiver, what_cannot_be_written_down_is_not_accepted) {
  receiver_options.record_file = "/dev/full";
  EXPECT_EQ(ask("webhook-id: a\r\n"), 500);
  EXPECT_EQ(receiver->counts().accepted, 0U);
}

TEST_F(Receiver, an_answer_waits_for_the_delay) {
  receiver_options.delay = std::chrono::milliseconds{50};
  const auto before = std::chrono::steady_clock::now();
  EXPECT_EQ(ask(""), 200);
  EXPECT_GE(std::chrono::steady_clock::now() - before, std::chrono::milliseconds{50});
}

TEST_F(Receiver, options_that_make_no_sense_are_refused_by_name) {
  ReceiverOptions options;
  options.status = 99;
  EXPECT_NE(refused(options).message.find("--status"), std::string::npos);
  options = {};
  options.fail_rate = 1.5;
  EXPECT_NE(refused(options).message.find("--fail-rate"), std::string::npos);
  options = {};
  options.secrets = {std::string{kSecret}, "whsec_%%%"};
  EXPECT_NE(refused(options).message.find("--secret"), std::string::npos);
  options = {};
  options.record_file = "/nowhere/record";
  EXPECT_NE(refused(options).message.find("--record"), std::string::npos);
}

}  // namespace
}  // namespace dispatcher::testing
