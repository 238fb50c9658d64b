// What persons do with deliveries that ended or wait for one: replayed or discarded, one event at a
// time, and of a removed endpoint all that still waits.
#include "adapters/sqlite/delivery_filter.hpp"
#include "adapters/sqlite/operations.hpp"
#include "adapters/sqlite/queries.hpp"

#include <algorithm>
#include <unordered_map>

namespace dispatcher::sqlite {
namespace {

constexpr std::int64_t kDiscardStep = 300;  // deliveries

constexpr const char* kInsertRelease =
    "INSERT INTO releases(place, action, at_us, who, note) VALUES(?, ?, ?, ?, ?)";
constexpr const char* kFindReleases =
    "SELECT r.action, r.at_us, r.who, r.note, n.id FROM releases r LEFT JOIN endpoints n ON "
    "n.number = r.place & 1048575 WHERE r.place BETWEEN ? AND ? ORDER BY r.number";
constexpr const char* kIsRouted = "SELECT 1 FROM endpoints WHERE number = ? AND kind IN (0, 2)";
constexpr const char* kFindDiscards = "SELECT endpoint, who, note FROM discards";
constexpr const char* kFindDiscard = "SELECT who, note FROM discards WHERE endpoint = ?";
constexpr const char* kDropDiscard = "DELETE FROM discards WHERE endpoint = ?";
constexpr const char* kWaitingOf =
    "SELECT place FROM deliveries INDEXED BY deliveries_due WHERE state = 0 AND endpoint = ?";
constexpr const char* kReviewOf =
    "SELECT place FROM deliveries INDEXED BY deliveries_review_of WHERE state = 3 AND endpoint = ?";

void record(Transaction& transaction, std::int64_t seq, const DeliveryRow& row,
            ReleaseAction action, const ReleaseNote& note) {
  transaction.db.query(kInsertRelease)
      .bind(place_of(seq, row.endpoint), static_cast<int>(action), transaction.now_us, note.by,
            note.note)
      .run();
}

// The row of an event that matched no endpoint is its delivery, for consumers and for later
// endpoints, until it has one of its own. `is_routed` is asked of the row's endpoint.
template <class IsRouted>
bool is_replayable(const EventRow& event, const DeliveryRow& row, const IsRouted& is_routed) {
  if (row.state == RowState::waiting || row.state == RowState::reported) {
    return false;
  }
  if (row.endpoint != kNoEndpoint) {
    return is_routed(row.endpoint);
  }
  return std::ranges::all_of(event.deliveries, [](const DeliveryRow& other) {
    return other.endpoint == kNoEndpoint || other.state == RowState::reported;
  });
}

// Of what is not in flight.
template <class IsRouted>
bool is_releasable(const EventRow& event, const DeliveryRow& row, const DeliveryFilter& filter,
                   ReleaseAction action, const IsRouted& is_routed) {
  return filter.matches(row.endpoint, row.state, row.reason, false) &&
         (action == ReleaseAction::replay ? is_replayable(event, row, is_routed) : row.is_open());
}

// What a consumer has leased waits until that lease ends, as all of the event does.
void replay(Transaction& transaction, EventRow& event, DeliveryRow& row) {
  if (event.status != EventStatus::pending) {
    reopen(transaction, event);
  }
  start_anew(row, std::max(transaction.now_us, event.lease_until_us));
}

// Releases those of the event's deliveries that the filter asks for; answers how many.
std::int64_t release_deliveries(Transaction& transaction, EventRow& event,
                                const DeliveryFilter& filter, ReleaseAction action,
                                const ReleaseNote& note) {
  const auto is_routed = [&transaction](EndpointNumber number) {
    return transaction.state.routes.is_routed(number);
  };
  std::int64_t released = 0;
  for (DeliveryRow& row : event.deliveries) {
    if (transaction.state.claims.has({event.seq, row.endpoint}) ||
        !is_releasable(event, row, filter, action, is_routed)) {
      continue;
    }
    if (action == ReleaseAction::replay) {
      replay(transaction, event, row);
    } else {
      discard(row);
    }
    record(transaction, event.seq, row, action, note);
    ++released;
  }
  if (released > 0) {
    event.updated_us = transaction.now_us;
    event.is_changed = true;
    finish_if_done(transaction, event);
    save_event(transaction, event);
  }
  return released;
}

// The endpoints that deliveries are made for, as a reader learns them: each is looked up once.
class RoutedEndpoints {
 public:
  explicit RoutedEndpoints(Connection& db) : db_(db) {}

  bool operator()(EndpointNumber number) const {
    const auto [known, is_new] = known_.try_emplace(number, false);
    if (is_new) {
      Query found = db_.query(kIsRouted);
      found.bind(number);
      known->second = found.step();
    }
    return known->second;
  }

