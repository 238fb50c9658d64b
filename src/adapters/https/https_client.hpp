// The HttpClient over real sockets: TLS by OpenSSL, names by c-ares, waiting by Asio.
//
// One loop: everything here, `abort` included, is called on the executor's only thread; nothing is
// locked and nothing blocks it. The environment's proxy variables are not read.
#pragma once

#include "adapters/https/address_rules.hpp"
#include "ports/clock.hpp"
#include "ports/http_client.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace dispatcher {

struct HttpsCore;

struct ResolverSettings {
  // `address` or `address:port`, an IPv6 address in brackets when it has a port; empty: what
  // resolv.conf says.
  std::vector<std::string> servers;
  // Of the first try at a server; it doubles with each further one.
  std::chrono::milliseconds timeout{2'000};
  int tries = 3;
};

struct HttpsOptions {
  // PEM files, trusted besides the system's bundle. The bundle is SSL_CERT_FILE's when that is set,
  // else the first found of the places where Debian and Amazon Linux keep it.
  std::vector<std::string> ca_files;
  std::vector<AllowedTarget> allow_targets;
  ResolverSettings resolver;

  // Kept connections, over all origins; past it the one unused for longest is closed.
  std::size_t max_idle_connections = 1024;
  // How long one is kept unused. Receivers close theirs after 60 s and more, as a rule.
  std::chrono::milliseconds idle_timeout{55'000};

  // How many connections to one origin are opened at a time; 0: as many as there are requests. The
  // requests beyond wait for one of them, or for one that is free.
  std::size_t max_opening = 0;
};

// While connections are kept the loop has work (their time-out): `abort`, or the client's end, ends
// that. The client may end while requests are under way; they end as aborted.
class HttpsClient final : public HttpClient {
 public:
  // Without certificates: for plain HTTP alone, and never failing. Each handshake fails, saying so.
  [[nodiscard]] static std::unique_ptr<HttpsClient> make_plain(boost::asio::any_io_executor loop,
                                                               const Clock& clock);

  // Reads the certificates, once (about 20 ms for a system's bundle). `invalid`: a file that was
  // named cannot be read or holds no certificate. No bundle at all is no error here: each handshake
  // then fails, saying so. `clock` outlives the client.
  [[nodiscard]] static Result<std::unique_ptr<HttpsClient>> make(boost::asio::any_io_executor loop,
                                                                 const Clock& clock,
                                                                 HttpsOptions options);
  ~HttpsClient() override;

  // Another client of the same loop and options, which shares the certificates, so that they are
  // loaded once, and nothing else: aborting one leaves the other alone.
  [[nodiscard]] std::unique_ptr<HttpsClient> sibling() const;

  [[nodiscard]] boost::asio::awaitable<Exchange> send(HttpRequest request) override;
  void abort() override;
  [[nodiscard]] std::uint64_t connections_opened() const override;

  // Handshakes that resumed an earlier session, since the start.
  [[nodiscard]] std::uint64_t sessions_resumed() const;
  // Connections kept unused now.
  [[nodiscard]] std::size_t idle_connections() const;

 private:
  explicit HttpsClient(std::shared_ptr<HttpsCore> core);

  // Shared with the requests under way, whose frames may be destroyed after the client.
  std::shared_ptr<HttpsCore> core_;
};

}  // namespace dispatcher
