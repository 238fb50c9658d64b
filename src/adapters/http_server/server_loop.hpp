// One event loop of the server: a thread, a listening socket, and the connections taken from it.
#pragma once

#include "adapters/http_server/connection.hpp"
#include "adapters/http_server/listener.hpp"

#include <boost/asio/basic_waitable_timer.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

namespace dispatcher {

// Belongs to its own thread between `run` and `join`, but for `stop`.
class ServerLoop {
 public:
  ServerLoop(ServerShared& shared, OwnedDescriptor listener);
  // After `join`, or when it never ran.
  ~ServerLoop() = default;
  ServerLoop(const ServerLoop&) = delete;
  ServerLoop& operator=(const ServerLoop&) = delete;

  // Serves on a thread of its own.
  void run();
  // Begins to stop as HttpServer::stop says, and returns at once. Callable from any thread, and
  // again: the shorter grace holds.
  void stop(std::chrono::milliseconds grace);
  // After `stop`: waits for the thread's end.
  void join();
  // After `join`: true when no request is in the service any more, so that the loop can be
  // destroyed. Otherwise something that the service awaits may still complete into it.
  [[nodiscard]] bool is_finished();

 private:
  using Executor = boost::asio::io_context::executor_type;
  using Timer = boost::asio::basic_waitable_timer<
      std::chrono::steady_clock, boost::asio::wait_traits<std::chrono::steady_clock>, Executor>;

  void serve_until_stopped();
  [[nodiscard]] boost::asio::awaitable<void> accept_connections();
  // False when the process has run out of files or memory for more.
  [[nodiscard]] bool accept_ready();
  void take(OwnedDescriptor socket);
  void refuse(OwnedDescriptor socket);
  void warn_of_refusals();
  ServerConnection& add(OwnedDescriptor socket, Tls tls);
  void remove(ServerConnection& connection);

  void schedule_sweep();
  void sweep();

  void begin_stop(std::chrono::milliseconds grace);
  void cut_all();
  void end_if_done();

  // The context is destroyed last: what still waits in it refers to connections and to the service,
  // and touches neither when it is destroyed.
  boost::asio::io_context context_{1};
  LoopContext loop_;
  boost::asio::posix::basic_stream_descriptor<Executor> listener_;
  std::vector<std::unique_ptr<ServerConnection>> connections_;
  std::size_t turned_away_ = 0;  // of those, the ones that are being refused
  std::chrono::milliseconds sweep_interval_;
  Timer sweep_timer_;
  bool is_sweeping_ = false;
  Timer pause_timer_;  // of accepting, when there is nothing to accept with
  Timer stop_timer_;
  std::optional<MonoTime> stop_at_;
  MonoTime next_warning_{};
  std::thread thread_;
};

}  // namespace dispatcher
