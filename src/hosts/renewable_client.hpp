// An HTTP client that can be used again after it was aborted: as another, which its maker gives.
#pragma once

#include "ports/http_client.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

namespace dispatcher {

class RenewableClient final : public HttpClient {
 public:
  using Maker = std::function<std::unique_ptr<HttpClient>()>;

  explicit RenewableClient(Maker make) : make_(std::move(make)), current_(make_()) {}

  // Before each run: takes another client if this one was aborted, and counts connections anew.
  // Those that are kept stay. Nothing is under way.
  void begin_run() {
    if (std::exchange(is_aborted_, false)) {
      current_ = make_();
    }
    opened_before_ = current_->connections_opened();
  }

  [[nodiscard]] boost::asio::awaitable<Exchange> send(HttpRequest request) override {
    return current_->send(std::move(request));
  }
  void abort() override {
    is_aborted_ = true;
    current_->abort();
  }
  [[nodiscard]] std::uint64_t connections_opened() const override {
    return current_->connections_opened() - opened_before_;
  }

 private:
  Maker make_;
  std::unique_ptr<HttpClient> current_;
  std::uint64_t opened_before_ = 0;
  bool is_aborted_ = false;
};

}  // namespace dispatcher
