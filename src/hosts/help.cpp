#include "hosts/help.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace dispatcher {
namespace {

using Lines = std::vector<std::pair<std::string, std::string>>;

// Two columns, the first as wide as it must be.
std::string columns(const Lines& lines) {
  std::size_t width = 0;
  for (const auto& [left, right] : lines) {
    width = std::max(width, left.size());
  }
  std::string out;
  for (const auto& [left, right] : lines) {
    out += fmt::format("  {:<{}}  {}\n", left, width, right);
  }
  return out;
}

bool is_positional(const SettingRow& row) {
  return !row.flag.empty() && !row.flag.starts_with('-');
}

std::string notes(const SettingRow& row) {
  std::vector<std::string> notes;
  if (!row.choices.empty()) {
    notes.emplace_back(row.choices);
  }
  if (!row.fallback.empty()) {
    notes.push_back(fmt::format("default {}", row.fallback));
  }
  if (!row.variable.empty() && !row.flag.empty()) {
    notes.emplace_back(row.variable);
  }
  return notes.empty() ? "" : fmt::format(" ({})", fmt::join(notes, "; "));
}

std::string left_column(const SettingRow& row) {
  if (row.flag.empty()) {
    return std::string{row.variable};
  }
  return row.placeholder.empty() ? std::string{row.flag}
                                 : fmt::format("{} {}", row.flag, row.placeholder);
}

template <class Wanted>
Lines setting_lines(Command command, Wanted wanted) {
  Lines lines;
  for (const SettingRow& row : setting_table()) {
    if (contains(row.commands, command) && wanted(row)) {
      lines.emplace_back(left_column(row), std::string{row.help} + notes(row));
    }
  }
  return lines;
}

void append_section(std::string& out, std::string_view title, const Lines& lines) {
  if (!lines.empty()) {
    out += fmt::format("\n{}:\n{}", title, columns(lines));
  }
}

}  // namespace

std::string full_name(const CommandRow& row) {
  return row.group.empty() ? fmt::format("dispatcher {}", row.name)
                           : fmt::format("dispatcher {} {}", row.group, row.name);
}

std::string program_help() {
  Lines lines;
  for (const CommandRow& row : command_table()) {
    lines.emplace_back(full_name(row), row.help);
  }
  return "Delivers events to webhooks, at least once.\n\n" + columns(lines) +
         "\n`-h` on each shows its settings and an example.\n";
}

std::string group_help(std::string_view group) {
  std::string out;
  for (const GroupRow& row : group_table()) {
    if (row.name == group) {
      out = fmt::format("dispatcher {}: {}\n\n", row.name, row.help);
    }
  }
  Lines lines;
  for (const CommandRow& row : command_table()) {
    if (row.group == group) {
      lines.emplace_back(full_name(row), row.help);
    }
  }
  return out + columns(lines);
}

std::string command_help(Command command) {
  const CommandRow& row = row_of(command);
  std::string out =
      fmt::format("{}: {}\n\nExample:\n  {}\n", full_name(row), row.help, row.example);
  append_section(out, "Arguments", setting_lines(command, is_positional));
  append_section(out, "Settings", setting_lines(command, [](const SettingRow& setting) {
                   return setting.flag.starts_with('-');
                 }));
  append_section(
      out, "Settings of the environment and the config file alone",
      setting_lines(command, [](const SettingRow& setting) { return setting.flag.empty(); }));
  return out;
}

}  // namespace dispatcher
