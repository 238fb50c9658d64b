// What the log says of an attempt: one line, without payload or secret.
#pragma once

#include "base/log.hpp"
#include "engine/attempt.hpp"

namespace dispatcher {

// Success at debug, a failure that will be tried again at info, what needs a person at warning.
void report_attempt(const Log& log, const EventId& event_id, const Endpoint& endpoint,
                    const Tried& tried, const Decision& decision);

}  // namespace dispatcher
