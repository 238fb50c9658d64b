// What the tests of this folder share: an HTTP client that answers as they
// say, and a loop to wait on.
#pragma once

#include "fakes/manual_clock.hpp"
#include "ports/clock.hpp"
#include "ports/http_client.hpp"
#include "ports/random.hpp"
#include "ports/triggers_api.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <exception>
#include <functional>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

namespace dispatcher::test {

using fakes::ManualClock;

class CountingRandom : public Random {
 public:
  [[nodiscard]] std::uint64_t next() override { return ++last_ * 0x9E3779B97F4A7C15ULL; }

 private:
  std::uint64_t last_ = 0;
};

class ScriptedHttp : public HttpClient {
 public:
  std::function<Exchange(const HttpRequest&)> answer;
  std::vector<HttpRequest> requests;

  [[nodiscard]] boost::asio::awaitable<Exchange> send(HttpRequest request) override {
    requests.push_back(request);
    // The other side takes its time: callers that run side by side do so here too.
    co_await boost::asio::post(boost::asio::use_awaitable);
    co_return answer(request);
  }
  void abort() override {}
  [[nodiscard]] std::uint64_t connections_opened() const override { return 0; }
};

inline Exchange answered(int status, std::string body, std::vector<HttpHeader> headers = {}) {
  Answer answer;
  answer.status = status;
  answer.headers = std::move(headers);
  answer.body = std::move(body);
  return {std::move(answer), "127.0.0.1:1"};
}

inline Exchange failed(FailureKind kind) {
  return {Failure{kind, "as the test says"}, ""};
}

template <class T>
T await(boost::asio::awaitable<T> work) {
  boost::asio::io_context loop{1};
  std::optional<T> result;
  boost::asio::co_spawn(loop, std::move(work), [&](const std::exception_ptr& bug, T value) {
    if (bug) {
      std::rethrow_exception(bug);
    }
    result.emplace(std::move(value));
  });
  loop.run();
  if (!result) {
    throw std::logic_error("the coroutine has not ended");
  }
  return std::move(*result);
}

inline void await(boost::asio::awaitable<void> work) {
  boost::asio::io_context loop{1};
  boost::asio::co_spawn(loop, std::move(work), [](const std::exception_ptr& bug) {
    if (bug) {
      std::rethrow_exception(bug);
    }
  });
  loop.run();
}

}  // namespace dispatcher::test
