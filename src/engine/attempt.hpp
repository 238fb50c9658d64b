// One attempt: build the body, sign it, send it, read what came back.
#pragma once

#include "model/outcome.hpp"
#include "ports/clock.hpp"
#include "ports/endpoint_runtime.hpp"
#include "ports/http_client.hpp"
#include "ports/inbox.hpp"

#include <memory>
#include <string>

namespace dispatcher {

// What every request of this process carries.
struct SenderIdentity {
  std::string user_agent;
  // With a key, every request has `X-Webhook-Signature`: the hex HMAC-SHA256 of its body.
  std::string body_signing_key;
};

struct Tried {
  Attempt attempt;
  Verdict verdict;
};

// The request for this event at this endpoint: the same body at every attempt, a signature and its
// timestamp of `now`. Pure.
[[nodiscard]] HttpRequest webhook_request(const Event& event, const Endpoint& endpoint,
                                          const SenderIdentity& identity, WallTime now);

// Sends it, and ends by `deadline` whatever the receiver does. The arguments outlive the call.
[[nodiscard]] boost::asio::awaitable<Tried> attempt(HttpClient& http, const Clock& clock,
                                                    const SenderIdentity& identity,
                                                    std::shared_ptr<const Endpoint> endpoint,
                                                    const ClaimedDelivery& delivery,
                                                    MonoTime deadline);

// Sends an event that is no delivery, to try the endpoint out, and ends within its time-out.
[[nodiscard]] boost::asio::awaitable<TestExchange> test_attempt(HttpClient& http,
                                                                const Clock& clock,
                                                                SenderIdentity identity,
                                                                Endpoint endpoint, Event event);

}  // namespace dispatcher
