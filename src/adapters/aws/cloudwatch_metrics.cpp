#include "adapters/aws/cloudwatch_metrics.hpp"

#include <algorithm>
#include <utility>

namespace dispatcher {
namespace {

// What one histogram tells apart; a value past them counts as the nearest below. A run of the
// longest time-out has 30,000 milliseconds at most.
constexpr std::size_t kMaxDistinctValues = 40'000;

std::size_t index_of(Metric metric) {
  return static_cast<std::size_t>(metric);
}

std::string_view unit_of(const MetricInfo& info) {
  if (info.kind == MetricKind::histogram_ms) {
    return "Milliseconds";
  }
  return info.metric == Metric::oldest_pending_age ? "Seconds" : "Count";
}

}  // namespace

void CloudWatchMetrics::add(Metric metric, std::int64_t amount) {
  const std::lock_guard lock{mutex_};
  series_[index_of(metric)].total += amount;
}

void CloudWatchMetrics::observe(Metric metric, std::chrono::milliseconds value) {
  const std::lock_guard lock{mutex_};
  auto& values = series_[index_of(metric)].latency;
  if (values.size() >= kMaxDistinctValues) {
    const auto above = values.upper_bound(value.count());
    ++(above == values.begin() ? above : std::prev(above))->second;
    return;
  }
  ++values[value.count()];
}

void CloudWatchMetrics::set(Metric metric, std::int64_t value) {
  const std::lock_guard lock{mutex_};
  series_[index_of(metric)].level = value;
}

std::vector<MetricFigures> CloudWatchMetrics::take() {
  std::array<Series, kMetrics.size()> taken;
  {
    const std::lock_guard lock{mutex_};
    taken.swap(series_);
  }
  std::vector<MetricFigures> figures;
  const std::size_t count = published_ == PublishedMetrics::all ? kMetrics.size() : kSeedMetrics;
  for (std::size_t i = 0; i < count; ++i) {
    const MetricInfo& info = kMetrics[i];
    MetricFigures metric{info.cloudwatch_name, unit_of(info), std::move(taken[i].latency)};
    const bool is_of_seed = i < kSeedMetrics;
    if (info.kind == MetricKind::counter && (is_of_seed || taken[i].total != 0)) {
      metric.counts[taken[i].total] = 1;
    } else if (info.kind == MetricKind::gauge && taken[i].level) {
      metric.counts[*taken[i].level] = 1;
    }
    figures.push_back(std::move(metric));
  }
  return figures;
}

boost::asio::awaitable<void> CloudWatchMetrics::publish(MonoTime deadline) {
  const auto figures = take();
  if (published_ == PublishedMetrics::none) {
    co_return;
  }
  for (std::string& form : metric_forms(kMetricsNamespace, figures, aws_.now())) {
    AwsCall call;
    call.service = AwsService::cloudwatch;
    call.action = "PutMetricData";
    call.body = std::move(form);
    call.deadline = deadline;
    const auto answer = co_await aws_.call(std::move(call));
    if (!answer) {
      log_.warning("the run's metrics could not be published",
                   {{"error", answer.error().error.message}});
      co_return;
    }
  }
}

}  // namespace dispatcher
