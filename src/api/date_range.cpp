#include "api/date_range.hpp"

namespace dispatcher {
namespace {

// False when the value is no date.
bool read_date(const Query& query, std::string_view name, std::optional<WallTime>& time) {
  const std::string* text = query.find_filled(name);
  if (text == nullptr) {
    return true;
  }
  time = parse_timestamp(*text);
  return time.has_value();
}

}  // namespace

DateRange read_date_range(const Query& query) {
  DateRange range;
  if (!read_date(query, "start_date", range.from)) {
    range.refusal = error_answer(
        400, "Invalid start_date format. Use ISO 8601 format (e.g., 2024-01-01T00:00:00Z)");
  } else if (!read_date(query, "end_date", range.to)) {
    range.refusal = error_answer(
        400, "Invalid end_date format. Use ISO 8601 format (e.g., 2024-12-31T23:59:59Z)");
  }
  return range;
}

}  // namespace dispatcher
