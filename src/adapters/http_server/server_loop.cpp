#include "adapters/http_server/server_loop.hpp"

#include "base/check.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <exception>

namespace dispatcher {
namespace {

using boost::asio::as_tuple;
using boost::asio::awaitable;
using boost::asio::use_awaitable;
using Descriptor = boost::asio::posix::descriptor_base;

// Taken from the listening socket before the loop does something else.
constexpr int kAcceptBatch = 64;

// How long to wait when the process has no file descriptor left for a connection.
constexpr std::chrono::milliseconds kAcceptPause{100};

// Connections beyond the limit that are told so at one time; the others are just closed.
constexpr std::size_t kMaxTurnedAway = 128;

// What is left of the requests when the grace of `stop` has ended: their connections are cut, and
// their work may take this long to come to its end.
constexpr std::chrono::seconds kEndOfWork{2};

constexpr std::chrono::minutes kWarningInterval{1};

// Deadlines hold to about an eighth of the shortest of them, and to a second.
std::chrono::milliseconds sweep_interval_of(const HttpServerLimits& limits) {
  const auto shortest =
      std::min({limits.header_time, limits.body_time, limits.idle_time, limits.write_idle_time,
                limits.handshake_time, limits.linger_time, limits.linger_idle_time});
  return std::clamp(shortest / 8, std::chrono::milliseconds{5}, std::chrono::milliseconds{1'000});
}

void set_no_delay(int socket) {
  const int on = 1;
  // Without it a streamed answer is slower, no less right.
  [[maybe_unused]] const int set = ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

// Signals are for the thread that waits for them.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    DISPATCHER_CHECK(pthread_sigmask(SIG_SETMASK, &all, &before_) == 0);
  }
  ~SignalsBlocked() { DISPATCHER_CHECK(pthread_sigmask(SIG_SETMASK, &before_, nullptr) == 0); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_{};
};

std::string_view what_of(const std::exception_ptr& bug) {
  try {
    std::rethrow_exception(bug);
  } catch (const std::bad_alloc&) {
    return "out of memory";
  } catch (...) {
    return "an exception left it";  // what it says may hold what a client sent
  }
}

}  // namespace

ServerLoop::ServerLoop(ServerShared& shared, OwnedDescriptor listener)
    : loop_(shared),
      listener_(context_.get_executor(), listener.release()),
      sweep_interval_(sweep_interval_of(shared.limits)),
      sweep_timer_(context_.get_executor()),
      pause_timer_(context_.get_executor()),
      stop_timer_(context_.get_executor()) {}

void ServerLoop::run() {
  boost::asio::co_spawn(context_, accept_connections(), [this](std::exception_ptr bug) {
    if (bug) {
      loop_.shared.log.error("the server stops accepting connections", {{"error", what_of(bug)}});
    }
  });
  const SignalsBlocked for_the_thread;
  thread_ = std::thread{[this] { serve_until_stopped(); }};
}

void ServerLoop::serve_until_stopped() {
  // Work that never ends keeps the loop alive; `end_if_done` stops it.
  const auto work = boost::asio::make_work_guard(context_);
  while (!context_.stopped()) {
    try {
      context_.run();
    } catch (const std::exception&) {
      loop_.shared.log.error("an exception left a handler of the server's loop");
    }
  }
}

bool ServerLoop::is_finished() {
  if (!connections_.empty()) {
    // What the service completed after the loop had stopped comes to its end here.
    context_.restart();
    context_.poll();
  }
  return connections_.empty();
}

awaitable<void> ServerLoop::accept_connections() {
  for (;;) {
    const auto [error] =
        co_await listener_.async_wait(Descriptor::wait_read, as_tuple(use_awaitable));
    if (error || loop_.is_stopping) {
      co_return;
    }
    if (!accept_ready()) {
      pause_timer_.expires_after(kAcceptPause);
      // Cancelled by the stop, which the next wait sees.
      [[maybe_unused]] const auto paused =
          co_await pause_timer_.async_wait(as_tuple(use_awaitable));
    }
  }
}

bool ServerLoop::accept_ready() {
  for (int taken = 0; taken < kAcceptBatch; ++taken) {
    OwnedDescriptor socket{
        ::accept4(listener_.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)};
    if (socket.get() >= 0) {
      take(std::move(socket));
      continue;
    }
    const bool is_short = errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
    if (is_short) {
      warn_of_refusals();
      return false;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
      return true;
    }
    // Anything else is a connection that ended before it was taken (accept(2)).
  }
  return true;
}

void ServerLoop::take(OwnedDescriptor socket) {
  ServerShared& shared = loop_.shared;
  if (shared.connections.load(std::memory_order_relaxed) >= shared.max_connections) {
    warn_of_refusals();
    refuse(std::move(socket));
    return;
  }
  Tls tls;
  if (shared.tls) {
    tls = shared.tls->accept(socket.get());
    if (!tls) {
      return;  // out of memory: the client sees a closed connection
    }
  }
  set_no_delay(socket.get());
  ServerConnection& connection = add(std::move(socket), std::move(tls));
  shared.connections.fetch_add(1, std::memory_order_relaxed);
  boost::asio::co_spawn(
      context_, serve_connection(connection), [this, &connection](std::exception_ptr bug) {
        if (bug) {
          loop_.shared.log.error("a connection ended by a bug", {{"error", what_of(bug)}});
        }
        loop_.shared.connections.fetch_sub(1, std::memory_order_relaxed);
        remove(connection);
      });
}

void ServerLoop::refuse(OwnedDescriptor socket) {
  if (loop_.shared.tls || turned_away_ >= kMaxTurnedAway) {
    return;  // closed: a handshake would cost what the limit is there to save
  }
  ++turned_away_;
  ServerConnection& connection = add(std::move(socket), nullptr);
  boost::asio::co_spawn(context_, turn_away(connection),
                        [this, &connection](std::exception_ptr /*bug: it is closed all the same*/) {
                          --turned_away_;
                          remove(connection);
                        });
}

void ServerLoop::warn_of_refusals() {
  const MonoTime now = monotonic_now();
  if (now >= next_warning_) {
    next_warning_ = now + kWarningInterval;
    loop_.shared.log.warning(
        "refusing connections: as many are open as may be",
        {{"open", loop_.shared.connections.load()}, {"limit", loop_.shared.max_connections}});
  }
}

ServerConnection& ServerLoop::add(OwnedDescriptor socket, Tls tls) {
  std::string remote_ip = remote_ip_of(socket.get());
  auto connection = std::make_unique<ServerConnection>(loop_, context_.get_executor(), socket.get(),
                                                       std::move(tls));
  [[maybe_unused]] const int owned_by_connection = socket.release();
  connection->remote_ip = std::move(remote_ip);
  connection->index = connections_.size();
  connections_.push_back(std::move(connection));
  schedule_sweep();
  return *connections_.back();
}

void ServerLoop::remove(ServerConnection& connection) {
  const std::size_t index = connection.index;
  std::swap(connections_[index], connections_.back());
  connections_[index]->index = index;
  connections_.pop_back();
  end_if_done();
}

void ServerLoop::schedule_sweep() {
  if (is_sweeping_) {
    return;
  }
  is_sweeping_ = true;
  sweep_timer_.expires_after(sweep_interval_);
  sweep_timer_.async_wait([this](boost::system::error_code error) {
    is_sweeping_ = false;
    if (!error) {
      sweep();
    }
  });
}

void ServerLoop::sweep() {
  const MonoTime now = monotonic_now();
  for (const auto& connection : connections_) {
    if (connection->deadline <= now) {
      connection->deadline = kNever;
      connection->is_expired = true;
      connection->descriptor.cancel();
    }
  }
  if (!connections_.empty()) {
    schedule_sweep();
  }
}

void ServerLoop::stop(std::chrono::milliseconds grace) {
  boost::asio::post(context_, [this, grace] { begin_stop(grace); });
}

void ServerLoop::begin_stop(std::chrono::milliseconds grace) {
  if (!loop_.is_stopping) {
    loop_.is_stopping = true;
    boost::system::error_code ignored;  // a listening socket that cannot be closed is closed
    listener_.close(ignored);
    pause_timer_.cancel();
    for (const auto& connection : connections_) {
      if (connection->is_idle) {
        connection->descriptor.cancel();
      }
    }
  }
  const MonoTime stop_at = monotonic_now() + grace;
  if (!stop_at_ || stop_at < *stop_at_) {
    stop_at_ = stop_at;
    stop_timer_.expires_at(stop_at);
    stop_timer_.async_wait([this](boost::system::error_code error) {
      if (!error) {
        cut_all();
      }
    });
  }
  end_if_done();
}

void ServerLoop::cut_all() {
  for (const auto& connection : connections_) {
    connection->is_cut = true;
    connection->transport.cut();
    connection->descriptor.cancel();
  }
  stop_timer_.expires_after(kEndOfWork);
  stop_timer_.async_wait([this](boost::system::error_code error) {
    if (!error) {
      context_.stop();
    }
  });
}

void ServerLoop::end_if_done() {
  if (loop_.is_stopping && connections_.empty()) {
    context_.stop();
  }
}

void ServerLoop::join() {
  if (thread_.joinable()) {
    thread_.join();
  }
}

}  // namespace dispatcher
