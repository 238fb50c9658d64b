// Promise: a timestamp or duration that is read can be written and is read again as the same; none
// is out of what can be stored.
#include "base/time.hpp"

#include "api/date_range.hpp"
#include "base/url_text.hpp"
#include "fuzz/fuzz_target.hpp"

#include <string>

namespace dispatcher::fuzz {
namespace {

void check(std::string_view input) {
  const auto time = parse_timestamp(input);
  if (time) {
    const std::string written = format_timestamp(*time);
    promise(written.size() == 27, "a timestamp has 27 characters");
    promise(parse_timestamp(written) == time, "a time written again is the same time");
    promise(format_compact(*time).size() == 15, "a file's name has 15 characters of it");
  }
  if (const auto duration = parse_duration(input)) {
    promise(duration->count() >= 0, "a duration is not negative");
    if (duration->count() < 1'000'000'000'000'000) {  // a double holds more than that not exactly
      promise(parse_duration(std::to_string(duration->count()) + "us") == duration,
              "a duration written again is the same duration");
    }
  }
  const DateRange range =
      read_date_range(Query{"start_date=" + percent_encode(input) + "&end_date="});
  promise(!range.to && range.refusal.has_value() == (!input.empty() && !range.from),
          "a date is taken or refused");
}

const Registration kTarget{"time", check};

}  // namespace
}  // namespace dispatcher::fuzz
