// Promises ("What a receiver sees"): the same body bytes at every attempt, the headers of Standard
// Webhooks, signatures that the receiver can check, and what is kept of an answer.
#include "engine/attempt.hpp"

#include "base/bytes.hpp"
#include "model/signature.hpp"

#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

namespace dispatcher {
namespace {

using namespace std::chrono_literals;

constexpr WallTime kNow{1'700'000'000s};

Event event() {
  Event made;
  made.id = *parse_uuid("018bcfe5-6800-7000-8000-000000000001");
  made.type = "order.created";
  made.source = "shop";
  made.payload = R"({"price": 1.0,"big":123456789012345678901})";
  made.created_at = kNow - 5s;
  return made;
}

Endpoint endpoint() {
  Endpoint made;
  made.number = 1;
  made.id = "secret-00000000";
  made.url = *parse_webhook_url("https://receiver.test/hook?key=1");
  made.signing_keys = {{"newest", std::nullopt}, {"oldest", kNow + 1s}};
  return made;
}

std::string header(const HttpRequest& request, std::string_view name) {
  for (const auto& one : request.headers) {
    if (one.name == name) {
      return one.value;
    }
  }
  return "(absent)";
}

// Answers every request with what it was given, and keeps the request.
class ScriptedHttp : public HttpClient {
 public:
  Exchange answer;
  HttpRequest last;

  boost::asio::awaitable<Exchange> send(HttpRequest request) override {
    last = std::move(request);
    co_return answer;
  }
  void abort() override {}
  [[nodiscard]] std::uint64_t connections_opened() const override { return 0; }
};

class FixedClock : public Clock {
 public:
  [[nodiscard]] WallTime wall() const override { return kNow; }
  [[nodiscard]] MonoTime monotonic() const override { return MonoTime{100s}; }
};

Tried try_once(const Exchange& answer, DeliveryProgress progress = {}) {
  boost::asio::io_context loop;
  ScriptedHttp http;
  http.answer = answer;
  FixedClock clock;
  const SenderIdentity identity{"EventDispatcher/test", ""};
  ClaimedDelivery delivery;
  delivery.event = std::make_shared<const Event>(event());
  delivery.progress = progress;
  Tried out;
  boost::asio::co_spawn(loop,
                        attempt(http, clock, identity, std::make_shared<const Endpoint>(endpoint()),
                                delivery, MonoTime{130s}),
                        [&](const std::exception_ptr& bug, Tried tried) {
                          EXPECT_FALSE(bug);
                          out = std::move(tried);
                        });
  loop.run();
  EXPECT_EQ(http.last.deadline, MonoTime{130s});
  EXPECT_EQ(http.last.attempt, out.attempt.number);
  return out;
}

TEST(Attempt, the_body_is_the_event_as_it_was_at_ingest_with_its_raw_payload) {
  const auto request = webhook_request(event(), endpoint(), {"EventDispatcher/1", ""}, kNow);
  EXPECT_EQ(request.body,
            R"({"id":"018bcfe5-6800-7000-8000-000000000001","type":"order.created",)"
            R"("source":"shop","payload":{"price": 1.0,"big":123456789012345678901},)"
            R"("status":"pending","created_at":"2023-11-14T22:13:15.000000Z",)"
            R"("updated_at":"2023-11-14T22:13:15.000000Z","delivery_attempts":0,)"
            R"("last_delivery_attempt":null,"delivery_latency_ms":null,"error_message":null})");
  const auto later = webhook_request(event(), endpoint(), {"EventDispatcher/1", ""}, kNow + 1h);
  EXPECT_EQ(later.body, request.body);
}

TEST(Attempt, each_signing_key_signs_and_a_receiver_can_check_it) {
  const auto request = webhook_request(event(), endpoint(), {"EventDispatcher/1", "shared"}, kNow);
  EXPECT_EQ(header(request, "webhook-id"), "018bcfe5-6800-7000-8000-000000000001");
  EXPECT_EQ(header(request, "webhook-timestamp"), "1700000000");
  EXPECT_EQ(header(request, "User-Agent"), "EventDispatcher/1");
  EXPECT_EQ(header(request, "Content-Type"), "application/json");
  const std::string id = header(request, "webhook-id");
  const std::string timestamp = header(request, "webhook-timestamp");
  const std::string signatures = header(request, "webhook-signature");
  for (const std::string key : {"newest", "oldest"}) {
    const std::vector<std::string> keys{key};
    EXPECT_TRUE(verify_standard(keys, {id, timestamp, signatures}, request.body, kNow)) << key;
  }
  EXPECT_EQ(header(request, "X-Webhook-Signature"), to_hex(hmac_sha256("shared", request.body)));
}

TEST(Attempt, a_key_that_was_rotated_out_signs_until_its_end) {
  Endpoint rotated = endpoint();
  const auto signatures_at = [&](WallTime now) {
    const std::string all = header(
        webhook_request(event(), rotated, {"EventDispatcher/1", ""}, now), "webhook-signature");
    return std::count(all.begin(), all.end(), ',');
  };
  EXPECT_EQ(signatures_at(kNow + 999ms), 2);
  EXPECT_EQ(signatures_at(kNow + 1s), 1);
}

TEST(Attempt, without_keys_nothing_is_signed) {
  Endpoint plain = endpoint();
  plain.signing_keys.clear();
  const auto request = webhook_request(event(), plain, {"EventDispatcher/1", ""}, kNow);
  EXPECT_EQ(header(request, "webhook-signature"), "(absent)");
  EXPECT_EQ(header(request, "X-Webhook-Signature"), "(absent)");
  EXPECT_EQ(header(request, "webhook-id"), "018bcfe5-6800-7000-8000-000000000001");
}

TEST(Attempt, its_number_goes_on_from_the_deliverys) {
  DeliveryProgress progress;
  progress.attempts = 7;
  EXPECT_EQ(try_once({Answer{200, {}, ""}, "127.0.0.1:443"}, progress).attempt.number, 8);
}

TEST(Attempt, an_answers_body_is_kept_up_to_its_limit_and_never_cut_through_a_character) {
  std::string body(Attempt::kMaxKeptBodyBytes - 1, 'x');
  body += "é and more";
  const auto tried = try_once({Answer{500, {}, body}, "127.0.0.1:443"});
  EXPECT_EQ(tried.attempt.response_body, std::string(Attempt::kMaxKeptBodyBytes - 1, 'x'));
  EXPECT_EQ(tried.attempt.status, 500);
  EXPECT_EQ(tried.attempt.error, "status: 500");
  EXPECT_EQ(tried.attempt.remote_address, "127.0.0.1:443");
}

TEST(Attempt, a_failure_is_kept_with_its_kind_first) {
  const auto tried = try_once({Failure{FailureKind::connect, "connection refused"}, ""});
  EXPECT_EQ(tried.attempt.error, "connect: connection refused");
  EXPECT_EQ(tried.attempt.outcome, Outcome::retryable);
  EXPECT_EQ(tried.attempt.status, std::nullopt);
}

}  // namespace
}  // namespace dispatcher
