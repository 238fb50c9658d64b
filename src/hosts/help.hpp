// What `-h` prints, from the tables of commands and settings. Pure.
#pragma once

#include "hosts/settings_table.hpp"

#include <string>
#include <string_view>

namespace dispatcher {

[[nodiscard]] std::string program_help();
[[nodiscard]] std::string group_help(std::string_view group);
[[nodiscard]] std::string command_help(Command command);

// `dispatcher events list`
[[nodiscard]] std::string full_name(const CommandRow& row);

}  // namespace dispatcher
