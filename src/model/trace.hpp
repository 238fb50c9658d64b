// Where in a distributed trace something happens, and how that is told to others: AWS X-Ray's
// header and the W3C's `traceparent` name the same trace. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace dispatcher {

struct TraceContext {
  // X-Ray's 4 bytes of seconds since the epoch and 12 random ones; the W3C's trace-id as they are.
  std::array<std::uint8_t, 16> trace_id{};
  std::uint64_t span_id = 0;  // whatever happens here has it as its parent
  bool is_sampled = false;
};

// `Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1`, in any order, with
// whatever else. Without a parent its id is 0. Empty when there is no root in X-Ray's form.
[[nodiscard]] std::optional<TraceContext> parse_xray_header(std::string_view text);

// The value of `X-Amzn-Trace-Id`.
[[nodiscard]] std::string xray_header(const TraceContext& context);

// The value of `traceparent` (W3C Trace Context, level 1).
[[nodiscard]] std::string traceparent(const TraceContext& context);

// `1-5759e988-bd862e3fe1be46a994272793`
[[nodiscard]] std::string xray_trace_id(const TraceContext& context);

// 16 hexadecimal digits, in lower case.
[[nodiscard]] std::string span_id_text(std::uint64_t id);

}  // namespace dispatcher
