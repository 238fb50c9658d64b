#include "hosts/commands.hpp"
#include "hosts/wiring.hpp"

#include <unistd.h>

#include <csignal>
#include <iostream>

int main(int argc, char** argv) {
  using namespace dispatcher;
  // A reader that has gone is an error of the write, not the end of the process.
  std::signal(SIGPIPE, SIG_IGN);
  std::ios::sync_with_stdio(false);
  const std::vector<std::string> arguments{argv + (argc > 0 ? 1 : 0), argv + argc};
  return run_program(arguments, process_environment(), make_services(),
                     {std::cin, std::cout, std::cerr, ::isatty(STDERR_FILENO) == 1});
}
