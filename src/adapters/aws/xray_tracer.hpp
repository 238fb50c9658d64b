// The Tracer over UDP to X-Ray's daemon.
#pragma once

#include "base/result.hpp"
#include "ports/clock.hpp"
#include "ports/random.hpp"
#include "ports/tracer.hpp"

#include <boost/asio/ip/udp.hpp>

#include <cstddef>
#include <optional>
#include <string_view>

namespace dispatcher {

// `127.0.0.1:2000`, `[::1]:2000`, or `tcp:… udp:127.0.0.1:2000`; `localhost` is 127.0.0.1. Any
// other name is `invalid`: looking it up could take time that the run does not have. Pure.
[[nodiscard]] Result<boost::asio::ip::udp::endpoint> parse_xray_address(std::string_view text);

class XrayTracer final : public Tracer {
 public:
  // What X-Ray takes of one trace is 500 KB: past this, spans are counted and not sent.
  static constexpr std::size_t kMaxBytesPerRun = 400 * 1024;

  // Without an address nothing is sent; the headers that name the trace are made all the same. Both
  // outlive it.
  XrayTracer(const Clock& clock, Random& random,
             std::optional<boost::asio::ip::udp::endpoint> daemon);
  ~XrayTracer() override;
  XrayTracer(const XrayTracer&) = delete;
  XrayTracer& operator=(const XrayTracer&) = delete;

  void begin_run(std::string_view trace_header) override;
  [[nodiscard]] Span start() override;
  // A datagram that cannot be sent at once is dropped.
  void finish(const Span& span, const SpanReport& report) override;

  // Of the run: dropped, or past the limit.
  [[nodiscard]] std::size_t spans_dropped() const { return dropped_; }

 private:
  [[nodiscard]] bool send(std::string_view datagram);

  const Clock& clock_;
  Random& random_;
  std::optional<boost::asio::ip::udp::endpoint> daemon_;
  int socket_ = -1;  // opened with the first span
  std::optional<TraceContext> run_;
  std::size_t bytes_sent_ = 0;
  std::size_t dropped_ = 0;
};

}  // namespace dispatcher
