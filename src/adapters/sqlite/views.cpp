#include "adapters/sqlite/views.hpp"

#include "adapters/sqlite/schema.hpp"

#include <algorithm>

namespace dispatcher::sqlite {
namespace {

constexpr const char* kReadHead =
    "SELECT " SQLITE_EVENT_HEAD_COLUMNS " FROM events e WHERE e.seq = ?";
constexpr const char* kReadPayload = "SELECT body FROM payloads WHERE seq = ?";
constexpr const char* kReadDeliveries =
    "SELECT d.endpoint, d.state, d.due_us, d.attempts, d.reason, d.last_status, "
    "d.last_attempt_us, d.delivered_us, d.last_error, n.id FROM deliveries d "
    "LEFT JOIN endpoints n ON n.number = d.endpoint WHERE d.place BETWEEN ? AND ? ORDER BY d.place";

// Adds the deliveries of an event up as they are read.
struct Sum {
  std::int64_t attempts = 0;
  std::optional<std::int64_t> last_attempt_us;
  std::optional<std::int64_t> last_delivered_us;
  std::optional<std::int64_t> last_error_us;
  std::optional<std::string> last_error;
  // What holds the event open: the schedule that reports of consumers follow.
  std::optional<std::int64_t> next_due_us;
  std::optional<ReviewReason> review_reason;

  void add(RowState state, const Query& row) {
    attempts += row.integer(3);
    const auto attempt_us = row.optional_integer(6);
    if (attempt_us) {
      last_attempt_us = std::max(last_attempt_us.value_or(*attempt_us), *attempt_us);
    }
    if (const auto delivered_us = row.optional_integer(7)) {
      last_delivered_us = std::max(last_delivered_us.value_or(*delivered_us), *delivered_us);
    }
    const std::int64_t error_us = attempt_us.value_or(0);
    if (!row.is_null(8) && (!last_error_us || error_us >= *last_error_us)) {
      last_error_us = error_us;
      last_error = row.text(8);
    }
    if (state == RowState::waiting) {
      next_due_us = std::min(next_due_us.value_or(row.integer(2)), row.integer(2));
    } else if (state == RowState::review) {
      review_reason = static_cast<ReviewReason>(row.integer(4));
    }
  }
};

DeliveryState shown(RowState state) {
  return state == RowState::reported ? DeliveryState::discarded : static_cast<DeliveryState>(state);
}

DeliveryView read_delivery(const Query& row, RowState state) {
  DeliveryView view;
  view.endpoint_id = row.text(9);
  view.state = shown(state);
  view.attempts = row.integer(3);
  if (state == RowState::waiting) {
    view.next_attempt_at = wall_from_micros(row.integer(2));
  }
  if (state == RowState::review) {
    view.review_reason = static_cast<ReviewReason>(row.integer(4));
  }
  if (const auto status = row.optional_integer(5)) {
    view.last_status = static_cast<int>(*status);
  }
  view.last_error = row.optional_text(8);
  if (const auto delivered_us = row.optional_integer(7); state == RowState::delivered) {
    view.delivered_at = wall_from_micros(delivered_us.value_or(0));
  }
  return view;
}

// A consumer's report has no schedule of its own: it shows the event's.
void follow(DeliveryView& report, const Sum& sum) {
  if (sum.next_due_us) {
    report.state = DeliveryState::waiting;
    report.next_attempt_at = wall_from_micros(*sum.next_due_us);
  } else if (sum.review_reason) {
    report.state = DeliveryState::review;
    report.review_reason = sum.review_reason;
  }
}

EventProgress progress_of(const EventHead& head, const Sum& sum) {
  EventProgress progress;
  progress.status = head.status;
  progress.delivery_attempts = sum.attempts;
  std::int64_t updated_us = head.updated_us;
  if (sum.last_attempt_us) {
    progress.last_delivery_attempt = wall_from_micros(*sum.last_attempt_us);
    if (head.status == EventStatus::pending) {
      updated_us = std::max(updated_us, *sum.last_attempt_us);
    }
  }
  progress.updated_at = wall_from_micros(updated_us);
  const std::int64_t created_us = micros_since_epoch(head.view.event.created_at);
  if (head.latency_us) {
    progress.delivery_latency_ms = *head.latency_us / 1000;
  } else if (sum.last_delivered_us) {
    progress.delivery_latency_ms =
        std::max<std::int64_t>(*sum.last_delivered_us - created_us, 0) / 1000;
  }
  progress.error_message = sum.last_error;
  return progress;
}

}  // namespace

EventHead read_head(const Query& rows) {
  EventHead head;
  head.seq = rows.integer(0);
  Event& event = head.view.event;
  event.id = rows.uuid(1);
  event.type = rows.text(2);
  event.source = rows.text(3);
  head.status = static_cast<EventStatus>(rows.integer(4));
  event.created_at = wall_from_micros(rows.integer(5));
  head.updated_us = rows.integer(6);
  head.latency_us = rows.optional_integer(7);
  head.lease_until_us = rows.integer(8);
  return head;
}

std::string read_payload(Connection& db, std::int64_t seq) {
  Query found = db.query(kReadPayload);
  found.bind(seq);
  return found.step() ? found.text(0) : std::string{};
}

void complete_view(Connection& db, EventHead& head, const InFlight& in_flight,
                   bool with_deliveries) {
  Sum sum;
  std::vector<std::size_t> reports;
  Query rows = db.query(kReadDeliveries);
  rows.bind(first_place(head.seq), last_place(head.seq));
  while (rows.step()) {
    const auto endpoint = static_cast<EndpointNumber>(rows.integer(0));
    const auto state = static_cast<RowState>(rows.integer(1));
    sum.add(state, rows);
    if (!with_deliveries) {
      continue;
    }
    if (endpoint == kNoEndpoint) {
      const bool is_reported =
          state == RowState::review || (state == RowState::waiting && rows.integer(3) > 0);
      if (is_reported) {
        head.view.unmatched = read_delivery(rows, state);
      }
      continue;
    }
    DeliveryView& view = head.view.deliveries.emplace_back(read_delivery(rows, state));
    if (state == RowState::reported) {
      reports.push_back(head.view.deliveries.size() - 1);
    }
    if (state == RowState::waiting && in_flight.has({head.seq, endpoint})) {
      view.state = DeliveryState::in_flight;
      view.next_attempt_at.reset();
    }
  }
  for (const std::size_t report : reports) {
    follow(head.view.deliveries[report], sum);
  }
  head.view.progress = progress_of(head, sum);
}

std::optional<EventView> read_view(Connection& db, std::int64_t seq, const InFlight& in_flight) {
  EventHead head;
  {
    Query found = db.query(kReadHead);
    found.bind(seq);
    if (!found.step()) {
      return std::nullopt;
    }
    head = read_head(found);
  }
  head.view.event.payload = read_payload(db, seq);
  complete_view(db, head, in_flight, true);
  return std::move(head.view);
}

}  // namespace dispatcher::sqlite
