#include "adapters/prometheus/prometheus_metrics.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace dispatcher {
namespace {

std::size_t index_of(Metric metric) {
  return static_cast<std::size_t>(metric);
}

std::string_view type_of(MetricKind kind) {
  switch (kind) {
    case MetricKind::counter: return "counter";
    case MetricKind::histogram_ms: return "histogram";
    case MetricKind::gauge: return "gauge";
  }
  return "untyped";
}

}  // namespace

void PrometheusMetrics::add(Metric metric, std::int64_t amount) {
  if (amount != 0) {
    series_[index_of(metric)].value.fetch_add(amount, std::memory_order_relaxed);
  }
}

void PrometheusMetrics::observe(Metric metric, std::chrono::milliseconds value) {
  Series& series = series_[index_of(metric)];
  series.value.fetch_add(value.count(), std::memory_order_relaxed);
  const auto bound = std::lower_bound(kBounds.begin(), kBounds.end(), value.count());
  series.buckets[static_cast<std::size_t>(bound - kBounds.begin())].fetch_add(
      1, std::memory_order_relaxed);
}

void PrometheusMetrics::set(Metric metric, std::int64_t value) {
  Series& series = series_[index_of(metric)];
  series.value.store(value, std::memory_order_relaxed);
  series.is_set.store(true, std::memory_order_release);
}

std::string PrometheusMetrics::text() const {
  std::string out;
  auto to = std::back_inserter(out);
  for (const MetricInfo& info : kMetrics) {
    const Series& series = series_[index_of(info.metric)];
    if (info.kind == MetricKind::gauge && !series.is_set.load(std::memory_order_acquire)) {
      continue;
    }
    fmt::format_to(to, "# HELP {} {}\n# TYPE {} {}\n", info.prometheus_name, info.help,
                   info.prometheus_name, type_of(info.kind));
    if (info.kind != MetricKind::histogram_ms) {
      fmt::format_to(to, "{} {}\n", info.prometheus_name, series.value.load());
      continue;
    }
    std::int64_t count = 0;
    for (std::size_t i = 0; i < kBounds.size(); ++i) {
      count += series.buckets[i].load();
      fmt::format_to(to, "{}_bucket{{le=\"{}\"}} {}\n", info.prometheus_name, kBounds[i], count);
    }
    count += series.buckets[kBounds.size()].load();
    fmt::format_to(to, "{0}_bucket{{le=\"+Inf\"}} {1}\n{0}_sum {2}\n{0}_count {1}\n",
                   info.prometheus_name, count, series.value.load());
  }
  return out;
}

}  // namespace dispatcher
