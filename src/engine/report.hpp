// What the log says of attempts and endpoints: one line each, without payload or secret; of a URL
// its host alone.
#pragma once

#include "base/log.hpp"
#include "engine/attempt.hpp"
#include "model/breaker.hpp"

namespace dispatcher {

// Success at debug, a failure that will be tried again at info, what needs a person at warning.
void report_attempt(const Log& log, const EventId& event_id, const Endpoint& endpoint,
                    const Tried& tried, const Decision& decision);

// Its breaker opened, stays open after a failed probe, or closed. `until_probe`: from now.
void report_breaker(const Log& log, const Endpoint& endpoint, BreakerChange change,
                    MonoTime::duration until_probe);
// An open breaker lets an attempt through.
void report_probe(const Log& log, const Endpoint& endpoint);
// A 410 disabled it.
void report_disabled(const Log& log, const Endpoint& endpoint);
// A 429 pauses it.
void report_pause(const Log& log, const Endpoint& endpoint, std::chrono::seconds pause);

}  // namespace dispatcher
