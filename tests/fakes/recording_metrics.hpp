// Metrics that remember what was counted.
#pragma once

#include "ports/metrics.hpp"

#include <array>
#include <cstdint>
#include <mutex>

namespace dispatcher::fakes {

class RecordingMetrics : public Metrics {
 public:
  void add(Metric metric, std::int64_t amount = 1) override {
    const std::lock_guard lock{mutex_};
    counts_[static_cast<std::size_t>(metric)] += amount;
  }
  // Counted; the values are not kept.
  void observe(Metric metric, std::chrono::milliseconds /*value*/) override { add(metric, 1); }
  void set(Metric metric, std::int64_t value) override {
    const std::lock_guard lock{mutex_};
    counts_[static_cast<std::size_t>(metric)] = value;
  }

  [[nodiscard]] std::int64_t count(Metric metric) const {
    const std::lock_guard lock{mutex_};
    return counts_[static_cast<std::size_t>(metric)];
  }

 private:
  mutable std::mutex mutex_;
  std::array<std::int64_t, kMetrics.size()> counts_{};
};

}  // namespace dispatcher::fakes
