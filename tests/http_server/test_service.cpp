#include "http_server/test_service.hpp"

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <memory>
#include <stdexcept>
#include <thread>

namespace dispatcher::testing {
namespace {

ServerAnswer text(std::string body) {
  ServerAnswer answer;
  answer.content_type = "text/plain";
  answer.body = std::move(body);
  return answer;
}

std::string describe(const RequestHead& head) {
  std::string out = head.method + " [" + head.path + "] [" + head.query + "] " + head.remote_ip;
  for (const HttpHeader& header : head.headers) {
    out += "\n" + header.name + "=" + header.value;
  }
  return out;
}

enum class StreamEnd { whole, cut, thrown };

class TestStream : public BodyStream {
 public:
  TestStream(TestService& service, StreamEnd end) : service_(service), end_(end) {
    ++service_.streams.streams;
  }
  ~TestStream() override { --service_.streams.streams; }

  boost::asio::awaitable<std::optional<std::string>> next() override {
    if (given_ == service_.pieces) {
      co_return std::nullopt;
    }
    if (end_ == StreamEnd::thrown && given_ == 2) {
      throw std::runtime_error("thrown by the stream");
    }
    ++service_.streams.asked;
    co_return std::string(service_.piece_bytes, static_cast<char>('a' + given_++ % 26));
  }
  bool is_cut_short() const override { return end_ == StreamEnd::cut; }

 private:
  TestService& service_;
  StreamEnd end_;
  int given_ = 0;
};

}  // namespace

std::optional<ServerAnswer> TestService::refuse_early(const RequestHead& head) {
  if (head.path == "/throw-early") {
    throw std::runtime_error("thrown by the service");
  }
  if (head.path == "/refused") {
    return error(401, "refused");
  }
  return std::nullopt;
}

boost::asio::awaitable<void> TestService::hold() {
  auto wait = [this](auto handler) {
    auto shared = std::make_shared<decltype(handler)>(std::move(handler));
    auto executor = boost::asio::get_associated_executor(*shared);
    const auto resume = [shared, executor] {
      boost::asio::post(executor, [shared] { std::move (*shared)(); });
    };
    const std::scoped_lock lock{mutex_};
    if (is_released_) {
      resume();
    } else {
      held_.push_back(resume);
    }
  };
  co_await boost::asio::async_initiate<decltype(boost::asio::use_awaitable), void()>(
      wait, boost::asio::use_awaitable);
}

void TestService::release() {
  const std::scoped_lock lock{mutex_};
  is_released_ = true;
  for (const auto& resume : held_) {
    resume();
  }
  held_.clear();
}

void TestService::wait_for_held(std::size_t count) const {
  for (;;) {
    {
      const std::scoped_lock lock{mutex_};
      if (held_.size() >= count) {
        return;
      }
    }
    std::this_thread::yield();
  }
}

boost::asio::awaitable<ServerAnswer> TestService::serve(RequestHead head, std::string body) {
  ++served;
  if (head.path == "/health") {
    ServerAnswer answer;
    answer.body = R"({"status":"healthy"})";
    co_return answer;
  }
  if (head.path == "/echo") {
    co_return text(std::move(body));
  }
  if (head.path == "/what") {
    co_return text(describe(head));
  }
  if (head.path == "/size") {
    co_return text(std::to_string(body.size()));
  }
  if (head.path == "/large") {
    co_return text(std::string(large_bytes, 'x'));
  }
  ServerAnswer answer;
  if (head.path == "/stream") {
    answer.stream = std::make_unique<TestStream>(*this, StreamEnd::whole);
  } else if (head.path == "/cut-stream") {
    answer.stream = std::make_unique<TestStream>(*this, StreamEnd::cut);
  } else if (head.path == "/throw-stream") {
    answer.stream = std::make_unique<TestStream>(*this, StreamEnd::thrown);
  } else if (head.path == "/none") {
    answer.status = 204;
    answer.content_type = "";
  } else if (head.path == "/close") {
    answer.close = true;
  } else if (head.path == "/throw") {
    throw std::runtime_error("thrown by the service");
  } else if (head.path == "/hold") {
    co_await hold();
    answer.body = "held";
  } else {
    co_return error(404, "Not Found");
  }
  co_return answer;
}

ServerAnswer TestService::error(int status, std::string_view detail) {
  ServerAnswer answer;
  answer.status = status;
  answer.body = R"({"detail":")" + std::string{detail} + R"("})";
  return answer;
}

}  // namespace dispatcher::testing
