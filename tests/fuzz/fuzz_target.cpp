#include "fuzz/fuzz_target.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace dispatcher::fuzz {
namespace {

std::vector<Target>& registered() {
  static std::vector<Target> all;
  return all;
}

}  // namespace

Registration::Registration(std::string_view name, Check check) {
  registered().push_back({name, check});
}

const std::vector<Target>& targets() {
  return registered();
}

void promise(bool holds, std::string_view what) {
  if (!holds) {
    throw std::logic_error("not kept: " + std::string{what});
  }
}

Pieces::Pieces(std::string_view input) : state_(0xcbf29ce484222325U) {
  for (const char c : input) {  // FNV-1a
    state_ = (state_ ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  }
}

std::size_t Pieces::below(std::size_t bound) {
  // Knuth's MMIX generator; its high bits are the good ones.
  state_ = state_ * 6364136223846793005U + 1442695040888963407U;
  return static_cast<std::size_t>(state_ >> 33U) % bound;
}

std::string_view Pieces::take(std::string_view& rest) {
  // Mostly a few bytes, so that every place is a border for some input.
  const std::size_t longest = below(4) == 0 ? 4096 : 7;
  const std::string_view piece = rest.substr(0, 1 + below(longest));
  rest.remove_prefix(piece.size());
  return piece;
}

std::string_view take_line(std::string_view& input) {
  const std::size_t end = std::min(input.find('\n'), input.size());
  const std::string_view line = input.substr(0, end);
  input.remove_prefix(std::min(end + 1, input.size()));
  return line;
}

}  // namespace dispatcher::fuzz
