// An HTTP/1.1 server, plain or over TLS, for an HttpService.
#pragma once

#include "adapters/http_server/limits.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "ports/http_service.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

namespace dispatcher {

struct HttpServerOptions {
  std::string host = "127.0.0.1";  // an IPv4 or IPv6 address without brackets, or `localhost`
  std::uint16_t port = 8080;       // 0: any that is free

  // Threads, each with an event loop and a listening socket of its own (SO_REUSEPORT): twice as
  // fast on two cores as two threads on one loop.
  std::size_t loops = 1;

  // PEM files, the chain's first certificate first. Both, or neither for plain HTTP.
  std::string tls_certificate_file;
  std::string tls_key_file;

  HttpServerLimits limits;
};

class HttpServer {
 public:
  // Listens and serves from threads of its own; `service` and `log` must outlive the server. What
  // the service awaits in a request completes on that request's loop, which lives as long as the
  // server, or longer when such a request never ends.
  // Raises the process's limit of open files to what it may be.
  // Errors: `conflict` the address is in use; `invalid` the address, certificate or key is not one;
  // `refused` the system does not let us listen there.
  [[nodiscard]] static Result<std::unique_ptr<HttpServer>> start(const HttpServerOptions& options,
                                                                 HttpService& service,
                                                                 const Log& log);

  // Stops at once, without grace.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Where it really listens.
  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] std::string address() const;  // `127.0.0.1:8080`, `[::1]:8080`
  [[nodiscard]] std::string url() const;      // `http://127.0.0.1:8080`

  [[nodiscard]] std::size_t open_connections() const;

  // Takes no further connection, closes the idle ones, lets running requests finish (their answers
  // say `connection: close`) until the grace ends, then cuts what is left. Returns when the loops
  // have ended, about two seconds after the grace at the latest. Callable from any thread but the
  // server's own, by several at once, and again.
  void stop(std::chrono::milliseconds grace);

 private:
  struct Parts;
  explicit HttpServer(std::unique_ptr<Parts> parts);

  std::unique_ptr<Parts> parts_;
};

}  // namespace dispatcher
