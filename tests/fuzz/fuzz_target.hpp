// What a fuzz target is: a name, and a check that holds for every input. tests/fuzz/NAME.cpp has
// one, which opens with the promise that it checks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace dispatcher::fuzz {

// Throws, or trips a sanitizer, when the promise does not hold for `input`.
using Check = void (*)(std::string_view input);

struct Target {
  std::string_view name;  // a literal; the corpus is the folder of that name
  Check check;
};

// Adds a target to those of this program, before main.
class Registration {
 public:
  Registration(std::string_view name, Check check);
};
[[nodiscard]] const std::vector<Target>& targets();

// Throws when the promise is broken, saying which.
void promise(bool holds, std::string_view what);

// Sizes of pieces to cut an input into: any, but the same for the same input.
class Pieces {
 public:
  explicit Pieces(std::string_view input);

  // The next piece, off the front of `rest`; never empty while `rest` is not.
  [[nodiscard]] std::string_view take(std::string_view& rest);
  // Any number below `bound`.
  [[nodiscard]] std::size_t below(std::size_t bound);

 private:
  std::uint64_t state_;
};

// The first line, taken off the front of `input` with its line feed; all of it when there is none.
[[nodiscard]] std::string_view take_line(std::string_view& input);

}  // namespace dispatcher::fuzz
