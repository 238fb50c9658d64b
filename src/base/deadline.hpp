// Arithmetic of deadlines.
#pragma once

#include "base/time.hpp"

#include <algorithm>
#include <optional>

namespace dispatcher {

// `other` empty: no limit.
[[nodiscard]] constexpr MonoTime earlier(MonoTime one, std::optional<MonoTime> other) {
  return other ? std::min(one, *other) : one;
}

// When to end what comes first, so that there is time for the rest until `end`: `most`, or one
// `part`-th of what there is from `now` on if that is less.
[[nodiscard]] constexpr MonoTime keeping_back(MonoTime now, MonoTime end, MonoTime::duration most,
                                              int part) {
  const auto whole = std::max(end - now, MonoTime::duration::zero());
  return end - std::min(most, whole / part);
}

}  // namespace dispatcher
