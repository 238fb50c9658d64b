// What a run came to, as the function's answer and as words. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace dispatcher {

struct RunResult {
  std::int64_t total_events = 0;           // that the inbox gave
  std::int64_t successful_deliveries = 0;  // event and endpoint pairs
  std::int64_t failed_deliveries = 0;      // pairs that are not delivered at the run's end
  std::int64_t total_retries = 0;
  std::chrono::milliseconds total_time_of_successes{};  // of the successful requests
  std::int64_t acknowledged = 0;                        // events
  std::chrono::microseconds elapsed{};
  std::optional<std::int64_t> released;  // events, before the run; empty: none were to be
};

// The function's result body: one line of compact JSON, without a newline.
[[nodiscard]] std::string run_result_json(const RunResult& result);

// The same in words, for a person; ends in a newline.
[[nodiscard]] std::string run_result_text(const RunResult& result);

}  // namespace dispatcher
