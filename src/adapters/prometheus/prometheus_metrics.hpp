// The program's metrics, counted in memory and written in the Prometheus text format (version
// 0.0.4).
#pragma once

#include "ports/metrics.hpp"

#include <array>
#include <atomic>
#include <string>

namespace dispatcher {

class PrometheusMetrics : public Metrics {
 public:
  void add(Metric metric, std::int64_t amount) override;
  void observe(Metric metric, std::chrono::milliseconds value) override;
  void set(Metric metric, std::int64_t value) override;

  // Callable from any thread, as the others are.
  [[nodiscard]] std::string text() const;

 private:
  // Upper bounds in milliseconds; one more bucket takes the rest.
  static constexpr std::array<std::int64_t, 14> kBounds{1,   2,   5,    10,   25,   50,    100,
                                                        250, 500, 1000, 2500, 5000, 10000, 30000};
  struct Series {
    std::atomic<std::int64_t> value{0};  // a counter's or gauge's value, a histogram's sum
    std::atomic<bool> is_set{false};     // of a gauge: without a value it is not shown
    std::array<std::atomic<std::int64_t>, kBounds.size() + 1> buckets{};
  };

  std::array<Series, kMetrics.size()> series_{};
};

}  // namespace dispatcher
