#include "hosts/setting_value.hpp"

#include "base/time.hpp"
#include "model/url_list.hpp"

#include <fmt/format.h>
#include <boost/algorithm/string/predicate.hpp>

#include <charconv>
#include <cmath>
#include <optional>

namespace dispatcher {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::size_t kMaxListEntries = 1000;
// Of a value, in an error message.
constexpr std::size_t kMaxShownBytes = 80;

// How the value is spelt in a message: never when it is a secret.
std::string shown(const SettingRow& row, std::string_view text) {
  if (row.is_secret) {
    return "the value";
  }
  return fmt::format("\"{}{}\"", text.substr(0, kMaxShownBytes),
                     text.size() > kMaxShownBytes ? "…" : "");
}

Error wrong(const SettingRow& row, std::string_view name, std::string_view text,
            std::string_view what, std::string_view fix) {
  return make_error(ErrorKind::invalid,
                    fmt::format("{}: {} is {} ({})", name, shown(row, text), what, fix));
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::vector<std::string> split_at_commas(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const auto comma = text.find(',');
    const auto part = trimmed(text.substr(0, comma));
    if (!part.empty()) {
      parts.emplace_back(part);
    }
    text = comma == std::string_view::npos ? std::string_view{} : text.substr(comma + 1);
  }
  return parts;
}

// Of one text of a setting that takes several.
std::vector<std::string> entries_in(ValueType type, std::string_view text) {
  switch (type) {
    case ValueType::texts: return {std::string{text}};
    case ValueType::urls: return split_url_list(text);
    default: return split_at_commas(text);
  }
}

template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return number;
}

Result<SettingValue> read_whole(const SettingRow& row, std::string_view name,
                                std::string_view text) {
  const std::string fix = fmt::format("set it to {}–{}, e.g. {}", row.min, row.max, row.example);
  const auto number = parse_number<std::int64_t>(text);
  if (!number) {
    return wrong(row, name, text, "not a whole number", fix);
  }
  if (*number < row.min || *number > row.max) {
    return wrong(row, name, text, "out of range", fix);
  }
  return SettingValue{*number};
}

Result<SettingValue> read_share(const SettingRow& row, std::string_view name,
                                std::string_view text) {
  const auto number = parse_number<double>(text);
  if (!number || !(*number >= 0 && *number <= 1)) {
    return wrong(row, name, text, "not a share", "set it to 0–1, e.g. " + std::string{row.example});
  }
  return SettingValue{*number};
}

// `5m`, `1h30m` has no place here: one number and one unit.
std::string duration_text(std::int64_t millis) {
  struct Unit {
    std::int64_t millis;
    std::string_view name;
  };
  for (const Unit unit :
       {Unit{86'400'000, "d"}, Unit{3'600'000, "h"}, Unit{60'000, "m"}, Unit{1'000, "s"}}) {
    if (millis != 0 && millis % unit.millis == 0) {
      return fmt::format("{}{}", millis / unit.millis, unit.name);
    }
  }
  return millis == 0 ? "0s" : fmt::format("{}ms", millis);
}

std::optional<microseconds> parse_bare_seconds(std::string_view text) {
  const auto number = parse_number<double>(text);
  if (!number || !std::isfinite(*number) || std::abs(*number) > 1e9) {
    return std::nullopt;
  }
  return std::chrono::round<microseconds>(std::chrono::duration<double>{*number});
}

Result<microseconds> read_duration(const SettingRow& row, std::string_view name,
                                   std::string_view text) {
  const std::string fix = fmt::format("set it to {}–{}, e.g. {}", duration_text(row.min),
                                      duration_text(row.max), row.example);
  auto duration = parse_duration(text);
  if (!duration && row.type == ValueType::seconds) {
    duration = parse_bare_seconds(text);
  }
  if (!duration) {
    return wrong(
        row, name, text,
        row.type == ValueType::seconds ? "not a number of seconds" : "not a duration with its unit",
        fix);
  }
  if (*duration < milliseconds{row.min} || *duration > milliseconds{row.max}) {
    return wrong(row, name, text, "out of range", fix);
  }
  return *duration;
}

// Kept as it was given: who is asked reads it again.
Result<SettingValue> read_time(const SettingRow& row, std::string_view name,
                               std::string_view text) {
  if (!parse_timestamp(text)) {
    return wrong(row, name, text, "not a date or a time",
                 fmt::format("set it to e.g. {}", row.example));
  }
  return SettingValue{std::string{text}};
}

Result<SettingValue> read_durations(const SettingRow& row, std::string_view name,
                                    std::string_view text) {
  std::vector<seconds> steps;
  if (trimmed(text) == "none") {
    return SettingValue{steps};
  }
  const auto parts = split_at_commas(text);
  if (parts.empty() || parts.size() > kMaxListEntries) {
    return wrong(row, name, text, "not a list of durations",
                 fmt::format("set it to e.g. {}, or none", row.example));
  }
  for (const std::string& part : parts) {
    const auto step = read_duration(row, name, part);
    if (!step) {
      return step.error();
    }
    steps.push_back(std::chrono::round<seconds>(*step));
  }
  return SettingValue{std::move(steps)};
}

