// An event and its deliveries as rows: loaded whole, changed in memory by named functions, saved
// whole. Saving keeps the figures and the lanes in step with what changed, so that nothing can
// forget to.
#pragma once

#include "adapters/sqlite/transaction.hpp"
#include "model/delivery.hpp"
#include "model/event.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace dispatcher::sqlite {

struct DeliveryRow {
  EndpointNumber endpoint = kNoEndpoint;
  RowState state = RowState::waiting;
  std::int64_t due_us = 0;
  std::int64_t attempts = 0;
  int retries_used = 0;
  int step = 0;
  std::optional<ReviewReason> reason;
  std::optional<int> last_status;
  std::optional<std::int64_t> last_attempt_us;
  std::optional<std::int64_t> delivered_us;
  std::optional<std::string> last_error;

  bool is_new = false;
  bool is_changed = false;
  RowState saved_as = RowState::waiting;  // unless it is new

  [[nodiscard]] bool is_open() const {
    return state == RowState::waiting || state == RowState::review;
  }
  [[nodiscard]] bool is_settled() const {
    return state == RowState::delivered || state == RowState::discarded;
  }
};

struct EventRow {
  std::int64_t seq = 0;
  EventId id;
  EventStatus status = EventStatus::pending;
  std::int64_t created_us = 0;
  std::int64_t updated_us = 0;
  std::optional<std::int64_t> latency_us;  // from creation to delivery, once it is delivered
  std::string lease_token;                 // empty: never leased
  std::int64_t lease_until_us = 0;
  std::string consumer;
  std::vector<DeliveryRow> deliveries;  // in the order of the endpoints' numbers
  // It has more deliveries than those, and one of the others waits.
  bool others_wait = false;

  bool is_changed = false;
  EventClass loaded_as = EventClass::open;

  [[nodiscard]] DeliveryRow* find(EndpointNumber endpoint);
  [[nodiscard]] bool has_open() const;
  [[nodiscard]] EventClass classify() const;
  // A lease other than `token`'s lives.
  [[nodiscard]] bool is_leased_to_another(std::string_view token, std::int64_t now_us) const {
    return lease_until_us > now_us && lease_token != token;
  }
};

[[nodiscard]] std::optional<EventRow> load_event(Connection& db, const EventId& id);
[[nodiscard]] std::optional<EventRow> load_event(Connection& db, std::int64_t seq);
// For a change of its delivery to `endpoint` alone: of an event with very many deliveries only that
// one is read, where the others make no difference.
[[nodiscard]] std::optional<EventRow> load_event(Connection& db, const EventId& id,
                                                 EndpointNumber endpoint);
[[nodiscard]] std::optional<EventRow> load_event(Connection& db, std::int64_t seq,
                                                 EndpointNumber endpoint);
void save_event(Transaction& transaction, EventRow& event);

// -- what may happen to a delivery

void make_due(DeliveryRow& row, std::int64_t due_us);
void retry_at(DeliveryRow& row, const Again& again);
void send_to_review(DeliveryRow& row, ReviewReason reason);
void mark_delivered(DeliveryRow& row, std::int64_t now_us);
void discard(DeliveryRow& row);
// It waits again, as if it had not been tried so far; its attempts go on counting.
void start_anew(DeliveryRow& row, std::int64_t due_us);
// Counts the attempt and remembers it as the latest; returns its number.
std::int64_t note_attempt(DeliveryRow& row, const Attempt& attempt);

// -- what may happen to an event

// The row of that endpoint; made when there is none, in state `reported`.
DeliveryRow& row_for_report(EventRow& event, EndpointNumber endpoint);
// Whoever had it leased has it no more.
void end_lease(EventRow& event);
// It is pending again: what a consumer or the engine made of it counts no more.
void reopen(Transaction& transaction, EventRow& event);
// When nothing is open any more: delivered, when something was.
void finish_if_done(Transaction& transaction, EventRow& event);
// A consumer has it: what is open is discarded.
void acknowledge(Transaction& transaction, EventRow& event);

// Keeps the attempt under `number`, and counts it for the endpoint.
void record_attempt(Transaction& transaction, std::int64_t seq, EndpointNumber endpoint,
                    std::int64_t number, const Attempt& attempt);

}  // namespace dispatcher::sqlite
