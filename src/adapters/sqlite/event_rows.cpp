#include "adapters/sqlite/event_rows.hpp"

#include <algorithm>

namespace dispatcher::sqlite {
namespace {

#define EVENT_COLUMNS \
  "seq, id, status, created_us, updated_us, latency_us, lease_token, lease_until_us, consumer"
constexpr const char* kLoadById = "SELECT " EVENT_COLUMNS " FROM events WHERE id = ?";
constexpr const char* kLoadBySeq = "SELECT " EVENT_COLUMNS " FROM events WHERE seq = ?";
#undef EVENT_COLUMNS
constexpr const char* kLoadDeliveries =
    "SELECT endpoint, state, due_us, attempts, retries_used, step, reason, last_status, "
    "last_attempt_us, delivered_us, last_error FROM deliveries WHERE place BETWEEN ? AND ? "
    "ORDER BY place LIMIT ?";
// One after the place is the likelier: deliveries are settled about in the order of their
// endpoints.
#define FIND_WAITING "SELECT 1 FROM deliveries NOT INDEXED WHERE "
constexpr const char* kFindWaitingAfter =
    FIND_WAITING "place > ? AND place <= ? AND state = 0 LIMIT 1";
constexpr const char* kFindWaitingBefore =
    FIND_WAITING "place >= ? AND place < ? AND state = 0 LIMIT 1";
#undef FIND_WAITING
constexpr const char* kSaveStatus =
    "UPDATE events SET status = ?, updated_us = ?, latency_us = ?, lease_token = ?, "
    "lease_until_us = ?, consumer = ? WHERE seq = ?";
constexpr const char* kInsertDelivery =
    "INSERT INTO deliveries(place, endpoint, state, due_us, attempts, retries_used, step, reason, "
    "last_status, last_attempt_us, delivered_us, last_error) "
    "VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
constexpr const char* kUpdateDelivery =
    "UPDATE deliveries SET state = ?, due_us = ?, attempts = ?, retries_used = ?, step = ?, "
    "reason = ?, last_status = ?, last_attempt_us = ?, delivered_us = ?, last_error = ? "
    "WHERE place = ?";
constexpr const char* kInsertAttempt =
    "INSERT INTO attempts(seq, endpoint, number, started_us, duration_ms, outcome, status, error, "
    "remote_address, response_body) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

template <class T>
std::optional<T> narrow(std::optional<std::int64_t> value) {
  return value ? std::optional{static_cast<T>(*value)} : std::nullopt;
}

std::optional<int> number_of(const std::optional<ReviewReason>& reason) {
  return reason ? std::optional{static_cast<int>(*reason)} : std::nullopt;
}

// Of an event with more deliveries than this, those that make no difference are not read.
constexpr std::size_t kManyDeliveries = 16;

struct Places {
  std::int64_t first = 0;
  std::int64_t last = 0;
};

void load_deliveries(Connection& db, EventRow& event, const Places& places,
                     std::optional<std::size_t> limit) {
  event.deliveries.clear();
  Query rows = db.query(kLoadDeliveries);
  rows.bind(places.first, places.last, limit ? static_cast<std::int64_t>(*limit) : -1);
  while (rows.step()) {
    DeliveryRow& row = event.deliveries.emplace_back();
    row.endpoint = static_cast<EndpointNumber>(rows.integer(0));
    row.state = static_cast<RowState>(rows.integer(1));
    row.saved_as = row.state;
    row.due_us = rows.integer(2);
    row.attempts = rows.integer(3);
    row.retries_used = static_cast<int>(rows.integer(4));
    row.step = static_cast<int>(rows.integer(5));
    row.reason = narrow<ReviewReason>(rows.optional_integer(6));
    row.last_status = narrow<int>(rows.optional_integer(7));
    row.last_attempt_us = rows.optional_integer(8);
    row.delivered_us = rows.optional_integer(9);
    row.last_error = rows.optional_text(10);
  }
}

bool do_others_wait(Connection& db, const Places& all, std::int64_t place) {
  Query after = db.query(kFindWaitingAfter);
  after.bind(place, all.last);
  if (after.step()) {
    return true;
  }
  Query before = db.query(kFindWaitingBefore);
  before.bind(all.first, place);
  return before.step();
}

void load_deliveries(Connection& db, EventRow& event, std::optional<EndpointNumber> endpoint) {
  const Places all{first_place(event.seq), last_place(event.seq)};
  load_deliveries(db, event, all,
                  endpoint ? std::optional{kManyDeliveries + 1} : std::optional<std::size_t>{});
  if (!endpoint || event.deliveries.size() <= kManyDeliveries) {
    return;
  }
  const std::int64_t place = place_of(event.seq, *endpoint);
  event.others_wait = do_others_wait(db, all, place);
  load_deliveries(db, event, event.others_wait ? Places{place, place} : all, std::nullopt);
}

// `found` stands before its only row.
std::optional<EventRow> read_event(Connection& db, Query& found,
                                   std::optional<EndpointNumber> endpoint) {
  if (!found.step()) {
    return std::nullopt;
  }
  EventRow event;
  event.seq = found.integer(0);
  event.id = found.uuid(1);
  event.status = static_cast<EventStatus>(found.integer(2));
  event.created_us = found.integer(3);
  event.updated_us = found.integer(4);
  event.latency_us = found.optional_integer(5);
  event.lease_token = found.text(6);
  event.lease_until_us = found.integer(7);
  event.consumer = found.text(8);
  load_deliveries(db, event, endpoint);
  event.loaded_as = event.classify();
  return event;
}

void save_delivery(Connection& db, std::int64_t seq, const DeliveryRow& row) {
  if (row.is_new) {
    db.query(kInsertDelivery)
        .bind(place_of(seq, row.endpoint), row.endpoint, static_cast<int>(row.state), row.due_us,
              row.attempts, row.retries_used, row.step, number_of(row.reason), row.last_status,
              row.last_attempt_us, row.delivered_us, row.last_error)
        .run();
    return;
  }
  db.query(kUpdateDelivery)
      .bind(static_cast<int>(row.state), row.due_us, row.attempts, row.retries_used, row.step,
            number_of(row.reason), row.last_status, row.last_attempt_us, row.delivered_us,
            row.last_error, place_of(seq, row.endpoint))
      .run();
}

void note_review(WriterState& state, EndpointNumber endpoint, std::int64_t seq) {
  const KnownEndpoint* known = state.routes.find(endpoint);
  if (known != nullptr && known->review_from) {
    state.fresh_review[endpoint].insert(seq);
  }
}

std::optional<std::string_view> null_if_empty(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional<std::string_view>{text};
}

}  // namespace

DeliveryRow* EventRow::find(EndpointNumber endpoint) {
  const auto found = std::ranges::find(deliveries, endpoint, &DeliveryRow::endpoint);
  return found == deliveries.end() ? nullptr : &*found;
}

bool EventRow::has_open() const {
  return others_wait || std::ranges::any_of(deliveries, &DeliveryRow::is_open);
}

EventClass EventRow::classify() const {
  switch (status) {
    case EventStatus::delivered: return EventClass::delivered;
    case EventStatus::failed: return EventClass::failed;
    case EventStatus::pending: break;
  }
  const auto is_in = [this](RowState state) {
    return std::ranges::find(deliveries, state, &DeliveryRow::state) != deliveries.end();
  };
  const bool is_waiting = others_wait || is_in(RowState::waiting);
  return !is_waiting && is_in(RowState::review) ? EventClass::review : EventClass::open;
}

namespace {

template <class Key>
std::optional<EventRow> load(Connection& db, const char* sql, const Key& key,
                             std::optional<EndpointNumber> endpoint) {
  Query found = db.query(sql);
  found.bind(key);
  return read_event(db, found, endpoint);
}

}  // namespace

std::optional<EventRow> load_event(Connection& db, const EventId& id) {
  return load(db, kLoadById, id, std::nullopt);
}

std::optional<EventRow> load_event(Connection& db, std::int64_t seq) {
  return load(db, kLoadBySeq, seq, std::nullopt);
}

std::optional<EventRow> load_event(Connection& db, const EventId& id, EndpointNumber endpoint) {
  return load(db, kLoadById, id, endpoint);
}

std::optional<EventRow> load_event(Connection& db, std::int64_t seq, EndpointNumber endpoint) {
  return load(db, kLoadBySeq, seq, endpoint);
}

void save_event(Transaction& transaction, EventRow& event) {
  Connection& db = transaction.db;
  if (event.is_changed) {
    db.query(kSaveStatus)
        .bind(static_cast<int>(event.status), event.updated_us, event.latency_us,
              null_if_empty(event.lease_token), event.lease_until_us, null_if_empty(event.consumer),
              event.seq)
        .run();
    event.is_changed = false;
  }
  for (DeliveryRow& row : event.deliveries) {
    if (!row.is_new && !row.is_changed) {
      continue;
    }
    save_delivery(db, event.seq, row);
    if (row.state == RowState::review && (row.is_new || row.saved_as != RowState::review)) {
      note_review(transaction.state, row.endpoint, event.seq);
    }
    if (row.state == RowState::waiting) {
      transaction.state.lanes.note_waiting(row.endpoint, row.due_us, event.seq);
    }
    transaction.state.tallies.move(
        row.endpoint, row.is_new ? std::nullopt : std::optional{row.saved_as}, row.state);
    row.is_new = false;
    row.is_changed = false;
    row.saved_as = row.state;
  }
  const EventClass saved_as = event.classify();
  transaction.state.tallies.move(event.created_us, event.loaded_as, saved_as);
  event.loaded_as = saved_as;
}

void make_due(DeliveryRow& row, std::int64_t due_us) {
  row.state = RowState::waiting;
  row.due_us = due_us;
  row.reason.reset();
  row.is_changed = true;
}

void retry_at(DeliveryRow& row, const Again& again) {
  make_due(row, micros_since_epoch(again.at));
  row.retries_used = again.retries_used;
  row.step = again.step;
}

void send_to_review(DeliveryRow& row, ReviewReason reason) {
  row.state = RowState::review;
  row.reason = reason;
  row.is_changed = true;
}

void mark_delivered(DeliveryRow& row, std::int64_t now_us) {
  row.state = RowState::delivered;
  row.reason.reset();
  row.delivered_us = now_us;
  row.is_changed = true;
}

void discard(DeliveryRow& row) {
  row.state = RowState::discarded;
  row.reason.reset();
  row.is_changed = true;
}

void start_anew(DeliveryRow& row, std::int64_t due_us) {
  make_due(row, due_us);
  row.retries_used = 0;
  row.step = 0;
  row.delivered_us.reset();
}

std::int64_t note_attempt(DeliveryRow& row, const Attempt& attempt) {
  ++row.attempts;
  row.last_status = attempt.status;
  row.last_error = attempt.error;
  const std::int64_t started_us = micros_since_epoch(attempt.started_at);
  row.last_attempt_us = std::max(row.last_attempt_us.value_or(started_us), started_us);
  row.is_changed = true;
  return row.attempts;
}

DeliveryRow& row_for_report(EventRow& event, EndpointNumber endpoint) {
  if (DeliveryRow* row = event.find(endpoint)) {
    return *row;
  }
  const auto place =
      std::ranges::upper_bound(event.deliveries, endpoint, {}, &DeliveryRow::endpoint);
  DeliveryRow row;
  row.endpoint = endpoint;
  row.state = RowState::reported;
  row.is_new = true;
  return *event.deliveries.insert(place, std::move(row));
}

void end_lease(EventRow& event) {
  if (event.lease_token.empty()) {
    return;
  }
  event.lease_token.clear();
  event.lease_until_us = 0;
  event.consumer.clear();
  event.is_changed = true;
}

void reopen(Transaction& transaction, EventRow& event) {
  event.status = EventStatus::pending;
  event.updated_us = transaction.now_us;
  event.latency_us.reset();
  end_lease(event);
  event.is_changed = true;
}

void finish_if_done(Transaction& transaction, EventRow& event) {
  if (event.status != EventStatus::pending || event.has_open()) {
    return;
  }
  std::optional<std::int64_t> last_us;
  for (const DeliveryRow& row : event.deliveries) {
    if (row.delivered_us) {
      last_us = std::max(last_us.value_or(*row.delivered_us), *row.delivered_us);
    }
  }
  event.status = last_us ? EventStatus::delivered : EventStatus::failed;
  event.updated_us = transaction.now_us;
  event.is_changed = true;
  if (last_us) {
    event.latency_us = std::max<std::int64_t>(*last_us - event.created_us, 0);
    transaction.state.tallies.note_delivered(transaction.now_us, *event.latency_us);
  }
}

void acknowledge(Transaction& transaction, EventRow& event) {
  for (DeliveryRow& row : event.deliveries) {
    if (row.is_open()) {
      discard(row);
    }
  }
  event.status = EventStatus::delivered;
  event.updated_us = transaction.now_us;
  event.latency_us = std::max<std::int64_t>(transaction.now_us - event.created_us, 0);
  event.is_changed = true;
  transaction.state.tallies.note_delivered(transaction.now_us, *event.latency_us);
}

void record_attempt(Transaction& transaction, std::int64_t seq, EndpointNumber endpoint,
                    std::int64_t number, const Attempt& attempt) {
  const std::string_view body =
      std::string_view{attempt.response_body}.substr(0, Attempt::kMaxKeptBodyBytes);
  const std::int64_t started_us = micros_since_epoch(attempt.started_at);
  transaction.state.tallies.note_attempt(endpoint, attempt.outcome, started_us);
  transaction.db.query(kInsertAttempt)
      .bind(seq, endpoint, number, started_us, static_cast<std::int64_t>(attempt.duration.count()),
            static_cast<int>(attempt.outcome), attempt.status, attempt.error,
            attempt.remote_address, body)
      .run();
}

}  // namespace dispatcher::sqlite
