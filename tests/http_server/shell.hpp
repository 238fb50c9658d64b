// What a command writes to its standard output.
#pragma once

#include <array>
#include <cstdio>
#include <string>

namespace dispatcher::testing {

inline std::string shell(const std::string& command) {
  std::string output;
  FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) {
    return "popen failed";
  }
  std::array<char, 4096> buffer;
  for (std::size_t read = 0; (read = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) {
    output.append(buffer.data(), read);
  }
  ::pclose(pipe);
  return output;
}

}  // namespace dispatcher::testing
