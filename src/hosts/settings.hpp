// The settings of one invocation: a flag wins over the environment, that over the config file, that
// over the default. Values are checked as they are read.
#pragma once

#include "hosts/setting_value.hpp"
#include "ports/environment.hpp"

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dispatcher {

// What was given on the command line, for each setting in the order of the enum; empty: not given.
// A flag that is there has the text `true`.
using FlagValues = std::array<std::vector<std::string>, static_cast<std::size_t>(Setting::count_)>;

[[nodiscard]] Environment process_environment();

class Settings {
 public:
  // Somebody gave it: it is not the default.
  [[nodiscard]] bool is_given(Setting setting) const;
  // How it was given, for messages: `--api`, `API_BASE_URL`, `api_base_url in FILE`. When it was
  // not: the name that people know it by.
  [[nodiscard]] std::string name(Setting setting) const;

  // Of the type that the table says; the default where none was given, and an empty value where
  // there is no default.
  [[nodiscard]] std::string text(Setting setting) const;
  [[nodiscard]] std::vector<std::string> list(Setting setting) const;
  [[nodiscard]] std::int64_t whole(Setting setting) const;
  [[nodiscard]] double share(Setting setting) const;
  [[nodiscard]] std::chrono::microseconds duration(Setting setting) const;
  [[nodiscard]] std::vector<std::chrono::seconds> durations(Setting setting) const;
  [[nodiscard]] StatusList statuses(Setting setting) const;
  [[nodiscard]] bool flag(Setting setting) const;

  void set(Setting setting, std::string name, SettingValue value);
  void set_default(Setting setting, SettingValue value);

 private:
  struct Entry {
    std::optional<SettingValue> value;
    std::string name;  // empty: the default
  };

  template <class Value>
  [[nodiscard]] Value get(Setting setting) const;

  std::array<Entry, static_cast<std::size_t>(Setting::count_)> entries_;
};

// `invalid`: a value that is wrong, a key of the file that is none, a file that cannot be read. A
// variable that is set but empty counts as not set.
[[nodiscard]] Result<Settings> resolve_settings(Command command, const FlagValues& flags,
                                                const Environment& environment);

}  // namespace dispatcher
