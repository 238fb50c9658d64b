// The command line, taken apart by the table of settings.
#pragma once

#include "hosts/settings.hpp"

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace dispatcher {

struct Invocation {
  Command command = Command::version;
  FlagValues flags;
};

// What is wrong, and the help that answers it: `dispatcher serve -h`.
struct WrongUsage {
  std::string message;
  std::string see;
};

// The text asked for with `-h`; for a bare `dispatcher` it is not what was asked for.
struct HelpText {
  std::string text;
  bool was_asked_for = true;
};

// `arguments` without the program's name.
[[nodiscard]] std::variant<Invocation, HelpText, WrongUsage> parse_command_line(
    const std::vector<std::string>& arguments);

}  // namespace dispatcher
