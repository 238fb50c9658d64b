// The text of a setting, read as what its row says it is. Pure.
#pragma once

#include "base/result.hpp"
#include "hosts/settings_table.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace dispatcher {

struct StatusList {
  std::vector<int> retryable;
  std::vector<int> not_retryable;
};

// By the row's type: text, choice and time; list and urls; whole; share; duration and seconds;
// durations; statuses; flag.
using SettingValue =
    std::variant<std::string, std::vector<std::string>, std::int64_t, double,
                 std::chrono::microseconds, std::vector<std::chrono::seconds>, StatusList, bool>;

// `name` is how the setting was given (`MAX_RETRIES`, `--max-retries`). `invalid` names it, what is
// wrong and what to set it to: `MAX_RETRIES: "abc" is not a whole number (set it to 0–100, e.g.
// 3)`.
[[nodiscard]] Result<SettingValue> read_setting(const SettingRow& row, std::string_view name,
                                                std::string_view text);

// The same for one that was given in several pieces: a flag again and again, an array in the file.
[[nodiscard]] Result<SettingValue> read_setting(const SettingRow& row, std::string_view name,
                                                const std::vector<std::string>& texts);

// Whether the type may be given in several pieces.
[[nodiscard]] bool is_repeatable(ValueType type);

}  // namespace dispatcher
