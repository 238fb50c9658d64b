#include "adapters/sqlite/queries.hpp"

#include "adapters/sqlite/operations.hpp"
#include "adapters/sqlite/views.hpp"

#include <algorithm>
#include <cctype>

namespace dispatcher::sqlite {
namespace {

// How many leased or in-flight events a look at the inbox passes over before it answers less.
constexpr int kMaxPassedOver = 20'000;
constexpr std::size_t kMaxLogEntries = 1'000;

constexpr const char* kFindSeq = "SELECT seq FROM events WHERE id = ?";
constexpr const char* kFindAttempts =
    "SELECT a.number, a.started_us, a.duration_ms, a.outcome, a.status, a.error, "
    "a.remote_address, a.response_body, n.id FROM attempts a "
    "LEFT JOIN endpoints n ON n.number = a.endpoint WHERE a.seq = ? "
    "ORDER BY a.started_us, a.endpoint, a.number";
constexpr const char* kFindPending =
    "SELECT " SQLITE_EVENT_HEAD_COLUMNS
    " FROM events e INDEXED BY events_status WHERE e.status = 0 ORDER BY e.seq DESC";
constexpr const char* kFindLog =
    "SELECT id, event_type, payload, source_ip, timestamp_us, request_id, event_id FROM "
    "webhook_log "
    "ORDER BY number DESC";

Attempt read_attempt(const Query& row) {
  Attempt attempt;
  attempt.number = row.integer(0);
  attempt.started_at = wall_from_micros(row.integer(1));
  attempt.duration = std::chrono::milliseconds{row.integer(2)};
  attempt.outcome = static_cast<Outcome>(row.integer(3));
  if (const auto status = row.optional_integer(4)) {
    attempt.status = static_cast<int>(*status);
  }
  attempt.error = row.optional_text(5);
  attempt.remote_address = row.text(6);
  attempt.response_body = row.text(7);
  attempt.endpoint_id = row.text(8);
  return attempt;
}

char lower(char letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

// Any case of ASCII letters.
bool contains(std::string_view text, std::string_view wanted) {
  const auto is_same = [](char one, char other) { return lower(one) == lower(other); };
  return wanted.empty() ||
         std::search(text.begin(), text.end(), wanted.begin(), wanted.end(), is_same) != text.end();
}

bool matches(const WebhookLogQuery& query, const Query& row) {
  const WallTime at = wall_from_micros(row.integer(4));
  return (!query.event_type || row.bytes(1) == *query.event_type) &&
         (!query.from || at >= *query.from) && (!query.to || at <= *query.to) &&
         (!query.search || contains(row.bytes(1), *query.search) ||
          contains(row.bytes(2), *query.search));
}

}  // namespace

std::optional<std::int64_t> find_seq(Connection& db, const EventId& id) {
  Query found = db.query(kFindSeq);
  found.bind(id);
  return found.step() ? std::optional{found.integer(0)} : std::nullopt;
}

Result<EventView> find_event(const Reading& reading, const EventId& id) {
  const auto seq = find_seq(reading.db, id);
  auto view = seq ? read_view(reading.db, *seq, reading.in_flight) : std::nullopt;
  if (!view) {
    return event_not_found(id);
  }
  return std::move(*view);
}

Result<std::vector<Attempt>> find_attempts(const Reading& reading, const EventId& id) {
  const auto seq = find_seq(reading.db, id);
  if (!seq) {
    return event_not_found(id);
  }
  std::vector<Attempt> attempts;
  Query rows = reading.db.query(kFindAttempts);
  rows.bind(*seq);
  while (rows.step()) {
    attempts.push_back(read_attempt(rows));
  }
  return attempts;
}

Result<std::vector<EventView>> find_pending(const Reading& reading, std::size_t limit,
                                            std::size_t max_bytes) {
  std::vector<EventView> events;
  std::size_t bytes = 0;
  int passed_over = 0;
  Query rows = reading.db.query(kFindPending);
  while (events.size() < limit && rows.step()) {
    const std::int64_t seq = rows.integer(0);
    const bool is_leased = rows.integer(8) > reading.now_us;
    if (is_leased || reading.in_flight.has_event(seq)) {
      if (++passed_over == kMaxPassedOver) {
        break;
      }
      continue;
    }
    EventHead head = read_head(rows);
    head.view.event.payload = read_payload(reading.db, seq);
    bytes += head.view.event.payload.size();
    if (bytes > max_bytes && !events.empty()) {
      break;
    }
    complete_view(reading.db, head, reading.in_flight, false);
    events.push_back(std::move(head.view));
  }
  return events;
}

Result<std::vector<WebhookLogEntry>> find_webhook_log(const Reading& reading,
                                                      const WebhookLogQuery& query) {
  std::vector<WebhookLogEntry> entries;
  const std::size_t limit = std::min(query.limit, kMaxLogEntries);
  Query rows = reading.db.query(kFindLog);
  while (entries.size() < limit && rows.step()) {
    if (!matches(query, rows)) {
      continue;
    }
    WebhookLogEntry& entry = entries.emplace_back();
    entry.id = rows.uuid(0);
    entry.event_type = rows.text(1);
    entry.payload = rows.text(2);
    entry.source_ip = rows.text(3);
    entry.timestamp = wall_from_micros(rows.integer(4));
    entry.request_id = rows.text(5);
    entry.event_id = rows.text(6);
  }
  return entries;
}

}  // namespace dispatcher::sqlite
