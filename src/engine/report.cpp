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

void report_breaker(const Log& log, const Endpoint& endpoint, BreakerChange change,
                    MonoTime::duration until_probe) {
  const std::string host = endpoint.url.display();
  const auto probe_in = std::chrono::ceil<std::chrono::seconds>(until_probe).count();
  switch (change) {
    case BreakerChange::none: break;
    case BreakerChange::opened:
      log.warning("breaker opened: the endpoint's deliveries wait",
                  {{"endpoint", endpoint.id}, {"target", host}, {"probe_in_s", probe_in}});
      break;
    case BreakerChange::probe_failed:
      log.info("breaker stays open: the probe failed",
               {{"endpoint", endpoint.id}, {"target", host}, {"probe_in_s", probe_in}});
      break;
    case BreakerChange::closed:
      log.info("breaker closed: the endpoint answers again",
               {{"endpoint", endpoint.id}, {"target", host}});
      break;
  }
}

void report_probe(const Log& log, const Endpoint& endpoint) {
  const std::string host = endpoint.url.display();
  log.info("breaker probes: one delivery is tried", {{"endpoint", endpoint.id}, {"target", host}});
}

void report_disabled(const Log& log, const Endpoint& endpoint) {
  const std::string host = endpoint.url.display();
  log.warning("endpoint disabled: it answered 410 Gone; resume it to go on",
              {{"endpoint", endpoint.id}, {"target", host}});
}

void report_pause(const Log& log, const Endpoint& endpoint, std::chrono::seconds pause) {
  const std::string host = endpoint.url.display();
  log.info("endpoint paused: it answered 429 with Retry-After",
           {{"endpoint", endpoint.id}, {"target", host}, {"seconds", pause.count()}});
}

}  // namespace dispatcher
