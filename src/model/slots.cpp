#include "model/slots.hpp"

#include <algorithm>

namespace dispatcher {
namespace {

// Of all slots, the part in which an endpoint gets its first and no other: so many newcomers find
// one, when those before them have taken all that they may.
constexpr std::size_t kKeptForFirsts = 8;

// An endpoint holds at most so many times what is free: more of it leaves one that is alone fewer
// slots unused, and several that hang fewer for the others. With `n` that take all they may, each
// has kTimesFree of 1 + n * kTimesFree parts, and one part is free.
constexpr std::size_t kTimesFree = 2;

}  // namespace

std::size_t Slots::share(std::size_t held, std::size_t asking) const {
  const std::size_t kept = all / kKeptForFirsts;
  const std::size_t most = free > kept ? kTimesFree * (free - kept) : 0;
  const std::size_t above = most > held ? most - held : 0;
  // What it takes is free no more: held + more <= kTimesFree * (free - kept - more).
  const bool may_have_any = held == 0 ? free > 0 : above > kTimesFree;
  if (!may_have_any) {
    return 0;
  }
  return std::max<std::size_t>(above / (1 + kTimesFree * asking), 1);
}

}  // namespace dispatcher
