#include "base/time.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdio>

namespace dispatcher {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using std::chrono::sys_days;

// The years 1 to 9999: four digits.
constexpr WallTime kFirstWritable = sys_days{std::chrono::year{1} / 1 / 1};
constexpr WallTime kAfterLastWritable = sys_days{std::chrono::year{10000} / 1 / 1};

struct Fields {
  int year;
  unsigned month;
  unsigned day;
  int hour;
  int minute;
  int second;
  int micros;
};

Fields fields_of(WallTime time) {
  const auto day = std::chrono::floor<days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{time - day};
  return {static_cast<int>(date.year()),
          static_cast<unsigned>(date.month()),
          static_cast<unsigned>(date.day()),
          static_cast<int>(clock.hours().count()),
          static_cast<int>(clock.minutes().count()),
          static_cast<int>(clock.seconds().count()),
          static_cast<int>(clock.subseconds().count())};
}

void put_digits(char* at, int width, int value) {
  for (int i = width - 1; i >= 0; --i) {
    at[i] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
}

// Reads exactly `width` digits from the front of `text`.
std::optional<int> take_digits(std::string_view& text, std::size_t width) {
  if (text.size() < width) {
    return std::nullopt;
  }
  int value = 0;
  for (std::size_t i = 0; i < width; ++i) {
    if (text[i] < '0' || text[i] > '9') {
      return std::nullopt;
    }
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(width);
  return value;
}

bool take_char(std::string_view& text, char expected) {
  if (text.empty() || text.front() != expected) {
    return false;
  }
  text.remove_prefix(1);
  return true;
}

std::optional<sys_days> make_date(int year, int month, int day) {
  const std::chrono::year_month_day date{std::chrono::year{year},
                                         std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  // Year 0 has no place in what our clients or HTTP can mean.
  if (!date.ok() || year < 1) {
    return std::nullopt;
  }
  return sys_days{date};
}

// `HH:MM[:SS[.fraction]]`
std::optional<microseconds> take_clock(std::string_view& text) {
  const auto hour = take_digits(text, 2);
  if (!hour || *hour > 23 || !take_char(text, ':')) {
    return std::nullopt;
  }
  const auto minute = take_digits(text, 2);
  if (!minute || *minute > 59) {
    return std::nullopt;
  }
  microseconds total = hours{*hour} + minutes{*minute};
  if (!take_char(text, ':')) {
    return total;
  }
  const auto second = take_digits(text, 2);
  if (!second || *second > 60) {
    return std::nullopt;
  }
  total += seconds{*second == 60 ? 59 : *second};  // a leap second is the one before it
  if (take_char(text, '.') || take_char(text, ',')) {
    int micros = 0;
    int digits = 0;
    while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
      if (digits < 6) {
        micros = micros * 10 + (text.front() - '0');
      }
      ++digits;
      text.remove_prefix(1);
    }
    if (digits == 0) {
      return std::nullopt;
    }
    for (; digits < 6; ++digits) {
      micros *= 10;
    }
    total += microseconds{micros};
  }
  return total;
}

// `Z`, `+HH:MM`, `+HHMM`, `+HH` or nothing; what is left of `text` must be empty.
std::optional<microseconds> take_offset(std::string_view text) {
  if (text.empty() || text == "Z" || text == "z") {
    return microseconds{0};
  }
  const bool east = text.front() == '+';
  if (!east && text.front() != '-') {
    return std::nullopt;
  }
  text.remove_prefix(1);
  const auto hour = take_digits(text, 2);
  if (!hour || *hour > 23) {
    return std::nullopt;
  }
  int minute = 0;
  if (!text.empty()) {
    (void)take_char(text, ':');  // the colon is optional
    const auto taken = take_digits(text, 2);
    if (!taken || *taken > 59 || !text.empty()) {
      return std::nullopt;
    }
    minute = *taken;
  }
  const microseconds offset = hours{*hour} + minutes{minute};
  return east ? offset : -offset;
}

std::optional<int> month_by_name(std::string_view name) {
  static constexpr std::array<std::string_view, 12> kMonths{
      "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  for (std::size_t i = 0; i < kMonths.size(); ++i) {
    if (kMonths[i] == name) {
      return static_cast<int>(i + 1);
    }
  }
  return std::nullopt;
}

std::optional<WallTime> combine(int year, int month, int day, std::string_view clock_text) {
  const auto date = make_date(year, month, day);
  const auto clock = take_clock(clock_text);
  if (!date || !clock || !clock_text.empty()) {
    return std::nullopt;
  }
  return WallTime{*date} + *clock;
}

// `06 Nov 1994 08:49:37 GMT`, the comma and week day taken off.
std::optional<WallTime> parse_imf_fixdate(std::string_view text) {
  const auto day = take_digits(text, 2);
  if (!day || !take_char(text, ' ') || text.size() < 4) {
    return std::nullopt;
  }
  const auto month = month_by_name(text.substr(0, 3));
  text.remove_prefix(3);
  if (!month || !take_char(text, ' ')) {
    return std::nullopt;
  }
  const auto year = take_digits(text, 4);
  if (!year || !take_char(text, ' ') || !text.ends_with(" GMT")) {
    return std::nullopt;
  }
  text.remove_suffix(4);
  return combine(*year, *month, *day, text);
}

// `06-Nov-94 08:49:37 GMT`
std::optional<WallTime> parse_rfc850_date(std::string_view text) {
  const auto day = take_digits(text, 2);
  if (!day || !take_char(text, '-') || text.size() < 4) {
    return std::nullopt;
  }
  const auto month = month_by_name(text.substr(0, 3));
  text.remove_prefix(3);
  if (!month || !take_char(text, '-')) {
    return std::nullopt;
  }
  const auto year = take_digits(text, 2);
  if (!year || !take_char(text, ' ') || !text.ends_with(" GMT")) {
    return std::nullopt;
  }
  text.remove_suffix(4);
  // RFC 9110: a year that seems more than 50 years ahead is in the past century.
  return combine(*year + (*year >= 77 ? 1900 : 2000), *month, *day, text);
}

// `Nov  6 08:49:37 1994`, the week day taken off.
std::optional<WallTime> parse_asctime_date(std::string_view text) {
  if (text.size() != 20) {
    return std::nullopt;
  }
  const auto month = month_by_name(text.substr(0, 3));
  std::string_view day_text = text.substr(4, 2);
  if (!month || text[3] != ' ') {
    return std::nullopt;
  }
  const bool padded = take_char(day_text, ' ');
  const auto day = take_digits(day_text, padded ? 1 : 2);
  std::string_view year_text = text.substr(16);
  const auto year = take_digits(year_text, 4);
  if (!day || !year || text[6] != ' ' || text[15] != ' ') {
    return std::nullopt;
  }
  return combine(*year, *month, *day, text.substr(7, 8));
}

}  // namespace

void append_timestamp(std::string& out, WallTime time) {
  const Fields f = fields_of(time);
  char text[] = "0000-00-00T00:00:00.000000Z";
  put_digits(text, 4, f.year);
  put_digits(text + 5, 2, static_cast<int>(f.month));
  put_digits(text + 8, 2, static_cast<int>(f.day));
  put_digits(text + 11, 2, f.hour);
  put_digits(text + 14, 2, f.minute);
  put_digits(text + 17, 2, f.second);
  put_digits(text + 20, 6, f.micros);
  out.append(text, sizeof text - 1);
}

std::string format_timestamp(WallTime time) {
  std::string out;
  out.reserve(27);
  append_timestamp(out, time);
  return out;
}

std::string format_compact(WallTime time) {
  const Fields f = fields_of(time);
  char text[] = "00000000_000000";
  put_digits(text, 4, f.year);
  put_digits(text + 4, 2, static_cast<int>(f.month));
  put_digits(text + 6, 2, static_cast<int>(f.day));
  put_digits(text + 9, 2, f.hour);
  put_digits(text + 11, 2, f.minute);
  put_digits(text + 13, 2, f.second);
  return {text, sizeof text - 1};
}

std::optional<WallTime> parse_timestamp(std::string_view text) {
  const auto year = take_digits(text, 4);
  if (!year || !take_char(text, '-')) {
    return std::nullopt;
  }
  const auto month = take_digits(text, 2);
  if (!month || !take_char(text, '-')) {
    return std::nullopt;
  }
  const auto day = take_digits(text, 2);
  if (!day) {
    return std::nullopt;
  }
  const auto date = make_date(*year, *month, *day);
  if (!date) {
    return std::nullopt;
  }
  if (text.empty()) {
    return WallTime{*date};
  }
  if (!take_char(text, 'T') && !take_char(text, 't') && !take_char(text, ' ')) {
    return std::nullopt;
  }
  const auto clock = take_clock(text);
  if (!clock) {
    return std::nullopt;
  }
  const auto offset = take_offset(text);
  if (!offset) {
    return std::nullopt;
  }
  const WallTime time = WallTime{*date} + *clock - *offset;
  // An offset may lead out of the years that have four digits.
  const bool is_writable = time >= kFirstWritable && time < kAfterLastWritable;
  return is_writable ? std::optional{time} : std::nullopt;
}

std::optional<WallTime> parse_http_date(std::string_view text) {
  // The day's name says nothing that the date does not; it is only taken off.
  const auto comma = text.find(", ");
  if (comma == 3) {
    return parse_imf_fixdate(text.substr(5));
  }
  if (comma != std::string_view::npos) {
    return parse_rfc850_date(text.substr(comma + 2));
  }
  if (text.size() > 4 && text[3] == ' ') {
    return parse_asctime_date(text.substr(4));
  }
  return std::nullopt;
}

std::optional<microseconds> parse_duration(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || !(number >= 0) || text.starts_with('-')) {
    return std::nullopt;
  }
  const std::string_view unit{end, static_cast<std::size_t>(text.data() + text.size() - end)};
  struct Unit {
    std::string_view name;
    double micros;
  };
  static constexpr std::array<Unit, 6> kUnits{
      {{"us", 1}, {"ms", 1e3}, {"s", 1e6}, {"m", 60e6}, {"h", 3600e6}, {"d", 86400e6}}};
  for (const Unit& known : kUnits) {
    if (known.name == unit) {
      const double micros = number * known.micros;
      if (!(micros <= 9e18)) {
        return std::nullopt;
      }
      return microseconds{std::llround(micros)};
    }
  }
  return std::nullopt;
}

}  // namespace dispatcher
