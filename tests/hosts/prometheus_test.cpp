// Promises: what Prometheus reads is each metric as the kind that it is, and a level only when
// there is one: a service that has no table does not say that nothing is in review there.
#include "adapters/prometheus/prometheus_metrics.hpp"

#include <gtest/gtest.h>

namespace dispatcher {
namespace {

bool says(const PrometheusMetrics& metrics, std::string_view line) {
  return ("\n" + metrics.text()).find("\n" + std::string{line} + "\n") != std::string::npos;
}

TEST(prometheus_metrics, a_counter_is_there_from_the_start) {
  PrometheusMetrics metrics;
  EXPECT_TRUE(says(metrics, "# TYPE dispatcher_retry_attempts_total counter"));
  EXPECT_TRUE(says(metrics, "dispatcher_retry_attempts_total 0"));
  metrics.add(Metric::retry_attempts, 2);
  EXPECT_TRUE(says(metrics, "dispatcher_retry_attempts_total 2"));
}

TEST(prometheus_metrics, a_level_is_there_once_it_was_set) {
  PrometheusMetrics metrics;
  EXPECT_EQ(metrics.text().find("dispatcher_events_in_review"), std::string::npos);
  metrics.set(Metric::events_in_review, 3);
  metrics.set(Metric::events_in_review, 0);
  EXPECT_TRUE(says(metrics, "# TYPE dispatcher_events_in_review gauge"));
  EXPECT_TRUE(says(metrics, "dispatcher_events_in_review 0"));
}

TEST(prometheus_metrics, a_duration_is_counted_in_its_bucket) {
  PrometheusMetrics metrics;
  metrics.observe(Metric::delivery_latency, std::chrono::milliseconds{7});
  EXPECT_TRUE(says(metrics, "dispatcher_delivery_latency_milliseconds_bucket{le=\"5\"} 0"));
  EXPECT_TRUE(says(metrics, "dispatcher_delivery_latency_milliseconds_bucket{le=\"10\"} 1"));
  EXPECT_TRUE(says(metrics, "dispatcher_delivery_latency_milliseconds_sum 7"));
}

}  // namespace
}  // namespace dispatcher
