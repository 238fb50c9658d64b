#include "engine/report.hpp"

namespace dispatcher {

void report_attempt(const Log& log, const EventId& event, const Endpoint& endpoint,
                    const Tried& tried, const Decision& decision) {
  const Attempt& attempt = tried.attempt;
  const bool is_delivered = std::holds_alternative<Delivered>(decision);
  if (is_delivered && !log.is_enabled(LogLevel::debug)) {
    return;
  }
  const std::string event_id = to_string(event);
  if (is_delivered) {
    log.debug("delivered", {{"event_id", event_id},
                            {"endpoint", endpoint.id},
                            {"status", attempt.status.value_or(0)},
                            {"attempt", attempt.number},
                            {"duration_ms", attempt.duration.count()}});
    return;
  }
  const std::string host = endpoint.url.display();
  const std::string error = attempt.error.value_or("");
  if (const auto* again = std::get_if<Again>(&decision)) {
    log.info(attempt.outcome == Outcome::abandoned ? "attempt abandoned: the process is stopping"
                                                   : "attempt failed; it will be tried again",
             {{"event_id", event_id},
              {"endpoint", endpoint.id},
              {"target", host},
              {"status", attempt.status.value_or(0)},
              {"attempt", attempt.number},
              {"error", error},
              {"duration_ms", attempt.duration.count()},
              {"next_attempt_at", format_timestamp(again->at)}});
    return;
  }
  log.warning("delivery needs a person: it is in review",
              {{"event_id", event_id},
               {"endpoint", endpoint.id},
               {"target", host},
               {"status", attempt.status.value_or(0)},
               {"attempt", attempt.number},
               {"error", error},
               {"duration_ms", attempt.duration.count()},
               {"reason", to_string(std::get<SentToReview>(decision).reason)}});
}

}  // namespace dispatcher
