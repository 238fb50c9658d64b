// A service with a path for each thing that a server must be able to do with one.
#pragma once

#include "ports/http_service.hpp"

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

namespace dispatcher::testing {

// Counts pieces: how many were asked for, how many are in memory.
struct StreamCounts {
  std::atomic<int> asked{0};
  std::atomic<int> streams{0};
};

class TestService : public HttpService {
 public:
  // /health        {"status":"healthy"}
  // /echo          the body
  // /what          the request as text: method, path, query, headers
  // /size          the body's length
  // /large         `large_bytes` of `x`
  // /stream        `pieces` pieces of `piece_bytes`
  // /cut-stream    the same, and then says that it was cut short
  // /throw-stream  throws at the third piece
  // /none          204
  // /close         asks for the connection to be closed
  // /throw         throws
  // /hold          waits until `release` is called
  // /refused       refused early, 401
  // /throw-early   throws in refuse_early
  std::optional<ServerAnswer> refuse_early(const RequestHead& head) override;
  boost::asio::awaitable<ServerAnswer> serve(RequestHead head, std::string body) override;
  ServerAnswer error(int status, std::string_view detail) override;

  // Ends every /hold, now and later.
  void release();
  // Returns when so many requests are in /hold.
  void wait_for_held(std::size_t count) const;

  std::atomic<std::size_t> large_bytes = 4 * 1024 * 1024;
  std::atomic<int> pieces = 3;
  std::atomic<std::size_t> piece_bytes = 1024;
  StreamCounts streams;
  std::atomic<int> served{0};  // requests that reached `serve`

 private:
  boost::asio::awaitable<void> hold();

  mutable std::mutex mutex_;
  bool is_released_ = false;
  std::vector<std::function<void()>> held_;
};

}  // namespace dispatcher::testing
