// Promise: a config file is read or refused with a message that names it; and no setting gets a
// value that its row does not allow, whatever the file, a variable or a flag says.
#include "hosts/config_file.hpp"
#include "hosts/make_config.hpp"
#include "hosts/setting_value.hpp"

#include "fuzz/fuzz_target.hpp"

#include <algorithm>
#include <string>

namespace dispatcher::fuzz {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

bool is_choice(const SettingRow& row, const std::string& value) {
  return ("|" + std::string{row.choices} + "|").find("|" + value + "|") != std::string::npos;
}

bool is_allowed(const SettingRow& row, const SettingValue& value) {
  const auto in_range = [&](microseconds duration) {
    return duration >= milliseconds{row.min} && duration <= milliseconds{row.max};
  };
  switch (row.type) {
    case ValueType::time: return parse_timestamp(std::get<std::string>(value)).has_value();
    case ValueType::text: return std::get<std::string>(value).find('\0') == std::string::npos;
    case ValueType::list:
    case ValueType::texts:
    case ValueType::urls: return std::get<std::vector<std::string>>(value).size() <= 1000;
    case ValueType::choice: return is_choice(row, std::get<std::string>(value));
    case ValueType::whole: {
      const auto number = std::get<std::int64_t>(value);
      return number >= row.min && number <= row.max;
    }
    case ValueType::share: {
      const auto share = std::get<double>(value);
      return share >= 0 && share <= 1;
    }
    case ValueType::duration:
    case ValueType::seconds: return in_range(std::get<microseconds>(value));
    case ValueType::durations: {
      const auto& steps = std::get<std::vector<std::chrono::seconds>>(value);
      return std::all_of(steps.begin(), steps.end(), in_range);
    }
    case ValueType::statuses: {
      const auto& list = std::get<StatusList>(value);
      const auto is_status = [&](int status) { return status >= row.min && status <= row.max; };
      return std::all_of(list.retryable.begin(), list.retryable.end(), is_status) &&
             std::all_of(list.not_retryable.begin(), list.not_retryable.end(), is_status);
    }
    case ValueType::flag: return std::holds_alternative<bool>(value);
  }
  return false;
}

void check_setting(const SettingRow& row, const std::vector<std::string>& texts) {
  const auto value = read_setting(row, "THE_SETTING", texts);
  if (value) {
    promise(is_allowed(row, *value), "a value is within its row");
    return;
  }
  promise(value.error().message.find("THE_SETTING") != std::string::npos,
          "an error names the setting");
  const std::string& secret = texts.front();
  promise(!row.is_secret || secret.size() < 12 ||
              value.error().message.find(secret) == std::string::npos,
          "an error does not show a secret");
}

void check(std::string_view input) {
  const auto file = parse_config(input, "the-file.toml");
  if (!file) {
    const std::string& message = file.error().message;
    promise(message.find("the-file.toml") != std::string::npos, "an error names the file");
    promise(message.size() < 1000, "an error is a line to read");
  } else {
    for (const auto& [setting, texts] : *file) {
      if (!texts.empty()) {
        check_setting(row_of(setting), texts);
      }
    }
  }
  const std::vector<std::string> texts{std::string{input}};
  for (const SettingRow& row : setting_table()) {
    check_setting(row, texts);
    const auto one = read_setting(row, "THE_SETTING", input);
    promise(!one || is_allowed(row, *one), "a variable's value is within its row");
  }
  if (const auto address = parse_listen_address(input)) {
    promise(!address->host.empty(), "an address to listen at has a host");
    const auto again = parse_listen_address(address->text());
    promise(again && again->host == address->host && again->port == address->port,
            "an address written again is the same");
  }
}

const Registration kTarget{"config", check};

}  // namespace
}  // namespace dispatcher::fuzz
