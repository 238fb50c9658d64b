// A subsegment, as X-Ray's daemon takes it in a datagram.
// https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html
// Pure.
#pragma once

#include "ports/tracer.hpp"

#include <string>

namespace dispatcher {

// The daemon's buffer; a UDP datagram holds a little less.
inline constexpr std::size_t kMaxXrayBytes = 64'000;

// The header's line and the document. Long texts are cut: it is always shorter than the limit.
// `span` has a context.
[[nodiscard]] std::string xray_datagram(const Span& span, const SpanReport& report,
                                        WallTime ended_at);

}  // namespace dispatcher
