// What the requests of one client share.
#pragma once

#include "adapters/https/connection_pool.hpp"
#include "adapters/https/deadlines.hpp"
#include "adapters/https/https_client.hpp"
#include "adapters/https/opening_gate.hpp"
#include "adapters/https/resolver.hpp"
#include "adapters/https/session_cache.hpp"
#include "adapters/https/tls.hpp"

#include <array>
#include <memory>
#include <string>
#include <vector>

namespace dispatcher {

// Buffers of one exchange: a waiting request holds about 12 KB of them, a kept connection none.
struct ExchangeBuffers {
  std::vector<char> received = std::vector<char>(8 * 1024);  // as it comes off the socket
  std::vector<char> answer;                                  // decrypted, not parsed yet
  std::string request;
};

struct HttpsCore {
  HttpsCore(boost::asio::any_io_executor executor, const Clock& clock, HttpsOptions chosen,
            std::shared_ptr<const ClientTls> context)
      : loop(executor),
        options(std::move(chosen)),
        tls(std::move(context)),
        deadlines(std::make_shared<Deadlines>(executor, clock)),
        resolver(std::make_shared<Resolver>(executor, options.resolver)),
        pool(*deadlines, options.max_idle_connections, options.idle_timeout),
        gate(executor, options.max_opening) {}

  boost::asio::any_io_executor loop;
  HttpsOptions options;
  std::shared_ptr<const ClientTls> tls;  // shared by clients that share their certificates
  std::shared_ptr<Deadlines> deadlines;
  std::shared_ptr<Resolver> resolver;
  ConnectionPool pool;
  OpeningGate gate;
  SessionCache sessions;
  std::vector<std::unique_ptr<ExchangeBuffers>> spare_buffers;
  std::uint64_t connections_opened = 0;
  std::uint64_t sessions_resumed = 0;
};

}  // namespace dispatcher
