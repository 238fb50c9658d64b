// The log of the webhook receiver, bounded in entries and bytes.
#include "adapters/sqlite/operations.hpp"

namespace dispatcher::sqlite {
namespace {

constexpr std::int64_t kMaxEntries = 1'000;
constexpr std::int64_t kMaxBytes = 8 * 1024 * 1024;

constexpr const char* kInsert =
    "INSERT INTO webhook_log(number, id, event_id, event_type, payload, source_ip, timestamp_us, "
    "request_id, bytes) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)";
constexpr const char* kOldest = "SELECT number, bytes FROM webhook_log ORDER BY number LIMIT 1";
constexpr const char* kDelete = "DELETE FROM webhook_log WHERE number = ?";

std::int64_t bytes_of(const WebhookLogEntry& entry) {
  return static_cast<std::int64_t>(entry.id.bytes.size() + entry.event_id.size() +
                                   entry.event_type.size() + entry.payload.size() +
                                   entry.source_ip.size() + entry.request_id.size());
}

bool delete_oldest(Connection& db, WebhookLogTotals& totals) {
  std::int64_t number = 0;
  std::int64_t bytes = 0;
  {
    Query oldest = db.query(kOldest);
    if (!oldest.step()) {
      return false;
    }
    number = oldest.integer(0);
    bytes = oldest.integer(1);
  }
  db.query(kDelete).bind(number).run();
  --totals.entries;
  totals.bytes -= bytes;
  return true;
}

}  // namespace

Result<void> append_webhook_log(Transaction& transaction, const WebhookLogEntry& entry) {
  WebhookLogTotals& totals = transaction.state.webhook_log;
  const std::int64_t bytes = bytes_of(entry);
  transaction.db.query(kInsert)
      .bind(totals.next_number++, entry.id, entry.event_id, entry.event_type, entry.payload,
            entry.source_ip, micros_since_epoch(entry.timestamp), entry.request_id, bytes)
      .run();
  ++totals.entries;
  totals.bytes += bytes;
  while (totals.entries > kMaxEntries || totals.bytes > kMaxBytes) {
    if (!delete_oldest(transaction.db, totals)) {
      break;
    }
  }
  return {};
}

}  // namespace dispatcher::sqlite
