// Every subcommand, in one table: the command line, the help and the docs are all made from it.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace dispatcher {

// A bit for each subcommand, so that a set of them is a number.
enum class Command : std::uint32_t {
  serve = 1U << 0U,
  run = 1U << 1U,
  send = 1U << 2U,
  events_list = 1U << 3U,
  events_show = 1U << 4U,
  events_attempts = 1U << 5U,
  events_replay = 1U << 6U,
  events_discard = 1U << 7U,
  events_delete = 1U << 8U,
  events_export = 1U << 9U,
  endpoints_list = 1U << 10U,
  endpoints_add = 1U << 11U,
  endpoints_show = 1U << 12U,
  endpoints_set = 1U << 13U,
  endpoints_pause = 1U << 14U,
  endpoints_resume = 1U << 15U,
  endpoints_test = 1U << 16U,
  endpoints_rotate_secret = 1U << 17U,
  endpoints_remove = 1U << 18U,
  listen = 1U << 19U,
  store_backup = 1U << 20U,
  store_check = 1U << 21U,
  store_restore = 1U << 22U,
  version = 1U << 23U,
  lambda = 1U << 24U,
};
using CommandSet = std::uint32_t;

[[nodiscard]] constexpr bool contains(CommandSet set, Command command) {
  return (set & static_cast<CommandSet>(command)) != 0;
}

struct CommandRow {
  Command command;
  std::string_view group;  // `events` of `events list`; empty for none
  std::string_view name;
  std::string_view help;
  std::string_view example;  // a line or more
};

[[nodiscard]] std::span<const CommandRow> command_table();
[[nodiscard]] const CommandRow& row_of(Command command);

struct GroupRow {
  std::string_view name;
  std::string_view help;
};
[[nodiscard]] std::span<const GroupRow> group_table();

}  // namespace dispatcher
