// The form that CloudWatch's PutMetricData takes.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html
// Pure.
#pragma once

#include "base/time.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace dispatcher {

// One metric's figures: each value, and how often it came.
struct MetricFigures {
  std::string_view name;
  std::string_view unit;  // `Count`, `Milliseconds`, `Seconds`
  std::map<std::int64_t, std::int64_t> counts;
};

// AWS's limits of one call, and what is kept free of the last for the form's beginning.
inline constexpr std::size_t kMaxDataPerCall = 1'000;
inline constexpr std::size_t kMaxValuesPerDatum = 150;
inline constexpr std::size_t kMaxFormBytes = 1'000'000;

// The parameters behind Action and Version: a form a call, as few as the limits allow. A metric
// without a value is in none.
[[nodiscard]] std::vector<std::string> metric_forms(std::string_view metrics_namespace,
                                                    const std::vector<MetricFigures>& metrics,
                                                    WallTime now);

}  // namespace dispatcher
