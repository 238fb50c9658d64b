#include "adapters/aws/traced_http.hpp"

#include <boost/algorithm/string/predicate.hpp>

#include <algorithm>
#include <utility>

namespace dispatcher {
namespace {

std::string header_of(const HttpRequest& request, std::string_view name) {
  for (const HttpHeader& header : request.headers) {
    if (boost::algorithm::iequals(header.name, name)) {
      return header.value;
    }
  }
  return {};
}

// Those that the request has already are its own.
void add_headers(HttpRequest& request, const Span& span) {
  for (HttpHeader& header : trace_headers(span)) {
    if (header_of(request, header.name).empty()) {
      request.headers.push_back(std::move(header));
    }
  }
}

SpanReport report_of(const HttpRequest& request) {
  SpanReport report;
  report.kind = request.is_webhook ? SpanKind::attempt : SpanKind::api_call;
  report.name = request.url.host;
  report.method = request.method;
  report.url = request.url.display();
  if (request.is_webhook) {  // the path of a webhook is a secret
    report.attempt = request.attempt;
    report.event_id = header_of(request, "webhook-id");
    report.endpoint_id = request.pool;
  } else {
    report.url += request.url.target.substr(0, request.url.target.find('?'));
  }
  return report;
}

}  // namespace

boost::asio::awaitable<Exchange> TracedHttp::send(HttpRequest request) {
  const Span span = tracer_.start();
  add_headers(request, span);
  if (!span.is_recorded()) {
    co_return co_await inner_.send(std::move(request));
  }
  SpanReport report = report_of(request);
  Exchange exchange = co_await inner_.send(std::move(request));
  if (const auto* failure = std::get_if<Failure>(&exchange.result)) {
    report.error = failure->text();
  } else {
    report.status = std::get<Answer>(exchange.result).status;
  }
  tracer_.finish(span, report);
  co_return exchange;
}

}  // namespace dispatcher
