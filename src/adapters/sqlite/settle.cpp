// The end of an attempt: its record, the delivery's new state and the event's, in one commit.
#include "adapters/sqlite/operations.hpp"

#include <fmt/format.h>

namespace dispatcher::sqlite {
namespace {

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

Result<void> record_failure(EventRow& event, DeliveryRow& row, const Decision& decision,
                            bool is_holder) {
  if (row.state != RowState::waiting) {
    return delivery_has_ended(event.id);
  }
  if (!is_holder) {
    return claim_has_ended(event.id);
  }
  if (const auto* again = std::get_if<Again>(&decision)) {
    retry_at(row, *again);
  } else {
    send_to_review(row, std::get<SentToReview>(decision).reason);
  }
  return {};
}

}  // namespace

Result<SettleAnswer> settle(Transaction& transaction, const Settlement& settlement) {
  const auto claimed = transaction.state.claims.find(settlement.token);
  const bool is_holder = claimed && claimed->endpoint == settlement.endpoint;
  auto event = is_holder ? load_event(transaction.db, claimed->seq)
                         : load_event(transaction.db, settlement.event_id);
  if (is_holder) {
    transaction.state.claims.remove(settlement.token);
  }
  DeliveryRow* row =
      event && event->id == settlement.event_id ? event->find(settlement.endpoint) : nullptr;
  if (row == nullptr) {
    return event_not_found(settlement.event_id);
  }
  const std::int64_t number = note_attempt(*row, settlement.attempt);
  record_attempt(transaction.db, event->seq, row->endpoint, number, settlement.attempt);
  const auto recorded = std::holds_alternative<Delivered>(settlement.decision)
                            ? record_success(transaction, *event, *row)
                            : record_failure(*event, *row, settlement.decision, is_holder);
  save_event(transaction, *event);
  if (!recorded) {
    return recorded.error();
  }
  return SettleAnswer{};
}

}  // namespace dispatcher::sqlite
