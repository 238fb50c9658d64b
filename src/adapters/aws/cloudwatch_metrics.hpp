// The program's metrics, gathered in memory and published to CloudWatch when a run has ended.
#pragma once

#include "adapters/aws/metric_data.hpp"
#include "base/log.hpp"
#include "ports/aws_api.hpp"
#include "ports/metrics.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>

namespace dispatcher {

inline constexpr std::string_view kMetricsNamespace = "ZapierTriggersAPI/Dispatcher";

enum class PublishedMetrics : std::uint8_t { none, seed, all };

class CloudWatchMetrics final : public Metrics {
 public:
  // Both outlive it.
  CloudWatchMetrics(AwsApi& aws, const Log& log, PublishedMetrics published)
      : aws_(aws), log_(log), published_(published) {}

  void add(Metric metric, std::int64_t amount) override;
  void observe(Metric metric, std::chrono::milliseconds value) override;
  void set(Metric metric, std::int64_t value) override;

  // What came since the last time, in one call as a rule, by the deadline. The seed's counters are
  // published when they are 0 too, so that a dashboard shows a run that found nothing; of ours what
  // has a value. What could not be published is logged and gone: added to the next run's it would
  // be counted at a wrong time, and twice where only the answer was lost. On the AWS client's loop.
  [[nodiscard]] boost::asio::awaitable<void> publish(MonoTime deadline);

 private:
  struct Series {
    std::int64_t total = 0;                        // of a counter
    std::optional<std::int64_t> level;             // of a gauge
    std::map<std::int64_t, std::int64_t> latency;  // of a histogram: how often each value came
  };

  [[nodiscard]] std::vector<MetricFigures> take();

  AwsApi& aws_;
  const Log& log_;
  PublishedMetrics published_;
  std::mutex mutex_;
  std::array<Series, kMetrics.size()> series_;
};

}  // namespace dispatcher
