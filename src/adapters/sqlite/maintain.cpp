// What can wait, in steps short enough that nothing else waits for them.
#include "adapters/sqlite/operations.hpp"

#include <algorithm>
#include <limits>

namespace dispatcher::sqlite {
namespace {

constexpr std::int64_t kBacklogStep = 500;    // events looked at
constexpr std::int64_t kRetentionStep = 200;  // events looked at
constexpr std::int64_t kForgetStep = 500;     // rows
constexpr std::int64_t kKeepKeysUs = kDayUs;
constexpr std::int64_t kKeepFiguresUs = kDayUs + 3'600'000'000;

// -- a new endpoint's backlog

constexpr const char* kFindBacklog =
    "SELECT seq, type, source FROM events INDEXED BY events_status WHERE status = 0 AND "
    "seq BETWEEN ? AND ? ORDER BY seq LIMIT ?";
constexpr const char* kDropUnrouted = "DELETE FROM deliveries WHERE place = ?";

struct Candidate {
  std::int64_t seq = 0;
  std::string type;
  std::string source;
};

struct Backlog {
  std::int64_t from = std::numeric_limits<std::int64_t>::max();
  std::int64_t to = 0;
};

// One that takes nothing now keeps its backlog until it does again.
std::vector<KnownEndpoint*> with_backlog(Routes& routes) {
  std::vector<KnownEndpoint*> found;
  for (KnownEndpoint& endpoint : routes.all()) {
    if (endpoint.backlog_from && endpoint.takes_new()) {
      found.push_back(&endpoint);
    }
  }
  return found;
}

Backlog backlog_of(const std::vector<KnownEndpoint*>& endpoints) {
  Backlog backlog;
  for (const KnownEndpoint* endpoint : endpoints) {
    backlog.from = std::min(backlog.from, *endpoint->backlog_from);
    backlog.to = std::max(backlog.to, endpoint->backlog_to);
  }
  return backlog;
}

std::vector<Candidate> find_candidates(Connection& db, const Backlog& backlog) {
  std::vector<Candidate> found;
  Query rows = db.query(kFindBacklog);
  rows.bind(backlog.from, backlog.to, kBacklogStep);
  while (rows.step()) {
    found.push_back({rows.integer(0), rows.text(1), rows.text(2)});
  }
  return found;
}

std::vector<EndpointNumber> takers_of(const std::vector<KnownEndpoint*>& endpoints,
                                      const Candidate& candidate) {
  std::vector<EndpointNumber> takers;
  for (const KnownEndpoint* endpoint : endpoints) {
    if (*endpoint->backlog_from <= candidate.seq && candidate.seq <= endpoint->backlog_to &&
        endpoint->filter.matches(candidate.type, candidate.source)) {
      takers.push_back(endpoint->number);
    }
  }
  return takers;
}

// Moves what stands for "no endpoint" to the endpoints that came, with the due time that it has (a
// consumer's lease may have moved it).
void route_late(Transaction& transaction, const std::vector<KnownEndpoint*>& endpoints,
                const Candidate& candidate) {
  const auto takers = takers_of(endpoints, candidate);
  auto event = takers.empty() ? std::nullopt : load_event(transaction.db, candidate.seq);
  DeliveryRow* unrouted = event ? event->find(kNoEndpoint) : nullptr;
  if (unrouted == nullptr || unrouted->state != RowState::waiting) {
    return;
  }
  const DeliveryRow moved = *unrouted;
  for (const EndpointNumber taker : takers) {
    DeliveryRow& row = row_for_report(*event, taker);
    if (row.state == RowState::reported) {
      make_due(row, moved.due_us);
    }
  }
  unrouted = event->find(kNoEndpoint);
  if (unrouted->attempts > 0) {
    discard(*unrouted);  // its attempts stay on record
  } else {
    std::erase_if(event->deliveries,
                  [](const DeliveryRow& row) { return row.endpoint == kNoEndpoint; });
    transaction.db.query(kDropUnrouted).bind(place_of(event->seq, kNoEndpoint)).run();
  }
  finish_if_done(transaction, *event);
  save_event(transaction, *event);
}

bool route_backlog(Transaction& transaction) {
  const auto endpoints = with_backlog(transaction.state.routes);
  if (endpoints.empty()) {
    return false;
  }
  const Backlog backlog = backlog_of(endpoints);
  const auto candidates = find_candidates(transaction.db, backlog);
  for (const Candidate& candidate : candidates) {
    route_late(transaction, endpoints, candidate);
  }
  const bool is_last = candidates.size() < static_cast<std::size_t>(kBacklogStep);
  const std::int64_t done_to = is_last ? backlog.to : candidates.back().seq;
  for (KnownEndpoint* endpoint : endpoints) {
    endpoint->backlog_from = std::max(*endpoint->backlog_from, done_to + 1);
    if (*endpoint->backlog_from > endpoint->backlog_to) {
      endpoint->backlog_from.reset();
    }
    save_backlog(transaction.db, *endpoint);
  }
  return !with_backlog(transaction.state.routes).empty();
}

// -- retention

constexpr const char* kFindDone =
    "SELECT seq, updated_us, created_us FROM events INDEXED BY events_status WHERE status = ? AND "
    "seq > ? ORDER BY seq LIMIT ?";
constexpr const char* kCountDone = "SELECT coalesce(sum(delivered + failed), 0) FROM day_counts";

struct Done {
  std::int64_t seq = 0;
  std::int64_t updated_us = 0;
  std::int64_t created_us = 0;
};

std::vector<Done> find_done(Connection& db, EventStatus status, std::int64_t after) {
  std::vector<Done> found;
  Query rows = db.query(kFindDone);
  rows.bind(static_cast<int>(status), after, kRetentionStep);
  while (rows.step()) {
    found.push_back({rows.integer(0), rows.integer(1), rows.integer(2)});
  }
  return found;
}

// The oldest of both kinds of done events, after the place where the last step ended.
std::vector<Done> next_done(Connection& db, std::int64_t after) {
  auto done = find_done(db, EventStatus::delivered, after);
  const auto failed = find_done(db, EventStatus::failed, after);
  done.insert(done.end(), failed.begin(), failed.end());
  std::ranges::sort(done, {}, &Done::seq);
  if (done.size() > static_cast<std::size_t>(kRetentionStep)) {
    done.resize(static_cast<std::size_t>(kRetentionStep));
  }
  return done;
}

void erase_done(Transaction& transaction, std::int64_t seq) {
  if (const auto event = load_event(transaction.db, seq)) {
    erase_event(transaction, *event);
  }
}

// Events end in about the order in which they came, so the walk is by age of ingest: it ends at the
// first event that is too young to have been done for long, and starts over the next time.
bool apply_retention(Transaction& transaction, const RetentionPolicy& policy) {
  const std::int64_t before_us =
      transaction.now_us - std::chrono::microseconds{policy.keep_done}.count();
  const std::int64_t excess = transaction.db.integer(kCountDone) - policy.max_done;
  std::int64_t& after = transaction.state.retention_after_seq;
  if (excess > 0) {
    after = 0;  // the oldest go first
  }
  std::int64_t erased = 0;
  const auto done = next_done(transaction.db, after);
  for (const Done& event : done) {
    if (event.updated_us < before_us || erased < excess) {
      erase_done(transaction, event.seq);
      ++erased;
    } else if (event.created_us >= before_us) {
      after = 0;
      return false;
    }
    after = event.seq;
  }
  if (done.size() < static_cast<std::size_t>(kRetentionStep)) {
    after = 0;
    return false;
  }
  return true;
}

// -- what the figures and the keys need no more

constexpr const char* kForgetKeys =
    "DELETE FROM idempotency WHERE key IN (SELECT key FROM idempotency INDEXED BY "
    "idempotency_created WHERE created_us <= ? ORDER BY created_us LIMIT ?)";
constexpr const char* kForgetMinutes = "DELETE FROM minute_ingests WHERE minute < ?";
constexpr const char* kForgetLatencies = "DELETE FROM latencies WHERE slot < ?";
constexpr const char* kForgetDays =
    "DELETE FROM day_counts WHERE open = 0 AND review = 0 AND delivered = 0 AND failed = 0";
constexpr const char* kChanges = "SELECT changes()";

bool forget_keys(Transaction& transaction) {
  transaction.db.query(kForgetKeys).bind(transaction.now_us - kKeepKeysUs, kForgetStep).run();
  return transaction.db.integer(kChanges) == kForgetStep;
}

void forget_figures(Transaction& transaction) {
  const std::int64_t before_us = transaction.now_us - kKeepFiguresUs;
  transaction.db.query(kForgetMinutes).bind(floor_div(before_us, kMinuteUs)).run();
  transaction.db.query(kForgetLatencies).bind(floor_div(before_us, kLatencySlotUs)).run();
  transaction.db.query(kForgetDays).run();
}

}  // namespace

Result<bool> maintain(Transaction& transaction, const RetentionPolicy& policy) {
  forget_figures(transaction);
  const bool has_backlog = route_backlog(transaction);
  const bool has_replaced = release_replaced(transaction);
  const bool has_discards = discard_removed(transaction);
  const bool has_old_events = apply_retention(transaction, policy);
  const bool has_old_keys = forget_keys(transaction);
  return has_backlog || has_replaced || has_discards || has_old_events || has_old_keys;
}

}  // namespace dispatcher::sqlite
