#include "hosts/run_report.hpp"

#include <fmt/format.h>

namespace dispatcher {
namespace {

double average_ms(const RunResult& result) {
  if (result.successful_deliveries == 0) {
    return 0;
  }
  return static_cast<double>(result.total_time_of_successes.count()) /
         static_cast<double>(result.successful_deliveries);
}

double seconds_of(const RunResult& result) {
  return std::chrono::duration<double>{result.elapsed}.count();
}

}  // namespace

std::string run_result_json(const RunResult& result) {
  const std::string released =
      result.released ? fmt::format(R"(,"released":{})", *result.released) : std::string{};
  return fmt::format(
      R"({{"total_events":{},"successful_deliveries":{},"failed_deliveries":{},)"
      R"("total_retries":{},"avg_delivery_time_ms":{:.2f},"processing_time_seconds":{:.3f},)"
      R"("acknowledged_count":{}{}}})",
      result.total_events, result.successful_deliveries, result.failed_deliveries,
      result.total_retries, average_ms(result), seconds_of(result), result.acknowledged, released);
}

std::string run_result_text(const RunResult& result) {
  return fmt::format(
      "events        {:>10}\n"
      "acknowledged  {:>10}\n"
      "delivered     {:>10}   {:.1f} ms on average\n"
      "not delivered {:>10}\n"
      "retries       {:>10}\n"
      "time          {:>10.3f} s\n",
      result.total_events, result.acknowledged, result.successful_deliveries, average_ms(result),
      result.failed_deliveries, result.total_retries, seconds_of(result));
}

}  // namespace dispatcher
