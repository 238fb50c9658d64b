// What an HTTP server serves: the Triggers API on one side, sockets on the other.
#pragma once

#include "model/exchange.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dispatcher {

// A request's first line and headers, as they came.
struct RequestHead {
  std::string method;  // upper case as sent: `GET`
  std::string path;    // before the `?`, not decoded; begins with `/` (or is `*`)
  std::string query;   // after the `?`, not decoded
  std::vector<HttpHeader> headers;
  std::string remote_ip;

  // The first header of that name, in any case; null when there is none.
  [[nodiscard]] const std::string* header(std::string_view name) const;
};

// A long answer in pieces: `next` gives the next piece, or nothing at the end. A piece is asked for
// only when the one before has been written, so that a slow client holds one piece of memory and
// no resource behind it.
class BodyStream {
 public:
  virtual ~BodyStream() = default;
  [[nodiscard]] virtual boost::asio::awaitable<std::optional<std::string>> next() = 0;
  // Asked at the end: the answer could not be completed, and the connection must be cut before its
  // last chunk, so that the client does not take it for whole.
  [[nodiscard]] virtual bool is_cut_short() const { return false; }
};

struct ServerAnswer {
  int status = 200;
  std::string content_type = "application/json";  // empty: no such header
  std::vector<HttpHeader> headers;
  std::string body;
  std::unique_ptr<BodyStream> stream;  // instead of `body`: sent chunked
  bool close = false;                  // end the connection after this answer
};

// Called on the server's loops, several at once.
class HttpService {
 public:
  virtual ~HttpService() = default;

  // Before the body is read: an answer refuses the request at once (no such path, not
  // authenticated), nothing lets it come in.
  [[nodiscard]] virtual std::optional<ServerAnswer> refuse_early(const RequestHead& head) = 0;

  // `body` is whole and within the server's limit.
  [[nodiscard]] virtual boost::asio::awaitable<ServerAnswer> serve(RequestHead head,
                                                                   std::string body) = 0;

  // For what the server itself must answer (400, 408, 413, 431, 503): the same shape as the
  // service's own errors.
  [[nodiscard]] virtual ServerAnswer error(int status, std::string_view detail) = 0;
};

}  // namespace dispatcher
