// Sending one HTTP request and reading its answer, within one deadline.
#pragma once

#include "base/time.hpp"
#include "model/exchange.hpp"
#include "model/webhook_url.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace dispatcher {

struct HttpRequest {
  std::string method = "POST";
  // Where to. Host, Content-Length, Connection and (from the URL's user and password)
  // Authorization are the client's to write.
  WebhookUrl url;
  std::vector<HttpHeader> headers;
  std::string body;

  // Over everything: resolve, connect, handshake, write, read of the answer's headers.
  MonoTime deadline{};
  // Resolving and connecting alone, over all addresses; never beyond `deadline`.
  std::chrono::milliseconds connect_timeout{10'000};

  // A webhook target must be https and a public address, but for `ALLOW_TARGETS`; the API, AWS and
  // the Lambda runtime are not targets.
  bool is_webhook = true;

  // Which of a delivery's attempts this is, from 1; 0 for anything else. For the trace.
  std::int64_t attempt = 0;

  // Connections are kept and reused among requests with the same pool name and origin; at most
  // `max_idle_connections` of them. With 0 the request has a connection of its own.
  std::string pool;
  std::size_t max_idle_connections = 64;

  // How much of the answer's body is read. With `needs_whole_body` one that ends early, or is
  // longer, is a Failure (`reset`, `protocol`), and the deadline covers it. Without, the body may
  // do what it likes: it is read up to `max_body_bytes` or for `max_body_time`, whichever ends
  // first, and what was read by then is kept.
  bool needs_whole_body = false;
  std::size_t max_body_bytes = 64 * 1024;
  std::chrono::milliseconds max_body_time{2'000};
};

class HttpClient {
 public:
  virtual ~HttpClient() = default;

  // Never throws and never follows a redirect. Ends by the deadline (within 50 ms), whatever the
  // other side does. A kept connection that turns out dead before a byte of an answer came is
  // replaced by a new one, within the same call.
  [[nodiscard]] virtual boost::asio::awaitable<Exchange> send(HttpRequest request) = 0;

  // Ends every request that is under way with FailureKind::aborted, and every later one at once.
  virtual void abort() = 0;

  // Connections opened since the start, for the metric.
  [[nodiscard]] virtual std::uint64_t connections_opened() const = 0;
};

}  // namespace dispatcher
