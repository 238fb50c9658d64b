// From the command line to an exit status: 0 done, 1 it could not be done, 2 wrong usage or
// configuration.
#pragma once

#include "hosts/services.hpp"
#include "hosts/settings.hpp"

#include <istream>
#include <ostream>
#include <string>
#include <vector>

namespace dispatcher {

// Where a command reads and writes. Nothing but data goes to `out`; an error is one line to `err`.
struct Terminal {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  bool stderr_is_terminal = false;
};

// `arguments` without the program's name.
[[nodiscard]] int run_program(const std::vector<std::string>& arguments,
                              const Environment& environment, const Services& services,
                              Terminal terminal);

}  // namespace dispatcher
