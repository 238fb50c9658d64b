#include "engine/attempt.hpp"

#include "model/body.hpp"
#include "model/signature.hpp"

namespace dispatcher {
namespace {

// Cut at the limit, never through the middle of a character.
std::string kept_body(const std::string& body) {
  if (body.size() <= Attempt::kMaxKeptBodyBytes) {
    return body;
  }
  std::size_t end = Attempt::kMaxKeptBodyBytes;
  while (end > 0 && (static_cast<unsigned char>(body[end]) & 0xC0U) == 0x80U) {
    --end;
  }
  return body.substr(0, end);
}

void add_signatures(HttpRequest& request, const std::string& id, const Endpoint& endpoint,
                    const SenderIdentity& identity, WallTime now) {
  const std::int64_t timestamp =
      std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  request.headers.push_back({"webhook-id", id});
  request.headers.push_back({"webhook-timestamp", std::to_string(timestamp)});
  std::vector<std::string_view> keys;
  for (const SigningKey& key : endpoint.signing_keys) {
    if (!key.until || now < *key.until) {
      keys.push_back(key.bytes);
    }
  }
  if (!keys.empty()) {
    request.headers.push_back(
        {"webhook-signature", standard_signatures(keys, id, timestamp, request.body)});
  }
  if (!identity.body_signing_key.empty()) {
    request.headers.push_back(
        {"X-Webhook-Signature", sign_body(identity.body_signing_key, request.body)});
  }
}

// When an attempt began, on both clocks.
struct Began {
  WallTime wall;
  MonoTime mono;
};

Tried tried_of(const Exchange& exchange, const Endpoint& endpoint, const Began& began,
               std::int64_t number, const Clock& clock) {
  Tried tried;
  tried.verdict = classify(exchange, endpoint.retry.statuses, clock.wall(), endpoint.url.is_https);
  Attempt& attempt = tried.attempt;
  attempt.number = number;
  attempt.endpoint_id = endpoint.id;
  attempt.started_at = began.wall;
  attempt.duration =
      std::chrono::duration_cast<std::chrono::milliseconds>(clock.monotonic() - began.mono);
  attempt.outcome = tried.verdict.outcome;
  attempt.status = tried.verdict.status;
  attempt.error = tried.verdict.error;
  attempt.remote_address = exchange.remote_address;
  if (const auto* answer = std::get_if<Answer>(&exchange.result)) {
    attempt.response_body = kept_body(answer->body);
  }
  return tried;
}

}  // namespace

HttpRequest webhook_request(const Event& event, const Endpoint& endpoint,
                            const SenderIdentity& identity, WallTime now) {
  HttpRequest request;
  request.url = endpoint.url;
  request.body = webhook_body(event, endpoint.body);
  request.pool = endpoint.id;
  request.max_idle_connections = static_cast<std::size_t>(endpoint.concurrency);
  request.headers.reserve(6 + endpoint.headers.size());
  request.headers.push_back({"Content-Type", "application/json"});
  request.headers.push_back({"User-Agent", identity.user_agent});
  add_signatures(request, to_string(event.id), endpoint, identity, now);
  request.headers.insert(request.headers.end(), endpoint.headers.begin(), endpoint.headers.end());
  return request;
}

boost::asio::awaitable<Tried> attempt(HttpClient& http, const Clock& clock,
                                      const SenderIdentity& identity,
                                      std::shared_ptr<const Endpoint> endpoint,
                                      const ClaimedDelivery& delivery, MonoTime deadline) {
  const Began began{clock.wall(), clock.monotonic()};
  HttpRequest request = webhook_request(*delivery.event, *endpoint, identity, began.wall);
  request.deadline = deadline;
  request.attempt = delivery.progress.attempts + 1;
  Exchange exchange = co_await http.send(std::move(request));
  co_return tried_of(exchange, *endpoint, began, delivery.progress.attempts + 1, clock);
}

boost::asio::awaitable<TestExchange> test_attempt(HttpClient& http, const Clock& clock,
                                                  SenderIdentity identity, Endpoint endpoint,
                                                  Event event) {
  const Began began{clock.wall(), clock.monotonic()};
  TestExchange test;
  test.request = webhook_request(event, endpoint, identity, began.wall);
  test.request.deadline = began.mono + endpoint.timeout;
  HttpRequest sent = test.request;
  Exchange exchange = co_await http.send(std::move(sent));
  if (auto* answer = std::get_if<Answer>(&exchange.result)) {
    test.answer_headers = answer->headers;
  }
  test.attempt = tried_of(exchange, endpoint, began, 1, clock).attempt;
  co_return test;
}

}  // namespace dispatcher
