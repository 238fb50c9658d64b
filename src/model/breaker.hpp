// The breaker of an endpoint: opens when nearly everything fails, and lets one attempt through now
// and then until one succeeds. Pure.
#pragma once

#include <cstdint>
#include <string_view>

namespace dispatcher {

enum class BreakerState : std::uint8_t { closed = 0, open = 1, half_open = 2 };

[[nodiscard]] std::string_view to_string(BreakerState state);

}  // namespace dispatcher
