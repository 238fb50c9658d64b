// Leases over HTTP, of whole events: a due time moved forward plus a token.
#include "adapters/sqlite/operations.hpp"
#include "adapters/sqlite/views.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <queue>
#include <unordered_set>

namespace dispatcher::sqlite {
namespace {

constexpr std::size_t kMaxLeasedEvents = 1'000;
// Payloads in one answer, but always at least one event.
constexpr std::size_t kMaxLeasedBytes = 4 * 1024 * 1024;
// Rows of one endpoint read at a time while the endpoints' due times are merged.
constexpr std::size_t kChunkRows = 64;

constexpr const char* kNextWaiting =
    "SELECT endpoint FROM deliveries INDEXED BY deliveries_due WHERE state = 0 AND endpoint > ? "
    "ORDER BY endpoint LIMIT 1";

// What is due of one endpoint, in order, read in chunks.
class DueRows {
 public:
  DueRows(EndpointNumber endpoint, std::int64_t now_us) : endpoint_(endpoint), now_us_(now_us) {}

  [[nodiscard]] std::optional<DueRow> next(Connection& db) {
    if (at_ == chunk_.size() && !is_at_end_) {
      read_chunk(db);
    }
    return at_ == chunk_.size() ? std::nullopt : std::optional{chunk_[at_++]};
  }

 private:
  // The rows that were read before may have changed since: nothing is read but what lies after.
  void read_chunk(Connection& db) {
    const DueRow from =
        chunk_.empty() ? kBeforeAllDue : DueRow{chunk_.back().due_us, chunk_.back().place + 1};
    chunk_.clear();
    at_ = 0;
    DueWalk walk{db, endpoint_, from};
    while (chunk_.size() < kChunkRows) {
      const auto row = walk.next();
      if (!row || row->due_us > now_us_) {
        is_at_end_ = true;
        return;
      }
      chunk_.push_back(*row);
    }
  }

  EndpointNumber endpoint_;
  std::int64_t now_us_;
  std::vector<DueRow> chunk_;
  std::size_t at_ = 0;
  bool is_at_end_ = false;
};

// The due rows of all endpoints, oldest due first.
class AllDueRows {
 public:
  explicit AllDueRows(Transaction& transaction) : db_(transaction.db) {
    std::int64_t before = -1;
    while (const auto endpoint = next_waiting(before)) {
      if (*endpoint == kNoEndpoint || transaction.state.routes.is_routed(*endpoint)) {
        lanes_.emplace_back(*endpoint, transaction.now_us);
      }
      before = *endpoint;
    }
    for (std::size_t lane = 0; lane < lanes_.size(); ++lane) {
      refill(lane);
    }
  }

  [[nodiscard]] std::optional<DueRow> next() {
    if (heads_.empty()) {
      return std::nullopt;
    }
    const Head head = heads_.top();
    heads_.pop();
    refill(head.lane);
    return head.row;
  }

 private:
  struct Head {
    DueRow row;
    std::size_t lane = 0;
    friend auto operator<=>(const Head&, const Head&) = default;
  };

  // One search for each endpoint for which something waits, however many there are.
  [[nodiscard]] std::optional<EndpointNumber> next_waiting(std::int64_t before) {
    Query found = db_.query(kNextWaiting);
    found.bind(before);
    return found.step() ? std::optional{static_cast<EndpointNumber>(found.integer(0))}
                        : std::nullopt;
  }

  void refill(std::size_t lane) {
    if (const auto row = lanes_[lane].next(db_)) {
      heads_.push({*row, lane});
    }
  }

  Connection& db_;
  std::vector<DueRows> lanes_;
  std::priority_queue<Head, std::vector<Head>, std::greater<>> heads_;
};

std::string make_token(Random& random) {
  const std::uint64_t high = random.next();
  const std::uint64_t low = random.next();
  return fmt::format("{:016x}{:016x}", high, low);
}

void lease_event(Transaction& transaction, EventRow& event, const std::string& token,
                 std::int64_t until_us, const std::string& consumer) {
  for (DeliveryRow& row : event.deliveries) {
    if (row.state == RowState::waiting) {
      make_due(row, std::max(row.due_us, until_us));
    }
  }
  event.lease_token = token;
  event.lease_until_us = until_us;
  event.consumer = consumer;
  event.is_changed = true;
  save_event(transaction, event);
}

bool renew_event(Transaction& transaction, const EventId& id, const std::string& token,
                 std::int64_t until_us) {
  auto event = load_event(transaction.db, id);
  // An expired lease that nobody has taken is still its holder's.
  if (!event || event->status != EventStatus::pending || token.empty() ||
      event->lease_token != token || transaction.state.claims.has_event(event->seq)) {
    return false;
  }
  for (DeliveryRow& row : event->deliveries) {
    if (row.state == RowState::waiting) {
      const bool is_due_by_lease = row.due_us == event->lease_until_us;
      make_due(row, is_due_by_lease ? until_us : std::max(row.due_us, until_us));
    }
  }
  event->lease_until_us = until_us;
  event->is_changed = true;
  save_event(transaction, *event);
  return true;
}

std::int64_t micros(std::chrono::seconds duration) {
  return std::chrono::microseconds{duration}.count();
}

}  // namespace

Result<LeasedEvents> lease(Transaction& transaction, const LeaseRequest& request) {
  const std::size_t limit = std::min(request.limit, kMaxLeasedEvents);
  const std::int64_t until_us = transaction.now_us + micros(request.duration);
  LeasedEvents leased;
  leased.token = make_token(transaction.random);
  const InFlight in_flight;  // an event that is leased has nothing in flight
  std::unordered_set<std::int64_t> seen;
  std::size_t bytes = 0;
  AllDueRows rows{transaction};
  while (leased.events.size() < limit) {
    const auto row = rows.next();
    if (!row) {
      break;
    }
    const std::int64_t seq = seq_at(row->place);
    if (!seen.insert(seq).second || transaction.state.claims.has_event(seq)) {
      continue;
    }
    auto event = load_event(transaction.db, seq);
    if (!event || event->lease_until_us > transaction.now_us) {
      continue;
    }
    auto view = read_view(transaction.db, event->seq, in_flight);
    if (!view || (bytes > 0 && bytes + view->event.payload.size() > kMaxLeasedBytes)) {
      break;
    }
    bytes += view->event.payload.size();
    lease_event(transaction, *event, leased.token, until_us, request.consumer);
    leased.events.push_back(std::move(*view));
  }
  return leased;
}

Result<std::vector<bool>> renew(Transaction& transaction, const std::string& token,
                                const std::vector<EventId>& ids, std::chrono::seconds duration) {
  std::vector<bool> answers;
  answers.reserve(ids.size());
  for (const EventId& id : ids) {
    answers.push_back(renew_event(transaction, id, token, transaction.now_us + micros(duration)));
  }
  return answers;
}

}  // namespace dispatcher::sqlite
