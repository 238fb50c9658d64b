// Tracing a run: what it called, how long each call took, what came of it.
#pragma once

#include "base/time.hpp"
#include "model/exchange.hpp"
#include "model/trace.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dispatcher {

enum class SpanKind : std::uint8_t {
  attempt,   // of a delivery, at a webhook
  api_call,  // of the Triggers API
  aws_call,  // of an AWS service, its retries included
};

// One call, as long as it is under way. One that is never finished is not reported.
struct Span {
  // What the other side is told; empty: nothing is traced.
  std::optional<TraceContext> context;
  std::uint64_t parent_id = 0;
  WallTime started_at{};

  // Whether a report is wanted: whoever makes one may ask first.
  [[nodiscard]] bool is_recorded() const { return context && context->is_sampled; }
};

// What became of a call. No payload, no secret: of a webhook's URL the scheme and the host alone.
struct SpanReport {
  SpanKind kind = SpanKind::attempt;
  std::string name;           // the host called, or AWS's name of the service
  std::string method;         // of HTTP
  std::string url;            // of HTTP
  std::string operation;      // of an AWS call: its action
  std::string region;         // of an AWS call
  std::string request_id;     // of an AWS call
  std::string error;          // `timeout: connecting`; empty when an answer came
  std::optional<int> status;  // of the answer
  std::int64_t attempt = 0;   // of a delivery, from 1; of an AWS call how often it was sent
  std::string event_id;       // of an attempt
  std::string endpoint_id;    // of an attempt
};

// Belongs to one loop. Nothing here blocks, fails, or waits.
class Tracer {
 public:
  virtual ~Tracer() = default;

  // Every span from now on belongs to the trace that this header names
  // (`Root=…;Parent=…;Sampled=1`, as Lambda gives it), under its parent. Empty, or none: nothing is
  // traced.
  virtual void begin_run(std::string_view trace_header) = 0;

  [[nodiscard]] virtual Span start() = 0;
  virtual void finish(const Span& span, const SpanReport& report) = 0;
};

class NoTracer final : public Tracer {
 public:
  void begin_run(std::string_view /*trace_header*/) override {}
  [[nodiscard]] Span start() override { return {}; }
  void finish(const Span& /*span*/, const SpanReport& /*report*/) override {}
};

// What a request carries so that the other side's trace joins ours; nothing when nothing is traced.
[[nodiscard]] inline std::vector<HttpHeader> trace_headers(const Span& span) {
  if (!span.context) {
    return {};
  }
  return {{"traceparent", traceparent(*span.context)},
          {"X-Amzn-Trace-Id", xray_header(*span.context)}};
}

}  // namespace dispatcher
