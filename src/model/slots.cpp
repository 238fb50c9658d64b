#include "model/slots.hpp"

#include <algorithm>

namespace dispatcher {
namespace {

// What an endpoint may hold at most while so many are free: the fourth power leaves one that is
// alone half of all, and has enough left when many come one after another and keep what they got.
// With 1,024 slots and the usual 64 for each, twenty that do so leave 169 free, of which the next
// gets 6; forty leave 110, and a hundred 49. Those that come first give back what is then too much
// for one as their attempts end.
std::size_t most_held(std::size_t all, std::size_t free) {
  const double of_half = 2.0 * static_cast<double>(free) / static_cast<double>(all);
  const double square = of_half * of_half;
  return 1 + static_cast<std::size_t>(static_cast<double>(all) / 2 * square * square);
}

// What it takes is free no more, nor is what the others take that ask for as much.
bool may_take(const Slots& slots, std::size_t held, std::size_t more, std::size_t asking) {
  const std::size_t taken = more * asking;
  return taken <= slots.free && held + more <= most_held(slots.all, slots.free - taken);
}

}  // namespace

std::size_t Slots::share(std::size_t held, std::size_t asking) const {
  if (!may_take(*this, held, 1, 1)) {
    return 0;
  }
  std::size_t share = 1;
  std::size_t too_much = free / asking + 1;
  while (share + 1 < too_much) {
    const std::size_t middle = share + (too_much - share) / 2;
    (may_take(*this, held, middle, asking) ? share : too_much) = middle;
  }
  return share;
}

}  // namespace dispatcher