Result<SettingValue> read_choice(const SettingRow& row, std::string_view name,
                                 std::string_view text) {
  std::string_view rest = row.choices;
  while (!rest.empty()) {
    const auto bar = rest.find('|');
    const auto choice = rest.substr(0, bar);
    if (boost::algorithm::iequals(choice, text)) {
      return SettingValue{std::string{choice}};
    }
    rest = bar == std::string_view::npos ? std::string_view{} : rest.substr(bar + 1);
  }
  return wrong(row, name, text, "none of its values", fmt::format("set it to {}", row.choices));
}

Result<SettingValue> read_statuses(const SettingRow& row, std::string_view name,
                                   std::string_view text) {
  StatusList list;
  for (const std::string& part : split_at_commas(text)) {
    const bool is_negated = part.starts_with('!');
    const auto status = parse_number<int>(std::string_view{part}.substr(is_negated ? 1 : 0));
    if (!status || *status < row.min || *status > row.max) {
      return wrong(row, name, part, "not a status that can be retried",
                   fmt::format("set it to {}–{}, with ! before one not to retry, e.g. {}", row.min,
                               row.max, row.example));
    }
    (is_negated ? list.not_retryable : list.retryable).push_back(*status);
  }
  for (const int status : list.retryable) {
    for (const int other : list.not_retryable) {
      if (status == other) {
        return wrong(row, name, text, fmt::format("both {} and !{}", status, status),
                     "leave one of the two out");
      }
    }
  }
  return SettingValue{std::move(list)};
}

Result<SettingValue> read_flag(const SettingRow& row, std::string_view name,
                               std::string_view text) {
  if (boost::algorithm::iequals(text, "true") || text == "1") {
    return SettingValue{true};
  }
  if (boost::algorithm::iequals(text, "false") || text == "0") {
    return SettingValue{false};
  }
  return wrong(row, name, text, "neither true nor false", "set it to true or false");
}

Result<SettingValue> read_text(const SettingRow& row, std::string_view name,
                               std::string_view text) {
  if (text.find('\0') != std::string_view::npos) {
    return wrong(row, name, "", "not a text: it has a NUL byte", "leave it out");
  }
  return SettingValue{std::string{text}};
}

}  // namespace

Result<SettingValue> read_setting(const SettingRow& row, std::string_view name,
                                  std::string_view text) {
  switch (row.type) {
    case ValueType::text: return read_text(row, name, text);
    case ValueType::list:
    case ValueType::urls:
    case ValueType::texts: return SettingValue{entries_in(row.type, text)};
    case ValueType::choice: return read_choice(row, name, text);
    case ValueType::whole: return read_whole(row, name, trimmed(text));
    case ValueType::share: return read_share(row, name, trimmed(text));
    case ValueType::duration:
    case ValueType::seconds: {
      const auto duration = read_duration(row, name, trimmed(text));
      return duration ? Result<SettingValue>{SettingValue{*duration}} : duration.error();
    }
    case ValueType::time: return read_time(row, name, trimmed(text));
    case ValueType::durations: return read_durations(row, name, text);
    case ValueType::statuses: return read_statuses(row, name, text);
    case ValueType::flag: return read_flag(row, name, text);
  }
  return make_error(ErrorKind::invalid, fmt::format("{}: has no type", name));
}

Result<SettingValue> read_setting(const SettingRow& row, std::string_view name,
                                  const std::vector<std::string>& texts) {
  if (row.type != ValueType::list && row.type != ValueType::urls && row.type != ValueType::texts) {
    return read_setting(row, name, fmt::format("{}", fmt::join(texts, ",")));
  }
  std::vector<std::string> all;
  for (const std::string& text : texts) {
    auto part = entries_in(row.type, text);
    all.insert(all.end(), part.begin(), part.end());
  }
  if (all.size() > kMaxListEntries) {
    return make_error(ErrorKind::invalid, fmt::format("{}: has more than {} entries (give fewer)",
                                                      name, kMaxListEntries));
  }
  return SettingValue{std::move(all)};
}

bool is_repeatable(ValueType type) {
  switch (type) {
    case ValueType::list:
    case ValueType::urls:
    case ValueType::texts:
    case ValueType::durations:
    case ValueType::statuses: return true;
    case ValueType::text:
    case ValueType::choice:
    case ValueType::whole:
    case ValueType::share:
    case ValueType::duration:
    case ValueType::time:
    case ValueType::seconds:
    case ValueType::flag: return false;
  }
  return false;
}

}  // namespace dispatcher
