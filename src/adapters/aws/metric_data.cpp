#include "adapters/aws/metric_data.hpp"

#include "base/url_text.hpp"

#include <fmt/format.h>

#include <iterator>

namespace dispatcher {
namespace {

// `2026-01-01T00:00:00Z`, escaped for a form.
std::string timestamp_text(WallTime now) {
  return percent_encode(format_timestamp(now).substr(0, 19) + "Z");
}

// Takes up to kMaxValuesPerDatum values from `next` on.
std::string datum_text(std::size_t number, const MetricFigures& metric,
                       std::map<std::int64_t, std::int64_t>::const_iterator& next,
                       std::string_view timestamp) {
  const std::string prefix = fmt::format("&MetricData.member.{}.", number);
  std::string out;
  auto to = std::back_inserter(out);
  fmt::format_to(to, "{0}MetricName={1}{0}Unit={2}{0}Timestamp={3}", prefix, metric.name,
                 metric.unit, timestamp);
  const bool is_single = metric.counts.size() == 1 && next->second == 1;
  if (is_single) {
    fmt::format_to(to, "{}Value={}", prefix, next->first);
    ++next;
    return out;
  }
  for (std::size_t i = 1; i <= kMaxValuesPerDatum && next != metric.counts.end(); ++i, ++next) {
    fmt::format_to(to, "{0}Values.member.{1}={2}{0}Counts.member.{1}={3}", prefix, i, next->first,
                   next->second);
  }
  return out;
}

}  // namespace

std::vector<std::string> metric_forms(std::string_view metrics_namespace,
                                      const std::vector<MetricFigures>& metrics, WallTime now) {
  const std::string timestamp = timestamp_text(now);
  const std::string beginning = "Namespace=" + percent_encode(metrics_namespace);
  std::vector<std::string> forms;
  std::size_t data = 0;  // in the last form
  for (const MetricFigures& metric : metrics) {
    auto next = metric.counts.begin();
    while (next != metric.counts.end()) {
      const auto first = next;
      std::string datum = datum_text(data + 1, metric, next, timestamp);
      const bool is_full = forms.empty() || data == kMaxDataPerCall ||
                           forms.back().size() + datum.size() > kMaxFormBytes;
      if (is_full) {
        forms.push_back(beginning);
        data = 0;
        next = first;
        datum = datum_text(1, metric, next, timestamp);
      }
      forms.back() += datum;
      ++data;
    }
  }
  return forms;
}

}  // namespace dispatcher
