// An HTTP client whose requests are spans of the run's trace.
#pragma once

#include "ports/http_client.hpp"
#include "ports/tracer.hpp"

namespace dispatcher {

// Each request takes the headers that name the trace along, and is reported when it has ended: as
// an attempt when it is a webhook, else as a call of the Triggers API.
class TracedHttp final : public HttpClient {
 public:
  // Both outlive it, and it every request.
  TracedHttp(HttpClient& inner, Tracer& tracer) : inner_(inner), tracer_(tracer) {}

  [[nodiscard]] boost::asio::awaitable<Exchange> send(HttpRequest request) override;
  void abort() override { inner_.abort(); }
  [[nodiscard]] std::uint64_t connections_opened() const override {
    return inner_.connections_opened();
  }

 private:
  HttpClient& inner_;
  Tracer& tracer_;
};

}  // namespace dispatcher
