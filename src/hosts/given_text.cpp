#include "hosts/given_text.hpp"

#include <fmt/format.h>

#include <array>
#include <fstream>

namespace dispatcher {
namespace {

Result<std::string> read_all(std::istream& in, std::string_view flag, std::string_view name,
                             std::size_t max_bytes) {
  std::string content;
  std::array<char, 64 * 1024> block{};
  while (in) {
    in.read(block.data(), block.size());
    content.append(block.data(), static_cast<std::size_t>(in.gcount()));
    if (content.size() > max_bytes) {
      return make_error(ErrorKind::invalid,
                        fmt::format("{}: {} has more than {} bytes", flag, name, max_bytes));
    }
  }
  return content;
}

}  // namespace

Result<std::string> read_given_text(std::string_view flag, const std::string& given,
                                    std::istream& in, std::size_t max_bytes) {
  if (given == "-") {
    return read_all(in, flag, "the input", max_bytes);
  }
  if (!given.starts_with('@')) {
    return given;
  }
  std::ifstream file{given.substr(1), std::ios::binary};
  if (!file) {
    return make_error(ErrorKind::invalid,
                      fmt::format("{}: cannot read the file {}", flag, given.substr(1)));
  }
  return read_all(file, flag, "the file", max_bytes);
}

}  // namespace dispatcher
