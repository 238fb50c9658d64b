// What consumers over HTTP report: that they have an event, or what became of their attempts at it.
#include "adapters/sqlite/operations.hpp"
#include "adapters/sqlite/views.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace dispatcher::sqlite {
namespace {

AckAnswer answer_of(const EventRow& event) {
  AckAnswer answer;
  answer.id = event.id;
  answer.status = event.status;
  answer.updated_at = wall_from_micros(event.updated_us);
  answer.delivery_latency_ms = event.latency_us.value_or(0) / 1000;
  return answer;
}

// Another consumer's lease or the engine's stands in the way of this token.
bool is_held_by_another(Transaction& transaction, const EventRow& event, std::string_view token) {
  return event.is_leased_to_another(token, transaction.now_us) ||
         transaction.state.claims.has_event(event.seq);
}

Result<AckAnswer> acknowledge_one(Transaction& transaction, const EventId& id,
                                  const std::optional<std::string>& token) {
  auto event = load_event(transaction.db, id);
  if (!event) {
    return event_not_found(id);
  }
  if (event->status == EventStatus::delivered) {
    return answer_of(*event);
  }
  if (token && is_held_by_another(transaction, *event, *token)) {
    return held_by_another(id);
  }
  acknowledge(transaction, *event);
  save_event(transaction, *event);
  return answer_of(*event);
}

// -- nack

// `wait` replaces the step's own time.
void take_next_step(DeliveryRow& row, const Transaction& transaction,
                    const std::optional<std::chrono::microseconds>& wait) {
  const auto& schedule = transaction.consumer_schedule;
  const auto step = static_cast<std::size_t>(row.step);
  if (step >= schedule.size()) {
    send_to_review(row, ReviewReason::exhausted);
    return;
  }
  const auto pause = wait.value_or(std::chrono::microseconds{schedule[step]});
  retry_at(row, Again{wall_from_micros(transaction.now_us) + pause, 0, row.step + 1});
}

// An attempt that the consumer gave up because it was stopping uses nothing up.
bool is_failure(const Attempt& attempt) {
  return attempt.outcome != Outcome::delivered && attempt.outcome != Outcome::abandoned;
}

bool reports_failure(const NackRequest& request) {
  return request.error.has_value() || std::ranges::any_of(request.attempts, is_failure);
}

EndpointNumber number_of(Transaction& transaction, const EventRow& event, const std::string& id) {
  if (id.empty()) {
    // Unnamed: it counts for what holds the event open.
    const auto open = std::ranges::find_if(event.deliveries, &DeliveryRow::is_open);
    return open == event.deliveries.end() ? kNoEndpoint : open->endpoint;
  }
  return number_for_consumer(transaction.db, transaction.state.routes, id, transaction.now_us);
}

void record_reported(Transaction& transaction, EventRow& event, const Attempt& attempt) {
  DeliveryRow& row = row_for_report(event, number_of(transaction, event, attempt.endpoint_id));
  const std::int64_t number = note_attempt(row, attempt);
  record_attempt(transaction, event.seq, row.endpoint, number, attempt);
}

// A bare error stands for one attempt that the consumer tells no more of.
Attempt attempt_of(const NackRequest& request, const Transaction& transaction) {
  Attempt attempt;
  attempt.started_at = wall_from_micros(transaction.now_us);
  attempt.outcome = request.reason ? Outcome::refused : Outcome::retryable;
  attempt.error = request.error;
  return attempt;
}

void record_report(Transaction& transaction, EventRow& event, const NackRequest& request) {
  for (const Attempt& attempt : request.attempts) {
    record_reported(transaction, event, attempt);
  }
  if (request.attempts.empty() && request.error) {
    record_reported(transaction, event, attempt_of(request, transaction));
  }
  for (const std::string& id : request.delivered) {
    DeliveryRow& row = row_for_report(event, number_of(transaction, event, id));
    if (!row.is_settled()) {
      mark_delivered(row, transaction.now_us);
    }
  }
}

// What waits for longer than the lease was not due when it was taken: only a reason, which is about
// the event itself, changes that.
void reschedule(Transaction& transaction, EventRow& event, const NackRequest& request) {
  const std::int64_t leased_until_us = std::max(event.lease_until_us, transaction.now_us);
  for (DeliveryRow& row : event.deliveries) {
    if (row.state != RowState::waiting) {
      continue;
    }
    if (request.reason) {
      send_to_review(row, *request.reason);
    } else if (row.due_us > leased_until_us) {
      continue;
    } else if (reports_failure(request)) {
      take_next_step(row, transaction, request.retry_after);
    } else {
      const auto wait = request.retry_after.value_or(std::chrono::microseconds{0});
      make_due(row, transaction.now_us + wait.count());
    }
  }
}

// With no endpoint of ours to wait for, what the consumer delivered to all of its own is done.
void settle_unrouted(EventRow& event, const NackRequest& request) {
  DeliveryRow* unrouted = event.find(kNoEndpoint);
  if (unrouted != nullptr && unrouted->state == RowState::waiting && !request.delivered.empty() &&
      !request.reason && !request.retry_after && !reports_failure(request)) {
    discard(*unrouted);
  }
}

}  // namespace

Result<std::vector<Result<AckAnswer>>> acknowledge_events(Transaction& transaction,
                                                          const std::vector<EventId>& ids,
                                                          const std::optional<std::string>& token) {
  std::vector<Result<AckAnswer>> answers;
  answers.reserve(ids.size());
  for (const EventId& id : ids) {
    answers.push_back(acknowledge_one(transaction, id, token));
  }
  return answers;
}

Result<EventView> nack(Transaction& transaction, const EventId& id, const std::string& token,
                       const NackRequest& request) {
  auto event = load_event(transaction.db, id);
  if (!event) {
    return event_not_found(id);
  }
  if (event->status == EventStatus::pending && is_held_by_another(transaction, *event, token)) {
    return held_by_another(id);
  }
  // An expired lease that nobody has taken is still its holder's.
  if (event->status != EventStatus::pending || token.empty() || event->lease_token != token) {
    return make_error(ErrorKind::refused,
                      fmt::format("event {} is not leased under that token", to_string(id)));
  }
  record_report(transaction, *event, request);
  settle_unrouted(*event, request);
  reschedule(transaction, *event, request);
  end_lease(*event);
  event->updated_us = transaction.now_us;
  event->is_changed = true;
  finish_if_done(transaction, *event);
  save_event(transaction, *event);
  auto view = read_view(transaction.db, event->seq, InFlight{});
  if (!view) {
    return event_not_found(id);  // only after a failure, which sticks
  }
  return std::move(*view);
}

Error event_not_found(const EventId& id) {
  return make_error(ErrorKind::not_found,
                    fmt::format("event {} is not in the store", to_string(id)));
}

Error delivery_not_found(const EventId& id) {
  return make_error(ErrorKind::not_found,
                    fmt::format("event {} has no delivery to that endpoint", to_string(id)));
}

Error held_by_another(const EventId& id) {
  return make_error(ErrorKind::conflict,
                    fmt::format("lease of event {} is held by another consumer", to_string(id)));
}

}  // namespace dispatcher::sqlite
