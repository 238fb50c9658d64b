// Promise: Retry-After gives no wait but one of up to a day, the number it says or the time to the
// date it says; a date is read the same in the three forms of HTTP.
#include "model/outcome.hpp"

#include "fuzz/fuzz_target.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string>

namespace dispatcher::fuzz {
namespace {

using std::chrono::seconds;

constexpr WallTime kNow{seconds{1'800'000'000}};
constexpr seconds kDay{86'400};

bool is_digits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// The number that the digits write, or a day when that is less.
seconds capped(std::string_view digits) {
  std::int64_t number = 0;
  for (const char digit : digits) {
    number = std::min<std::int64_t>(number * 10 + (digit - '0'), kDay.count());
  }
  return seconds{number};
}

std::string imf_fixdate(WallTime time) {
  static constexpr std::array kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::string text = format_timestamp(time);  // `2024-01-01T00:00:00.000000Z`
  const auto month = static_cast<std::size_t>(std::stoi(text.substr(5, 2)) - 1);
  return "Mon, " + text.substr(8, 2) + " " + kMonths.at(month) + " " + text.substr(0, 4) + " " +
         text.substr(11, 8) + " GMT";
}

void check(std::string_view input) {
  const auto wait = parse_retry_after(input, kNow);
  // White space around a header's value is not its.
  const bool is_trimmed = !input.empty() && input.find_first_of(" \t") != 0 &&
                          input.find_last_of(" \t") != input.size() - 1;
  const auto date = is_trimmed ? parse_http_date(input) : std::nullopt;
  if (wait) {
    promise(*wait >= seconds{0} && *wait <= kDay, "a wait is between none and a day");
  }
  if (is_digits(input)) {
    promise(wait == capped(input), "a number of seconds is that number");
  }
  if (date) {
    promise(wait.has_value(), "a date is a wait");
    const WallTime whole = std::chrono::floor<seconds>(*date);
    promise(parse_http_date(imf_fixdate(whole)) == whole, "a date written again is the same date");
    promise(kNow + *wait >= std::min(*date, kNow + kDay), "no wait ends before its date");
  }
  // Whatever the answer says, the verdict is one of its status.
  for (const int status : {429, 503}) {
    Exchange exchange;
    exchange.result = Answer{status, {{"Retry-After", std::string{input}}}, ""};
    const Verdict verdict = classify(exchange, StatusPolicy{}, kNow);
    promise(verdict.outcome == Outcome::retryable && verdict.retry_after == wait,
            "a verdict has the wait");
  }
}

const Registration kTarget{"retry_after", check};

}  // namespace
}  // namespace dispatcher::fuzz
