// The API's endpoints: made, changed, removed, and disabled by what they answer.
#include "adapters/sqlite/operations.hpp"

#include <fmt/format.h>

namespace dispatcher::sqlite {
namespace {

constexpr const char* kSaveContent =
    "UPDATE endpoints SET settings = ?, sealed = ? WHERE number = ?";
constexpr const char* kWaits =
    "SELECT 1 FROM deliveries INDEXED BY deliveries_due WHERE state = 0 AND endpoint = ? LIMIT 1";
constexpr const char* kIsInReview =
    "SELECT 1 FROM deliveries INDEXED BY deliveries_review_of WHERE state = 3 AND endpoint = ? "
    "LIMIT 1";
constexpr const char* kSaveDiscard = "INSERT INTO discards(endpoint, who, note) VALUES(?, ?, ?)";

Error endpoint_not_found(const std::string& id) {
  return make_error(ErrorKind::not_found, fmt::format("endpoint {} is not in the store", id));
}

void save_whole(Transaction& transaction, KnownEndpoint& known, const std::string& settings,
                const std::string& sealed) {
  save_endpoint(transaction.db, known, transaction.now_us);
  save_filter(transaction.db, known);
  transaction.db.query(kSaveContent).bind(settings, sealed, known.number).run();
  transaction.state.routes.note_change();
}

bool has_row(Connection& db, const char* sql, EndpointNumber endpoint) {
  Query found = db.query(sql);
  found.bind(endpoint);
  return found.step();
}

bool has_open(Connection& db, EndpointNumber endpoint) {
  return has_row(db, kWaits, endpoint) || has_row(db, kIsInReview, endpoint);
}

}  // namespace

Error no_number_left() {
  return make_error(ErrorKind::refused,
                    "this store has numbered all the endpoints that it can in its life, removed "
                    "ones among them (change one that there is, or use another data directory)");
}

Result<EndpointRecord> create_endpoint(Transaction& transaction, const EndpointRecord& record,
                                       EndpointStart start) {
  Routes& routes = transaction.state.routes;
  if (routes.find(record.id) != nullptr) {
    return make_error(ErrorKind::conflict,
                      fmt::format("there is, or was, an endpoint {} already", record.id));
  }
  if (routes.count(EndpointKind::secret) + routes.count(EndpointKind::api) >= kMaxEndpoints) {
    return make_error(
        ErrorKind::refused,
        fmt::format("there are {} endpoints, which is the limit (remove one)", kMaxEndpoints));
  }
  if (routes.is_full()) {
    return no_number_left();
  }
  KnownEndpoint fresh;
  fresh.id = record.id;
  fresh.kind = EndpointKind::api;
  fresh.state = record.state;
  fresh.reason = record.state_reason;
  fresh.target = record.target;
  fresh.filter = record.filter;
  if (start == EndpointStart::pending) {
    fresh.backlog_from = 1;
    fresh.backlog_to = transaction.state.next_seq - 1;
  }
  KnownEndpoint& known = routes.add(std::move(fresh));
  save_whole(transaction, known, record.settings, record.sealed);
  return find_endpoint(transaction.db, known.number);
}

Result<EndpointRecord> save_endpoint(Transaction& transaction, const EndpointRecord& record) {
  KnownEndpoint* known = transaction.state.routes.find(record.id);
  if (known == nullptr || !known->is_routed()) {
    return endpoint_not_found(record.id);
  }
  if (known->revision != record.revision) {
    return make_error(ErrorKind::conflict,
                      fmt::format("endpoint {} was changed meanwhile (read it again)", record.id));
  }
  // Whoever saves one that is gone as it was shown has not made it what it is.
  if (!known->is_gone || record.state != EndpointState::disabled) {
    known->state = record.state;
    known->reason = record.state_reason;
  }
  known->target = record.target;
  known->filter = record.filter;
  save_whole(transaction, *known, record.settings, record.sealed);
  return find_endpoint(transaction.db, known->number);
}

Result<void> remove_endpoint(Transaction& transaction, const std::string& id, bool discards_waiting,
                             const ReleaseNote& note) {
  KnownEndpoint* known = transaction.state.routes.find(id);
  if (known == nullptr || !known->is_routed()) {
    return endpoint_not_found(id);
  }
  if (known->kind == EndpointKind::secret) {
    return make_error(ErrorKind::refused,
                      fmt::format("endpoint {} is the secret's: take its URL out there", id));
  }
  const bool has_to_discard = has_open(transaction.db, known->number);
  if (has_to_discard && !discards_waiting) {
    return make_error(ErrorKind::conflict,
                      fmt::format("deliveries wait or are in review for endpoint {}", id));
  }
  if (has_to_discard) {
    transaction.db.query(kSaveDiscard).bind(known->number, note.by, note.note).run();
  }
  known->kind = EndpointKind::removed;
  known->state = EndpointState::disabled;
  known->reason.reset();
  known->target.clear();
  known->filter = EventFilter{{}, {}};
  known->backlog_from.reset();
  save_whole(transaction, *known, {}, {});
  return {};
}

std::int64_t disable_endpoint(Transaction& transaction, EndpointNumber number,
                              const std::string& reason) {
  KnownEndpoint* known = transaction.state.routes.find(number);
  if (known == nullptr || known->kind != EndpointKind::api) {
    return 0;
  }
  if (known->state == EndpointState::disabled) {
    return known->revision;
  }
  known->state = EndpointState::disabled;
  known->reason = reason;
  save_endpoint(transaction.db, *known, transaction.now_us);
  transaction.state.routes.note_change();
  return known->revision;
}

}  // namespace dispatcher::sqlite
