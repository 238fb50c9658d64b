#include "api/endpoint_json.hpp"

#include "api/event_json.hpp"
#include "api/text.hpp"
#include "base/bytes.hpp"
#include "base/json_text.hpp"
#include "base/number_text.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace dispatcher {
namespace {

// Writes the members of one object.
class ObjectWriter {
 public:
  explicit ObjectWriter(std::string& out) : out_(out) { out_.push_back('{'); }

  std::string& name(std::string_view name) {
    out_ += out_.ends_with('{') ? "" : ",";
    append_json_string(out_, name);
    out_.push_back(':');
    return out_;
  }
  void text(std::string_view name_, std::string_view value) {
    append_json_string(name(name_), value);
  }
  void text_or_null(std::string_view name_, const std::optional<std::string>& value) {
    append_json_string_or_null(name(name_), value);
  }
  void time(std::string_view name_, const std::optional<WallTime>& value) {
    name(name_) += value ? '"' + format_timestamp(*value) + '"' : std::string{"null"};
  }
  void integer(std::string_view name_, std::int64_t value) { name(name_) += std::to_string(value); }
  void milliseconds(std::string_view name_, const std::optional<std::chrono::milliseconds>& value) {
    name(name_) += value ? std::to_string(value->count()) : std::string{"null"};
  }
  void end() { out_.push_back('}'); }

 private:
  std::string& out_;
};

void append_texts(std::string& out, const std::vector<std::string>& texts) {
  out.push_back('[');
  for (const std::string& text : texts) {
    out += out.ends_with('[') ? "" : ",";
    append_json_string(out, text);
  }
  out.push_back(']');
}

// Whole numbers without a fraction, as they were given.
void append_number(std::string& out, double number) {
  append_float(out, number);
  if (out.ends_with(".0")) {
    out.resize(out.size() - 2);
  }
}

// As an object; the values of one name are joined (RFC 9110, section 5.2).
void append_headers(std::string& out, const std::vector<HttpHeader>& headers) {
  std::vector<std::pair<std::string, std::string>> joined;
  for (const HttpHeader& header : headers) {
    const auto same = std::find_if(joined.begin(), joined.end(), [&](const auto& one) {
      return equals_ignoring_case(one.first, header.name);
    });
    if (same == joined.end()) {
      joined.emplace_back(header.name, header.value);
    } else {
      same->second += ", " + header.value;
    }
  }
  ObjectWriter object{out};
  for (const auto& [name, value] : joined) {
    object.text(to_valid_utf8(name), to_valid_utf8(value));
  }
  object.end();
}

std::vector<HttpHeader> masked_headers(const std::vector<HttpHeader>& headers,
                                       const std::vector<HttpHeader>& secret, bool reveals) {
  std::vector<HttpHeader> shown = headers;
  for (HttpHeader& header : shown) {
    const bool is_secret = std::any_of(secret.begin(), secret.end(), [&](const HttpHeader& one) {
      return equals_ignoring_case(one.name, header.name);
    });
    if (is_secret && !reveals) {
      header.value = kMask;
    }
  }
  return shown;
}

// Those that the HTTP client writes by itself are among them, in the places where it writes them.
std::vector<HttpHeader> sent_headers(const HttpRequest& request,
                                     const std::vector<HttpHeader>& secret, bool reveals) {
  std::vector<HttpHeader> sent{{"Host", request.url.host_header()}};
  const bool has_authorization = std::any_of(
      request.headers.begin(), request.headers.end(),
      [](const HttpHeader& one) { return equals_ignoring_case(one.name, "authorization"); });
  if (!request.url.basic_credentials.empty() && !has_authorization) {
    sent.push_back({"Authorization", reveals ? "Basic " + to_base64(request.url.basic_credentials)
                                             : std::string{kMask}});
  }
  for (HttpHeader& header : masked_headers(request.headers, secret, reveals)) {
    sent.push_back(std::move(header));
  }
  sent.push_back({"Content-Length", std::to_string(request.body.size())});
  if (request.max_idle_connections == 0) {
    sent.push_back({"Connection", "close"});
  }
  return sent;
}

std::string shown_url(const EndpointView& view, bool reveals) {
  return reveals && !view.url.empty() ? view.url : masked_url(view.target);
}

void append_schedule(std::string& out, const std::vector<std::chrono::seconds>& schedule) {
  out.push_back('[');
  for (const std::chrono::seconds step : schedule) {
    out += out.ends_with('[') ? "" : ",";
    out += std::to_string(step.count());
  }
  out.push_back(']');
}

void append_stats(std::string& out, const EndpointFigures& figures) {
  ObjectWriter stats{out};
  stats.integer("delivered", figures.counts.delivered);
  stats.integer("failed", figures.counts.failed);
  stats.integer("waiting", figures.counts.waiting);
  stats.integer("review", figures.counts.review);
  stats.time("oldest_waiting", figures.counts.oldest_waiting);
  stats.milliseconds("p50_ms", figures.health.p50);
  stats.milliseconds("p99_ms", figures.health.p99);
  stats.end();
}

// Of one that is active: what holds it all the same.
std::optional<std::string> reason_of(const EndpointView& view, const EndpointHealth& health) {
  if (view.endpoint.state == EndpointState::active && health.paused_until) {
    return "429 with Retry-After: nothing is sent until " + format_timestamp(*health.paused_until);
  }
  return view.state_reason;
}

}  // namespace

