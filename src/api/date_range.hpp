// `start_date` and `end_date`, as `GET /events/export` and `GET /webhooks/logs` take them. Pure.
#pragma once

#include "api/answers.hpp"
#include "api/text.hpp"
#include "base/time.hpp"

#include <optional>

namespace dispatcher {

struct DateRange {
  std::optional<WallTime> from;
  std::optional<WallTime> to;
  std::optional<ServerAnswer> refusal;  // 400, when one of them is no date
};

// Empty values count as absent; a date alone is its midnight.
[[nodiscard]] DateRange read_date_range(const Query& query);

}  // namespace dispatcher
