#include "adapters/http_server/http_server.hpp"

#include "adapters/http_server/server_loop.hpp"

#include <algorithm>
#include <mutex>

namespace dispatcher {
namespace {

// Files that the process needs for other things: the store, deliveries, standard streams.
std::size_t files_kept_free(std::size_t limit) {
  return std::max<std::size_t>(64, limit / 8);
}

std::size_t connections_possible(const HttpServerLimits& limits, const Log& log) {
  const std::size_t files = raise_open_file_limit();
  const std::size_t possible = files - std::min(files, files_kept_free(files));
  if (possible < limits.max_connections) {
    log.warning("fewer connections than configured: the limit of open files is low (ulimit -n)",
                {{"connections", possible}, {"files", files}});
  }
  return std::min(possible, limits.max_connections);
}

Result<std::unique_ptr<ServerTls>> load_tls(const HttpServerOptions& options) {
  if (options.tls_certificate_file.empty() != options.tls_key_file.empty()) {
    return make_error(ErrorKind::invalid,
                      "TLS needs a certificate and its key: set both --tls-cert and --tls-key");
  }
  if (options.tls_certificate_file.empty()) {
    return nullptr;
  }
  return ServerTls::load(options.tls_certificate_file, options.tls_key_file);
}

}  // namespace

struct HttpServer::Parts {
  Parts(HttpService& service, const Log& log, const HttpServerOptions& options,
        std::unique_ptr<ServerTls> tls)
      : shared{service,
               log,
               options.limits,
               std::move(tls),
               connections_possible(options.limits, log),
               MemoryBudget{options.limits.max_memory_bytes}} {}

  ServerShared shared;
  std::string host;
  std::uint16_t port = 0;
  std::mutex joining;  // of the loops' threads
  std::vector<std::unique_ptr<ServerLoop>> loops;
};

Result<std::unique_ptr<HttpServer>> HttpServer::start(const HttpServerOptions& options,
                                                      HttpService& service, const Log& log) {
  auto tls = load_tls(options);
  if (!tls) {
    return tls.error();
  }
  auto listeners = listen_on(options.host, options.port, std::max<std::size_t>(1, options.loops));
  if (!listeners) {
    return listeners.error();
  }
  auto parts = std::make_unique<Parts>(service, log, options, *std::move(tls));
  parts->host = listeners->host;
  parts->port = listeners->port;
  for (OwnedDescriptor& socket : listeners->sockets) {
    parts->loops.push_back(std::make_unique<ServerLoop>(parts->shared, std::move(socket)));
  }
  for (const auto& loop : parts->loops) {
    loop->run();
  }
  return std::unique_ptr<HttpServer>{new HttpServer{std::move(parts)}};
}

HttpServer::HttpServer(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

HttpServer::~HttpServer() {
  stop(std::chrono::milliseconds{0});
  std::size_t unfinished = 0;
  for (const auto& loop : parts_->loops) {
    unfinished += loop->is_finished() ? 0 : 1;
  }
  if (unfinished > 0) {
    // Something holds a request that did not end in time, and may complete it into a loop: a leak
    // is better than a loop that is gone.
    parts_->shared.log.error("requests that never ended are left behind as the server ends");
    [[maybe_unused]] const auto* left_behind = parts_.release();
  }
}

std::uint16_t HttpServer::port() const {
  return parts_->port;
}

std::string HttpServer::address() const {
  return address_text(parts_->host, parts_->port);
}

std::string HttpServer::url() const {
  return (parts_->shared.tls ? "https://" : "http://") + address();
}

std::size_t HttpServer::open_connections() const {
  return parts_->shared.connections.load(std::memory_order_relaxed);
}

void HttpServer::stop(std::chrono::milliseconds grace) {
  for (const auto& loop : parts_->loops) {
    loop->stop(grace);  // before the lock: it may shorten the grace of a stop under way
  }
  const std::scoped_lock lock{parts_->joining};
  for (const auto& loop : parts_->loops) {
    loop->join();
  }
}

}  // namespace dispatcher
