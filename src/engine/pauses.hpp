// How long the engine waits before it asks again what could not be done.
#pragma once

#include <algorithm>
#include <chrono>

namespace dispatcher {

// After the inbox could not claim or record: doubling between these.
inline constexpr std::chrono::milliseconds kFirstPause{50};
inline constexpr std::chrono::milliseconds kLastPause{2'000};

[[nodiscard]] constexpr std::chrono::milliseconds next_pause(std::chrono::milliseconds pause) {
  return std::min(pause * 2, kLastPause);
}

}  // namespace dispatcher
