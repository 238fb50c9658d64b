// One client's connection and the loop that it belongs to. All of it is touched by that loop's
// thread alone, but for what `ServerShared` says.
#pragma once

#include "adapters/http_server/limits.hpp"
#include "adapters/http_server/memory_budget.hpp"
#include "adapters/http_server/request_head.hpp"
#include "adapters/http_server/tls_context.hpp"
#include "adapters/http_server/transport.hpp"
#include "base/log.hpp"
#include "base/time.hpp"
#include "ports/http_service.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace dispatcher {

// One for all loops. Only the counters change after the start.
struct ServerShared {
  HttpService& service;
  const Log& log;
  HttpServerLimits limits;
  std::unique_ptr<ServerTls> tls;   // null for plain HTTP
  std::size_t max_connections = 0;  // what the limit of open files leaves of it
  MemoryBudget memory;
  std::atomic<std::size_t> connections{0};
};

// What the connections of a loop have in common.
struct LoopContext {
  // What one read takes at most; the buffer is the loop's, so that idle connections have none.
  static constexpr std::size_t kReadBytes = 64 * 1024;

  explicit LoopContext(ServerShared& server) : shared(server), scratch(kReadBytes) {}

  // The value of the `date` header: at most half a second old.
  [[nodiscard]] std::string_view date(MonoTime now);

  ServerShared& shared;
  std::vector<char> scratch;  // never held over a co_await
  std::string out;            // the same
  bool is_stopping = false;   // answers close their connections

 private:
  std::string date_;
  MonoTime date_until_{};
};

inline constexpr MonoTime kNever = MonoTime::max();

[[nodiscard]] inline MonoTime monotonic_now() {
  return std::chrono::steady_clock::now();
}

struct ServerConnection {
  using Executor = boost::asio::io_context::executor_type;

  ServerConnection(LoopContext& loop_context, const Executor& executor, int socket, Tls tls)
      : loop(loop_context),
        descriptor(executor, socket),
        transport(socket, std::move(tls)),
        charge(loop_context.shared.memory) {}

  // Input that is not yet used: the start of a request, or what was sent ahead of its turn.
  [[nodiscard]] std::string_view unread() const {
    return std::string_view{input}.substr(input_begin);
  }
  void use_input(std::size_t bytes);
  // Before input is appended to: what a client pipelines does not add up.
  void drop_used_input();
  // Counts what is held of a request; false when there is no room for it in memory. The few bytes
  // that most requests are do not count.
  [[nodiscard]] bool try_charge();
  // After a request: what is held of the next one.
  void settle_charge();

  LoopContext& loop;
  boost::asio::posix::basic_stream_descriptor<Executor> descriptor;  // owns the socket
  Transport transport;
  std::string remote_ip;

  std::string input;
  std::size_t input_begin = 0;
  std::string body;            // of the request that is being received
  bool may_hold_more = false;  // the last read filled its buffer: read again before waiting

  // The end of the wait that is under way; the loop's sweep ends it with `is_expired`.
  MonoTime deadline = kNever;
  bool is_expired = false;
  bool is_idle = false;  // waits for a request's first byte: may be closed at any time
  bool is_cut = false;   // no further wait succeeds
  MonoTime last_active{};

  MemoryCharge charge;
  std::size_t index = 0;  // in its loop's list
};

// Serves requests until the connection ends. The caller keeps `connection` until then, and closes
// the socket after it.
[[nodiscard]] boost::asio::awaitable<void> serve_connection(ServerConnection& connection);

// Answers 503 before any request, and closes. For plain HTTP.
[[nodiscard]] boost::asio::awaitable<void> turn_away(ServerConnection& connection);

}  // namespace dispatcher
