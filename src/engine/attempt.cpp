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
  std::vector<std::string> keys;
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
                                      ClaimedDelivery delivery, MonoTime deadline) {
  Tried tried;
  tried.attempt.started_at = clock.wall();
  const MonoTime started = clock.monotonic();
  HttpRequest request =
      webhook_request(*delivery.event, *endpoint, identity, tried.attempt.started_at);
  request.deadline = deadline;
  request.attempt = delivery.progress.attempts + 1;
  const Exchange exchange = co_await http.send(std::move(request));

  tried.verdict = classify(exchange, endpoint->retry.statuses, clock.wall());
  tried.attempt.number = delivery.progress.attempts + 1;
  tried.attempt.endpoint_id = endpoint->id;
  tried.attempt.duration =
      std::chrono::duration_cast<std::chrono::milliseconds>(clock.monotonic() - started);
  tried.attempt.outcome = tried.verdict.outcome;
  tried.attempt.status = tried.verdict.status;
  tried.attempt.error = tried.verdict.error;
  tried.attempt.remote_address = exchange.remote_address;
  if (const auto* answer = std::get_if<Answer>(&exchange.result)) {
    tried.attempt.response_body = kept_body(answer->body);
  }
  co_return tried;
}

}  // namespace dispatcher
