// The figures that the program publishes, in one table. Adapters write them as Prometheus text
// (`GET /metrics`) or to CloudWatch.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace dispatcher {

enum class Metric : std::uint8_t {
  // The seed's five, under its names.
  events_processed,
  successful_deliveries,
  failed_deliveries,
  delivery_latency,
  retry_attempts,
  // Ours.
  events_ingested,
  attempts_abandoned,
  connections_opened,
  http_requests,
  http_requests_shed,
  events_expired,
  events_in_review,
  oldest_pending_age,
  breakers_opened,
  endpoints_disabled,
  endpoints_paused,
  rate_waits,
};

// A gauge is a level: the last value that it was set to, and nothing before the first.
enum class MetricKind : std::uint8_t { counter, histogram_ms, gauge };

struct MetricInfo {
  Metric metric;
  std::string_view prometheus_name;
  std::string_view cloudwatch_name;
  MetricKind kind;
  std::string_view help;
};

inline constexpr std::array kMetrics{
    MetricInfo{Metric::events_processed, "dispatcher_events_processed_total", "EventsProcessed",
               MetricKind::counter, "Deliveries attempted for the first time."},
    MetricInfo{Metric::successful_deliveries, "dispatcher_successful_deliveries_total",
               "SuccessfulDeliveries", MetricKind::counter, "Deliveries that a 2xx ended."},
    MetricInfo{Metric::failed_deliveries, "dispatcher_failed_deliveries_total", "FailedDeliveries",
               MetricKind::counter, "Attempts that failed."},
    MetricInfo{Metric::delivery_latency, "dispatcher_delivery_latency_milliseconds",
               "DeliveryLatency", MetricKind::histogram_ms,
               "Duration of the successful requests, in milliseconds."},
    MetricInfo{Metric::retry_attempts, "dispatcher_retry_attempts_total", "RetryAttempts",
               MetricKind::counter, "Attempts after a delivery's first."},
    MetricInfo{Metric::events_ingested, "dispatcher_events_ingested_total", "EventsIngested",
               MetricKind::counter, "Events answered 201."},
    MetricInfo{Metric::attempts_abandoned, "dispatcher_attempts_abandoned_total",
               "AttemptsAbandoned", MetricKind::counter,
               "Attempts stopped in mid-request because the process was stopping."},
    MetricInfo{Metric::connections_opened, "dispatcher_connections_opened_total",
               "ConnectionsOpened", MetricKind::counter, "Connections opened to receivers."},
    MetricInfo{Metric::http_requests, "dispatcher_http_requests_total", "HttpRequests",
               MetricKind::counter, "Requests that the Triggers API answered."},
    MetricInfo{Metric::http_requests_shed, "dispatcher_http_requests_shed_total",
               "HttpRequestsShed", MetricKind::counter,
               "Requests answered 503 because a queue was at its limit."},
    MetricInfo{Metric::events_expired, "dispatcher_events_expired_total", "EventsExpired",
               MetricKind::counter,
               "Pending events that a table's expiry took before they were delivered."},
    MetricInfo{Metric::events_in_review, "dispatcher_events_in_review", "EventsInReview",
               MetricKind::gauge,
               "Events that need a person: in review, and nothing of them waits. Of a run: as far "
               "as it saw."},
    MetricInfo{Metric::oldest_pending_age, "dispatcher_oldest_pending_age_seconds",
               "OldestPendingAge", MetricKind::gauge,
               "Age of the oldest event that is pending and not in review, in seconds."},
    MetricInfo{Metric::breakers_opened, "dispatcher_breakers_opened_total", "BreakersOpened",
               MetricKind::counter,
               "Times an endpoint's breaker opened: nearly all of its attempts had failed."},
    MetricInfo{Metric::endpoints_disabled, "dispatcher_endpoints_disabled_total",
               "EndpointsDisabled", MetricKind::counter,
               "Endpoints disabled because they answered 410."},
    MetricInfo{Metric::endpoints_paused, "dispatcher_endpoints_paused_total", "EndpointsPaused",
               MetricKind::counter,
               "Times a 429 with Retry-After paused an endpoint that was not paused by one."},
    MetricInfo{Metric::rate_waits, "dispatcher_rate_waits_total", "RateWaits", MetricKind::counter,
               "Times an endpoint with something due waited for its rate."},
};

// Those of the seed are the first; they are published under any setting but none.
inline constexpr std::size_t kSeedMetrics = 5;

// The table is in the order of the enumeration, so that an adapter may index by it.
static_assert([] {
  for (std::size_t i = 0; i < kMetrics.size(); ++i) {
    if (static_cast<std::size_t>(kMetrics[i].metric) != i) {
      return false;
    }
  }
  return true;
}());

// Callable from any thread.
class Metrics {
 public:
  virtual ~Metrics() = default;
  virtual void add(Metric metric, std::int64_t amount = 1) = 0;
  virtual void observe(Metric metric, std::chrono::milliseconds value) = 0;
  // Of a gauge.
  virtual void set(Metric metric, std::int64_t value) = 0;
};

}  // namespace dispatcher
