// Figures for dashboards and for Prometheus. All of them come from counters, so that they cost the
// same however many events there are.
#include "api/answers.hpp"
#include "api/handlers.hpp"
#include "base/number_text.hpp"
#include "ports/metrics.hpp"

#include <array>

namespace dispatcher {
namespace {

constexpr std::string_view kPrometheusType = "text/plain; version=0.0.4; charset=utf-8";
constexpr int kRateDecimals = 2;
constexpr int kLatencyDecimals = 6;  // a delivery takes well under a millisecond

double percent(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole) * 100.0;
}

// What the store knows, in one table; two more are the program's own (ports/metrics.hpp), which a
// run publishes too.
struct StoreMetric {
  std::string_view name;
  std::string_view kind;
  std::string_view help;
  std::int64_t StoreFigures::*value;
};

constexpr StoreMetric kEventsByState = StoreMetric{
    "dispatcher_events", "gauge", "Events by state: pending, delivered, failed.", nullptr};
constexpr std::array kStoreMetrics{
    StoreMetric{"dispatcher_deliveries_in_flight", "gauge", "Deliveries being attempted.",
                &StoreFigures::in_flight},
    StoreMetric{"dispatcher_store_queued_writes", "gauge", "Writes that wait for a commit.",
                &StoreFigures::queued_writes},
    StoreMetric{"dispatcher_store_commits_total", "counter", "Commits since the start.",
                &StoreFigures::commits},
    StoreMetric{"dispatcher_store_bytes", "gauge", "Size of the store on disk, in bytes.",
                &StoreFigures::file_bytes},
};

void append_head(std::string& out, std::string_view name, std::string_view help,
                 std::string_view kind) {
  out += "# HELP " + std::string{name} + " " + std::string{help} + "\n";
  out += "# TYPE " + std::string{name} + " " + std::string{kind} + "\n";
}

void append_gauge(std::string& out, Metric metric, const std::string& value) {
  const MetricInfo& info = kMetrics[static_cast<std::size_t>(metric)];
  append_head(out, info.prometheus_name, info.help, "gauge");
  out += std::string{info.prometheus_name} + " " + value + "\n";
}

void append_events(std::string& out, const Summary& events) {
  append_head(out, kEventsByState.name, kEventsByState.help, kEventsByState.kind);
  const auto append_state = [&out](std::string_view state, std::int64_t count) {
    out += std::string{kEventsByState.name} + "{state=\"" + std::string{state} + "\"} " +
           std::to_string(count) + "\n";
  };
  append_state("pending", events.pending);
  append_state("delivered", events.delivered);
  append_state("failed", events.failed);
}

std::string age_in_seconds(const std::optional<WallTime>& since, WallTime now) {
  std::string text;
  const auto age = since && *since < now ? now - *since : WallTime::duration::zero();
  append_rounded(text, std::chrono::duration<double>(age).count(), 3);
  return text;
}

std::string prometheus_text(const StoreFigures& figures, WallTime now) {
  std::string out;
  append_events(out, figures.events);
  append_gauge(out, Metric::events_in_review, std::to_string(figures.in_review));
  append_gauge(out, Metric::oldest_pending_age, age_in_seconds(figures.oldest_pending, now));
  for (const StoreMetric& metric : kStoreMetrics) {
    append_head(out, metric.name, metric.help, metric.kind);
    out += std::string{metric.name} + " " + std::to_string(figures.*metric.value) + "\n";
  }
  return out;
}

}  // namespace

HandlerResult get_summary(const ApiContext& context, ApiRequest /*request*/) {
  const auto figures = co_await context.store.figures();
  if (!figures) {
    co_return store_error_answer(figures.error());
  }
  const Summary& events = figures->events;
  std::string body = R"({"total":)" + std::to_string(events.total);
  body += R"(,"pending":)" + std::to_string(events.pending);
  body += R"(,"delivered":)" + std::to_string(events.delivered);
  body += R"(,"failed":)" + std::to_string(events.failed);
  body += R"(,"success_rate":)";
  append_rounded(body, percent(events.delivered, events.delivered + events.failed), kRateDecimals);
  body.push_back('}');
  co_return json_answer(200, std::move(body));
}

HandlerResult get_latency(const ApiContext& context, ApiRequest /*request*/) {
  const auto latency = co_await context.store.latency();
  if (!latency) {
    co_return store_error_answer(latency.error());
  }
  std::string body = R"({"p50":)";
  append_rounded(body, latency->p50, kLatencyDecimals);
  body += R"(,"p95":)";
  append_rounded(body, latency->p95, kLatencyDecimals);
  body += R"(,"p99":)";
  append_rounded(body, latency->p99, kLatencyDecimals);
  body += R"(,"sample_size":)" + std::to_string(latency->sample_size) + "}";
  co_return json_answer(200, std::move(body));
}

HandlerResult get_throughput(const ApiContext& context, ApiRequest /*request*/) {
  const auto figures = co_await context.store.figures();
  if (!figures) {
    co_return store_error_answer(figures.error());
  }
  const auto in_a_day = static_cast<double>(figures->ingested_last_24h);
  std::string body = R"({"events_per_minute":)";
  append_rounded(body, in_a_day / 1440.0, kRateDecimals);
  body += R"(,"events_per_hour":)";
  append_rounded(body, in_a_day / 24.0, kRateDecimals);
  body += R"(,"total_events_24h":)" + std::to_string(figures->ingested_last_24h);
  body += R"(,"time_range":"last_24_hours"})";
  co_return json_answer(200, std::move(body));
}

HandlerResult get_errors(const ApiContext& context, ApiRequest /*request*/) {
  const auto figures = co_await context.store.figures();
  if (!figures) {
    co_return store_error_answer(figures.error());
  }
  const Summary& events = figures->events;
  std::string body = R"({"total_errors":)" + std::to_string(events.failed);
  body += R"(,"error_rate":)";
  append_rounded(body, percent(events.failed, events.delivered + events.failed), kRateDecimals);
  body += R"(,"failed_deliveries":)" + std::to_string(events.failed);
  body += R"(,"pending_retries":)" + std::to_string(events.pending) + "}";
  co_return json_answer(200, std::move(body));
}

HandlerResult get_prometheus(const ApiContext& context, ApiRequest /*request*/) {
  const auto figures = co_await context.store.figures();
  if (!figures) {
    co_return store_error_answer(figures.error());
  }
  ServerAnswer answer;
  answer.content_type = kPrometheusType;
  if (context.options.render_metrics) {
    answer.body = context.options.render_metrics();
  }
  answer.body += prometheus_text(*figures, context.clock.wall());
  co_return answer;
}

}  // namespace dispatcher