 private:
  Connection& db_;
  mutable std::unordered_map<EndpointNumber, bool> known_;
};

// -- what waits for an endpoint that was removed

struct Discards {
  EndpointNumber endpoint = kNoEndpoint;
  ReleaseNote note;
};

std::vector<Discards> find_discards(Connection& db) {
  std::vector<Discards> found;
  Query rows = db.query(kFindDiscards);
  while (rows.step()) {
    found.push_back({static_cast<EndpointNumber>(rows.integer(0)), {rows.text(1), rows.text(2)}});
  }
  return found;
}

struct OpenDeliveries {
  std::vector<std::int64_t> seqs;  // of those that can be discarded now
  bool has_in_flight = false;
};

void add_open(Transaction& transaction, const char* sql, EndpointNumber endpoint,
              OpenDeliveries& open) {
  Query rows = transaction.db.query(sql);
  rows.bind(endpoint);
  while (std::ssize(open.seqs) < kDiscardStep && rows.step()) {
    const std::int64_t seq = seq_at(rows.integer(0));
    if (transaction.state.claims.has({seq, endpoint})) {
      open.has_in_flight = true;
    } else {
      open.seqs.push_back(seq);
    }
  }
}

// True when there may be more to discard at once.
bool discard_some(Transaction& transaction, const Discards& discards) {
  OpenDeliveries open;
  add_open(transaction, kWaitingOf, discards.endpoint, open);
  add_open(transaction, kReviewOf, discards.endpoint, open);
  DeliveryFilter filter;
  filter.endpoint = discards.endpoint;
  for (const std::int64_t seq : open.seqs) {
    if (auto event = load_event(transaction.db, seq, discards.endpoint)) {
      (void)release_deliveries(transaction, *event, filter, ReleaseAction::discard, discards.note);
    }
  }
  if (open.seqs.empty() && !open.has_in_flight) {
    transaction.db.query(kDropDiscard).bind(discards.endpoint).run();
  }
  return std::ssize(open.seqs) == kDiscardStep;
}

}  // namespace

Result<std::int64_t> release(Transaction& transaction, const EventId& id,
                             const std::optional<std::string>& endpoint_id, ReleaseAction action,
                             const ReleaseNote& note) {
  auto event = load_event(transaction.db, id);
  if (!event) {
    return event_not_found(id);
  }
  DeliveryFilter filter;
  if (endpoint_id) {
    const KnownEndpoint* known = transaction.state.routes.find(*endpoint_id);
    const bool is_gone_for_good =
        action == ReleaseAction::replay && known != nullptr && known->kind == EndpointKind::removed;
    if (known == nullptr || is_gone_for_good || event->find(known->number) == nullptr) {
      return delivery_not_found(id);
    }
    filter.endpoint = known->number;
  }
  return release_deliveries(transaction, *event, filter, action, note);
}

Result<std::int64_t> release_events(Transaction& transaction, const EventQuery& query,
                                    const std::vector<std::int64_t>& seqs, ReleaseAction action,
                                    const ReleaseNote& note) {
  const DeliveryFilter filter = delivery_filter(transaction.db, query);
  std::int64_t released = 0;
  for (const std::int64_t seq : seqs) {
    auto event = load_event(transaction.db, seq);
    // It was found by another thread: it may have gone, or changed, since.
    if (event && (!query.status || event->status == *query.status)) {
      released += release_deliveries(transaction, *event, filter, action, note);
    }
  }
  return released;
}

Result<ReleaseStep> try_release(const Reading& reading, const EventQuery& query,
                                const ReleasePosition& from, std::size_t max_events,
                                ReleaseAction action) {
  const auto matching = find_matching(reading, query, from, max_events);
  if (!matching) {
    return matching.error();
  }
  ReleaseStep step;
  step.matched = std::ssize(matching->seqs);
  if (matching->next) {
    step.next = pack(*matching->next);
  }
  const DeliveryFilter filter = delivery_filter(reading.db, query);
  const RoutedEndpoints routed{reading.db};
  for (const std::int64_t seq : matching->seqs) {
    if (const auto event = load_event(reading.db, seq)) {
      step.released += std::ranges::count_if(event->deliveries, [&](const DeliveryRow& row) {
        return !reading.in_flight.has({seq, row.endpoint}) &&
               is_releasable(*event, row, filter, action, routed);
      });
    }
  }
  return step;
}

bool discard_removed(Transaction& transaction) {
  bool has_more = false;
  for (const Discards& discards : find_discards(transaction.db)) {
    has_more = discard_some(transaction, discards) || has_more;
  }
  return has_more;
}

void discard_for_removal(Transaction& transaction, const EventRow& event, DeliveryRow& row) {
  ReleaseNote note;
  {
    Query found = transaction.db.query(kFindDiscard);
    found.bind(row.endpoint);
    if (found.step()) {
      note = {found.text(0), found.text(1)};
    }
  }
  discard(row);
  record(transaction, event.seq, row, ReleaseAction::discard, note);
}

Result<std::vector<Release>> find_releases(const Reading& reading, const EventId& id) {
  const auto seq = find_seq(reading.db, id);
  if (!seq) {
    return event_not_found(id);
  }
  std::vector<Release> releases;
  Query rows = reading.db.query(kFindReleases);
  rows.bind(first_place(*seq), last_place(*seq));
  while (rows.step()) {
    Release& release = releases.emplace_back();
    release.action = static_cast<ReleaseAction>(rows.integer(0));
    release.at = wall_from_micros(rows.integer(1));
    release.note = {rows.text(2), rows.text(3)};
    release.endpoint_id = rows.text(4);
  }
  return releases;
}

}  // namespace dispatcher::sqlite
