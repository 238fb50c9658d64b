#include "adapters/aws/xray_document.hpp"

#include "base/json_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace dispatcher {
namespace {

constexpr std::string_view kHeader = "{\"format\":\"json\",\"version\":1}\n";
// X-Ray takes names of up to 200 characters; nothing else here needs more either.
constexpr std::size_t kMaxNameBytes = 200;
constexpr std::size_t kMaxTextBytes = 1'000;

// Letters, digits, white space and these; anything else becomes an underscore.
std::string span_name(std::string_view text) {
  static constexpr std::string_view kMarks = "_.:/%&#=+\\-@ ";
  std::string out{text.substr(0, kMaxNameBytes)};
  for (char& c : out) {
    const bool is_allowed = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                            (c >= '0' && c <= '9') || kMarks.find(c) != std::string_view::npos;
    c = is_allowed ? c : '_';
  }
  return out.empty() ? "unknown" : out;
}

std::string_view cut(std::string_view text) {
  if (text.size() <= kMaxTextBytes) {
    return text;
  }
  std::size_t end = kMaxTextBytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) {
    --end;  // not through the middle of a character
  }
  return text.substr(0, end);
}

void add(std::string& out, std::string_view name, std::string_view text) {
  if (text.empty()) {
    return;
  }
  out += out.empty() || out.back() == '{' ? "" : ",";
  append_json_string(out, name);
  out += ':';
  append_json_string(out, cut(text));
}

void add_number(std::string& out, std::string_view name, std::int64_t number) {
  out += out.back() == '{' ? "" : ",";
  append_json_string(out, name);
  fmt::format_to(std::back_inserter(out), ":{}", number);
}

// X-Ray's: `error` is the caller's fault, `fault` the other side's, `throttle` a limit of theirs.
void add_outcome(std::string& out, const Span& span, const SpanReport& report) {
  const int status = report.status.value_or(0);
  if (status == 429) {
    out += R"(,"error":true,"throttle":true)";
  } else if (status >= 400 && status < 500) {
    out += R"(,"error":true)";
  } else if (status >= 500 || !report.error.empty()) {
    out += R"(,"fault":true)";
  }
  if (report.error.empty()) {
    return;
  }
  out += R"(,"cause":{"exceptions":[{)";
  // It needs an id that no span has.
  add(out, "id", span_id_text(~span.context->span_id));
  add(out, "type", std::string_view{report.error}.substr(0, report.error.find(':')));
  add(out, "message", report.error);
  out += "}]}";
}

void add_http(std::string& out, const SpanReport& report) {
  if (report.url.empty() && !report.status) {
    return;
  }
  out += R"(,"http":{)";
  if (!report.url.empty()) {
    out += R"("request":{)";
    add(out, "method", report.method);
    add(out, "url", report.url);
    out += '}';
  }
  if (report.status) {
    out += report.url.empty() ? "" : ",";
    out += R"("response":{)";
    add_number(out, "status", *report.status);
    out += '}';
  }
  out += '}';
}

void add_aws(std::string& out, const SpanReport& report) {
  if (report.kind != SpanKind::aws_call) {
    return;
  }
  out += R"(,"aws":{)";
  add(out, "operation", report.operation);
  add(out, "region", report.region);
  add(out, "request_id", report.request_id);
  add_number(out, "retries", report.attempt > 1 ? report.attempt - 1 : 0);
  out += '}';
}

// Annotations can be searched for: `annotation.event_id = "…"`.
void add_annotations(std::string& out, const SpanReport& report) {
  if (report.kind != SpanKind::attempt) {
    return;
  }
  out += R"(,"annotations":{)";
  add(out, "event_id", report.event_id);
  add(out, "endpoint_id", report.endpoint_id);
  add_number(out, "attempt", report.attempt);
  add_number(out, "retry", report.attempt > 1 ? report.attempt - 1 : 0);
  out += '}';
}

double seconds_of(WallTime time) {
  return std::chrono::duration<double>{time.time_since_epoch()}.count();
}

}  // namespace

std::string xray_datagram(const Span& span, const SpanReport& report, WallTime ended_at) {
  std::string out{kHeader};
  out += '{';
  add(out, "id", span_id_text(span.context->span_id));
  add(out, "trace_id", xray_trace_id(*span.context));
  add(out, "parent_id", span_id_text(span.parent_id));
  add(out, "type", "subsegment");
  add(out, "name", span_name(report.name));
  add(out, "namespace", report.kind == SpanKind::aws_call ? "aws" : "remote");
  fmt::format_to(std::back_inserter(out), R"(,"start_time":{:.6f},"end_time":{:.6f})",
                 seconds_of(span.started_at), seconds_of(std::max(ended_at, span.started_at)));
  add_outcome(out, span, report);
  add_http(out, report);
  add_aws(out, report);
  add_annotations(out, report);
  out += '}';
  return out;
}

}  // namespace dispatcher
