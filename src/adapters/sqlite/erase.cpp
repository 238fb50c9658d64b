// Deletion of events, with all that belongs to them. Idempotency keys stay.
#include "adapters/sqlite/operations.hpp"

namespace dispatcher::sqlite {
namespace {

constexpr const char* kEraseAttempts = "DELETE FROM attempts WHERE seq = ?";
constexpr const char* kEraseDeliveries = "DELETE FROM deliveries WHERE place BETWEEN ? AND ?";
constexpr const char* kEraseReleases = "DELETE FROM releases WHERE place BETWEEN ? AND ?";
constexpr const char* kErasePayload = "DELETE FROM payloads WHERE seq = ?";
constexpr const char* kEraseEvent = "DELETE FROM events WHERE seq = ?";

}  // namespace

void erase_event(Transaction& transaction, const EventRow& event) {
  for (const char* sql : {kEraseAttempts, kErasePayload, kEraseEvent}) {
    transaction.db.query(sql).bind(event.seq).run();
  }
  for (const char* sql : {kEraseDeliveries, kEraseReleases}) {
    transaction.db.query(sql).bind(first_place(event.seq), last_place(event.seq)).run();
  }
  for (const DeliveryRow& row : event.deliveries) {
    transaction.state.tallies.move(row.endpoint, row.saved_as, std::nullopt);
  }
  transaction.state.claims.remove_event(event.seq);
  transaction.state.tallies.move(event.created_us, event.loaded_as, std::nullopt);
}

Result<void> erase(Transaction& transaction, const EventId& id) {
  const auto event = load_event(transaction.db, id);
  if (!event) {
    return event_not_found(id);
  }
  // A person wants it gone: its bytes are overwritten where they were. What retention deletes is
  // spared that, which doubles the cost of a delete.
  transaction.db.execute("PRAGMA secure_delete=ON");
  erase_event(transaction, *event);
  transaction.db.execute("PRAGMA secure_delete=OFF");
  transaction.state.has_erased = true;
  return {};
}

}  // namespace dispatcher::sqlite
