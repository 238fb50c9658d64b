// The end of an attempt: its record, the delivery's new state and the event's, in one commit.
#include "adapters/sqlite/operations.hpp"

#include <fmt/format.h>

namespace dispatcher::sqlite {
namespace {

// Of the payloads that are claimed with a settlement.
constexpr std::size_t kMaxNextBytes = 4 * 1024 * 1024;

Error delivery_has_ended(const EventId& id) {
  return make_error(ErrorKind::conflict,
                    fmt::format("the delivery of event {} had ended before", to_string(id)));
}

Error claim_has_ended(const EventId& id) {
  return make_error(ErrorKind::conflict,
                    fmt::format("the claim of event {} had ended before", to_string(id)));
}

// Success is terminal and idempotent: it needs no token that holds.
Result<void> record_success(Transaction& transaction, EventRow& event, DeliveryRow& row) {
  if (row.state == RowState::delivered) {
    return {};
  }
  if (row.state == RowState::discarded) {
    return delivery_has_ended(event.id);
  }
  mark_delivered(row, transaction.now_us);
  finish_if_done(transaction, event);
  return {};
}

// Of an endpoint that was removed meanwhile nothing waits any more; where another URL has taken its
// place, what the one before refused is tried there.
Result<void> record_failure(Transaction& transaction, EventRow& event, DeliveryRow& row,
                            const Settlement& settlement, bool is_holder) {
  if (row.state != RowState::waiting) {
    return delivery_has_ended(event.id);
  }
  if (!is_holder) {
    return claim_has_ended(event.id);
  }
  const KnownEndpoint* endpoint = transaction.state.routes.find(row.endpoint);
  if (endpoint != nullptr && endpoint->kind == EndpointKind::removed) {
    discard_for_removal(transaction, event, row);
    finish_if_done(transaction, event);
  } else if (const auto* again = std::get_if<Again>(&settlement.decision)) {
    retry_at(row, *again);
  } else if (was_of_replaced(transaction, row.endpoint, settlement.token)) {
    start_anew(row, transaction.now_us);
  } else {
    send_to_review(row, std::get<SentToReview>(settlement.decision).reason);
  }
  return {};
}

// For the slot that is free now, unless the answer disabled the endpoint.
SettleAnswer claim_next(Transaction& transaction, const Settlement& settlement) {
  SettleAnswer answer;
  const KnownEndpoint* endpoint = transaction.state.routes.find(settlement.endpoint);
  if (settlement.claim_next == 0 || endpoint == nullptr ||
      endpoint->shown_state() != EndpointState::active) {
    return answer;
  }
  auto claimed = claim(transaction, {{settlement.endpoint, settlement.claim_next}}, kMaxNextBytes);
  answer.next = std::move(claimed->deliveries);
  answer.lane = claimed->lanes.front();
  return answer;
}

}  // namespace

Result<SettleAnswer> settle(Transaction& transaction, const Settlement& settlement) {
  const auto claimed = transaction.state.claims.find(settlement.token);
  const bool is_holder = claimed && claimed->endpoint == settlement.endpoint;
  const EndpointNumber endpoint = settlement.endpoint;
  auto event = is_holder ? load_event(transaction.db, claimed->seq, endpoint)
                         : load_event(transaction.db, settlement.event_id, endpoint);
  if (is_holder) {
    transaction.state.claims.remove(settlement.token);
  }
  DeliveryRow* row = event && event->id == settlement.event_id ? event->find(endpoint) : nullptr;
  // Whatever became of the delivery meanwhile: it is about the endpoint.
  const std::int64_t disabled_in =
      settlement.disables_endpoint.empty()
          ? 0
          : disable_endpoint(transaction, endpoint, settlement.disables_endpoint);
  if (row == nullptr) {
    return event_not_found(settlement.event_id);
  }
  if (is_holder) {
    end_lease(*event);  // one that had expired: the engine has taken the event since
  }
  const std::int64_t number = note_attempt(*row, settlement.attempt);
  record_attempt(transaction, event->seq, row->endpoint, number, settlement.attempt);
  const auto recorded = std::holds_alternative<Delivered>(settlement.decision)
                            ? record_success(transaction, *event, *row)
                            : record_failure(transaction, *event, *row, settlement, is_holder);
  save_event(transaction, *event);
  if (!recorded) {
    return recorded.error();
  }
  auto answer = claim_next(transaction, settlement);
  answer.disabled_in = disabled_in;
  return answer;
}

}  // namespace dispatcher::sqlite
