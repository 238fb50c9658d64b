// How events, deliveries and attempts are shown. Pure.
#pragma once

#include "ports/store.hpp"

#include <span>
#include <string>

namespace dispatcher {

// `[…]` of the objects of `GET /inbox`.
[[nodiscard]] std::string events_json(std::span<const EventView> events);

// The object of `GET /inbox`, with `deliveries` at its end; behind them `unmatched`, where
// consumers reported of an event that no endpoint has, and `releases` when there are any.
[[nodiscard]] std::string event_with_deliveries_json(const EventView& view,
                                                     std::span<const Release> releases);

void append_attempt_json(std::string& out, const Attempt& attempt);

// `{"items":[…]}`
[[nodiscard]] std::string attempts_json(std::span<const Attempt> attempts);

}  // namespace dispatcher
