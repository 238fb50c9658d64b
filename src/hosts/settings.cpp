#include "hosts/settings.hpp"

#include "base/check.hpp"
#include "hosts/config_file.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <map>
#include <utility>

namespace dispatcher {
namespace {

constexpr std::size_t index_of(Setting setting) {
  return static_cast<std::size_t>(setting);
}

struct Given {
  std::string name;
  std::vector<std::string> texts;
};

using FileValues = std::map<Setting, std::vector<std::string>>;

std::optional<Given> from_flags(const SettingRow& row, const FlagValues& flags) {
  const auto& texts = flags[index_of(row.setting)];
  if (texts.empty()) {
    return std::nullopt;
  }
  return Given{std::string{row.flag}, texts};
}

std::optional<Given> from_environment(const SettingRow& row, const Environment& environment) {
  if (row.variable.empty()) {
    return std::nullopt;
  }
  const auto text = environment(row.variable);
  if (!text || text->empty()) {
    return std::nullopt;
  }
  return Given{std::string{row.variable}, {*text}};
}

std::optional<Given> from_file(const SettingRow& row, const FileValues& file,
                               const std::string& path) {
  const auto found = file.find(row.setting);
  if (found == file.end()) {
    return std::nullopt;
  }
  return Given{fmt::format("{} in {}", row.key, path), found->second};
}

Result<SettingValue> read_given(const SettingRow& row, const Given& given) {
  if (given.texts.size() == 1 && !is_repeatable(row.type)) {
    return read_setting(row, given.name, given.texts.front());
  }
  if (!is_repeatable(row.type)) {
    return make_error(ErrorKind::invalid, fmt::format("{}: is given {} times (give it once)",
                                                      given.name, given.texts.size()));
  }
  return read_setting(row, given.name, given.texts);
}

Result<std::string> config_path(Command command, const FlagValues& flags,
                                const Environment& environment) {
  const SettingRow& row = row_of(Setting::config);
  if (!contains(row.commands, command)) {
    return std::string{};
  }
  auto given = from_flags(row, flags);
  if (!given) {
    given = from_environment(row, environment);
  }
  if (!given) {
    return std::string{};
  }
  const auto value = read_given(row, *given);
  return value ? Result<std::string>{std::get<std::string>(*value)} : value.error();
}

}  // namespace

Environment process_environment() {
  return [](std::string_view name) -> std::optional<std::string> {
    const char* value = std::getenv(std::string{name}.c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>{value};
  };
}

bool Settings::is_given(Setting setting) const {
  return !entries_[index_of(setting)].name.empty();
}

std::string Settings::name(Setting setting) const {
  if (is_given(setting)) {
    return entries_[index_of(setting)].name;
  }
  const SettingRow& row = row_of(setting);
  return std::string{
      row.variable.empty() || row.variable.starts_with("DISPATCHER_") ? row.flag : row.variable};
}

template <class Value>
Value Settings::get(Setting setting) const {
  const auto& value = entries_[index_of(setting)].value;
  if (!value) {
    return Value{};
  }
  const auto* typed = std::get_if<Value>(&*value);
  DISPATCHER_CHECK(typed != nullptr);
  return *typed;
}

std::string Settings::text(Setting setting) const {
  return get<std::string>(setting);
}
std::vector<std::string> Settings::list(Setting setting) const {
  return get<std::vector<std::string>>(setting);
}
std::int64_t Settings::whole(Setting setting) const {
  return get<std::int64_t>(setting);
}
double Settings::share(Setting setting) const {
  return get<double>(setting);
}
std::chrono::microseconds Settings::duration(Setting setting) const {
  return get<std::chrono::microseconds>(setting);
}
std::vector<std::chrono::seconds> Settings::durations(Setting setting) const {
  return get<std::vector<std::chrono::seconds>>(setting);
}
StatusList Settings::statuses(Setting setting) const {
  return get<StatusList>(setting);
}
bool Settings::flag(Setting setting) const {
  return get<bool>(setting);
}

void Settings::set(Setting setting, std::string name, SettingValue value) {
  entries_[index_of(setting)] = {std::move(value), std::move(name)};
}

void Settings::set_default(Setting setting, SettingValue value) {
  entries_[index_of(setting)] = {std::move(value), {}};
}

Result<Settings> resolve_settings(Command command, const FlagValues& flags,
                                  const Environment& environment) {
  const auto path = config_path(command, flags, environment);
  if (!path) {
    return path.error();
  }
  FileValues file;
  if (!path->empty()) {
    auto read = read_config_file(*path);
    if (!read) {
      return read.error();
    }
    file = std::move(*read);
  }
  Settings settings;
  for (const SettingRow& row : setting_table()) {
    if (!contains(row.commands, command)) {
      continue;
    }
    auto given = from_flags(row, flags);
    if (!given) {
      given = from_environment(row, environment);
    }
    if (!given) {
      given = from_file(row, file, *path);
    }
    if (given) {
      auto value = read_given(row, *given);
      if (!value) {
        return value.error();
      }
      settings.set(row.setting, given->name, std::move(*value));
    } else if (!row.fallback.empty()) {
      auto value = read_setting(row, row.flag, row.fallback);
      DISPATCHER_CHECK(value.has_value());
      settings.set_default(row.setting, std::move(*value));
    }
  }
  return settings;
}

}  // namespace dispatcher
