#include "hosts/command_line.hpp"

#include "hosts/help.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <map>
#include <memory>

namespace dispatcher {
namespace {

constexpr std::size_t index_of(Setting setting) {
  return static_cast<std::size_t>(setting);
}

// The parser and what it fills.
struct Parser {
  CLI::App app;
  std::map<std::string_view, CLI::App*> groups;
  std::vector<std::pair<Command, CLI::App*>> commands;
  FlagValues values;
};

void add_setting(CLI::App& app, const SettingRow& row, std::vector<std::string>& place) {
  const std::string flag{row.flag};
  if (row.type == ValueType::flag) {
    app.add_flag_callback(flag, [&place] { place.emplace_back("true"); });
    return;
  }
  // One value after each flag; that a flag is given twice is for the setting to judge.
  app.add_option(flag, place)
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

void plain(CLI::App& app) {
  app.set_help_flag("-h,--help");
  app.option_defaults()->always_capture_default(false);
}

std::unique_ptr<Parser> make_parser() {
  auto parser = std::make_unique<Parser>();
  plain(parser->app);
  for (const GroupRow& row : group_table()) {
    CLI::App* group = parser->app.add_subcommand(std::string{row.name});
    plain(*group);
    parser->groups[row.name] = group;
  }
  for (const CommandRow& row : command_table()) {
    CLI::App& parent = row.group.empty() ? parser->app : *parser->groups[row.group];
    CLI::App* app = parent.add_subcommand(std::string{row.name});
    plain(*app);
    for (const SettingRow& setting : setting_table()) {
      if (contains(setting.commands, row.command) && !setting.flag.empty()) {
        add_setting(*app, setting, parser->values[index_of(setting.setting)]);
      }
    }
    parser->commands.emplace_back(row.command, app);
  }
  return parser;
}

std::optional<Command> chosen_command(const Parser& parser) {
  for (const auto& [command, app] : parser.commands) {
    if (app->parsed()) {
      return command;
    }
  }
  return std::nullopt;
}

std::string_view chosen_group(const Parser& parser) {
  for (const auto& [name, group] : parser.groups) {
    if (group->parsed()) {
      return name;
    }
  }
  return {};
}

std::string help_of(const Parser& parser) {
  if (const auto command = chosen_command(parser)) {
    return command_help(*command);
  }
  const auto group = chosen_group(parser);
  return group.empty() ? program_help() : group_help(group);
}

std::string name_of(const Parser& parser) {
  if (const auto command = chosen_command(parser)) {
    return full_name(row_of(*command));
  }
  const auto group = chosen_group(parser);
  return group.empty() ? "dispatcher" : fmt::format("dispatcher {}", group);
}

// Whether it was meant for a command's name. Else it may be a secret, such as a webhook's URL.
bool may_be_word(std::string_view text) {
  return !text.empty() &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string_view::npos;
}

// The first argument that nothing takes.
WrongUsage unknown_argument(const Parser& parser) {
  const auto rest = parser.app.remaining(true);
  const std::string first = rest.empty() ? "" : rest.front();
  if (first.starts_with('-')) {
    return {fmt::format("there is no flag {}", first.substr(0, first.find('='))),
            name_of(parser) + " -h"};
  }
  if (!chosen_command(parser)) {
    const std::string what = may_be_word(first) ? fmt::format("there is no command {}", first)
                                                : "that word is no command";
    return {what, name_of(parser) + " -h"};
  }
  // It may be a secret: it is not shown.
  return {"there is an argument too many", name_of(parser) + " -h"};
}

WrongUsage wrong_argument(const Parser& parser, const CLI::ParseError& error) {
  std::string message = error.what();
  std::replace(message.begin(), message.end(), '\n', ' ');
  if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::ArgumentMismatch)) {
    message = message.substr(0, message.find(':')) + " needs a value";
  }
  return {message, name_of(parser) + " -h"};
}

// `--version` is what people try first.
bool asks_for_version(const std::vector<std::string>& arguments) {
  return arguments.size() == 1 && arguments.front() == "--version";
}

}  // namespace

std::variant<Invocation, HelpText, WrongUsage> parse_command_line(
    const std::vector<std::string>& arguments) {
  if (arguments.empty()) {
    return HelpText{program_help(), false};
  }
  if (asks_for_version(arguments)) {
    return Invocation{};
  }
  const auto parser = make_parser();
  parser->app.allow_extras();
  for (const auto& [name, group] : parser->groups) {
    group->allow_extras();
  }
  for (const auto& [command, app] : parser->commands) {
    app->allow_extras();
  }
  try {
    // CLI11 takes them from the back. Its exceptions are how it says what was typed.
    parser->app.parse(std::vector<std::string>{arguments.rbegin(), arguments.rend()});
  } catch (const CLI::CallForHelp&) {
    return HelpText{help_of(*parser), true};
  } catch (const CLI::ParseError& error) {
    return wrong_argument(*parser, error);
  }
  if (parser->app.remaining_size(true) > 0) {
    return unknown_argument(*parser);
  }
  const auto command = chosen_command(*parser);
  if (!command) {
    return HelpText{help_of(*parser), false};
  }
  return Invocation{*command, std::move(parser->values)};
}

}  // namespace dispatcher