std::string masked_url(std::string_view target) {
  // Of a URL that left the secret long ago nothing may be known.
  return target.empty() ? std::string{kMask} : std::string{target} + "/" + std::string{kMask};
}

void append_endpoint_json(std::string& out, const EndpointView& view,
                          const EndpointFigures& figures, bool reveals, std::string_view secret) {
  const Endpoint& endpoint = view.endpoint;
  ObjectWriter object{out};
  object.text("id", endpoint.id);
  object.text("url", shown_url(view, reveals));
  object.text("description", view.description);
  object.text("state", to_string(endpoint.state));
  object.text_or_null("state_reason", reason_of(view, figures.health));
  append_texts(object.name("types"), endpoint.filter.types);
  append_texts(object.name("sources"), endpoint.filter.sources);
  object.text("body", to_string(endpoint.body));
  append_headers(object.name("headers"),
                 masked_headers(endpoint.headers, endpoint.headers, reveals));
  object.integer("concurrency", endpoint.concurrency);
  if (endpoint.rate_per_second) {
    append_number(object.name("rate_per_second"), *endpoint.rate_per_second);
  } else {
    object.name("rate_per_second") += "null";
  }
  append_number(object.name("timeout_seconds"),
                std::chrono::duration<double>(endpoint.timeout).count());
  object.integer("retries", endpoint.retry.retries);
  append_schedule(object.name("schedule_seconds"), endpoint.retry.schedule);
  object.text("breaker", to_string(figures.health.breaker));
  object.time("failing_since", figures.counts.failing_since);
  object.time("created_at", view.created_at);
  object.time("updated_at", view.updated_at);
  append_stats(object.name("stats"), figures);
  if (!secret.empty()) {
    object.text("secret", secret);
  }
  object.end();
}

std::string test_json(const TestedEndpoint& tested, bool reveals) {
  const TestExchange& exchange = *tested.exchange;
  std::string out;
  append_attempt_json(out, exchange.attempt);
  out.pop_back();  // the object goes on
  out += R"(,"request":)";
  ObjectWriter request{out};
  request.text("method", exchange.request.method);
  request.text("url", shown_url(*tested.view, reveals));
  append_headers(request.name("headers"),
                 sent_headers(exchange.request, tested.view->endpoint.headers, reveals));
  request.text("body", to_valid_utf8(exchange.request.body));
  request.end();
  out += R"(,"response_headers":)";
  append_headers(out, exchange.answer_headers);
  out.push_back('}');
  return out;
}

}  // namespace dispatcher
