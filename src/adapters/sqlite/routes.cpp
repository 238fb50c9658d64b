#include "adapters/sqlite/routes.hpp"

#include "base/check.hpp"

#include <algorithm>
#include <span>

namespace dispatcher::sqlite {
namespace {

// Names that consumers give are outside input: past this number they all count as one.
constexpr std::size_t kMaxNames = 10'000;
constexpr const char* kOthers = "others";
// Kept back for those names.
constexpr std::int64_t kLastNumberGiven = kMaxEndpointNumber - 2 * std::int64_t{kMaxNames};

constexpr const char* kLoadEndpoints =
    "SELECT number, id, kind, state, url_hash, backlog_from, backlog_to, is_gone, reason, target, "
    "revision, review_from, review_to FROM endpoints ORDER BY number";
constexpr const char* kLoadFilters =
    "SELECT endpoint, is_source, pattern FROM endpoint_patterns ORDER BY endpoint, is_source, "
    "position";
constexpr const char* kSaveEndpoint =
    "INSERT INTO endpoints(number, id, kind, state, url_hash, created_us, backlog_from, "
    "backlog_to, is_gone, reason, target, revision, updated_us) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, "
    "?8, ?9, ?10, ?11, ?12, ?6) ON CONFLICT(number) DO UPDATE SET kind = ?3, state = ?4, "
    "url_hash = ?5, backlog_from = ?7, backlog_to = ?8, is_gone = ?9, reason = ?10, target = ?11, "
    "revision = ?12, updated_us = ?6";
constexpr const char* kSaveBacklog = "UPDATE endpoints SET backlog_from = ? WHERE number = ?";
constexpr const char* kSaveReview =
    "UPDATE endpoints SET review_from = ?, review_to = ? WHERE number = ?";
constexpr const char* kDropFilters = "DELETE FROM endpoint_patterns WHERE endpoint = ?";
constexpr const char* kSaveFilter =
    "INSERT INTO endpoint_patterns(endpoint, is_source, position, pattern) VALUES(?, ?, ?, ?)";

std::optional<Sha256Digest> digest_of(std::string_view bytes) {
  Sha256Digest digest{};
  if (bytes.size() != digest.size()) {
    return std::nullopt;
  }
  std::copy(bytes.begin(), bytes.end(), digest.begin());
  return digest;
}

void load_filters(Connection& db, Routes& routes) {
  Query rows = db.query(kLoadFilters);
  while (rows.step()) {
    KnownEndpoint* endpoint = routes.find(static_cast<EndpointNumber>(rows.integer(0)));
    if (endpoint != nullptr) {
      auto& patterns = rows.integer(1) != 0 ? endpoint->filter.sources : endpoint->filter.types;
      patterns.push_back(rows.text(2));
    }
  }
}

void save_patterns(Connection& db, EndpointNumber endpoint, int is_source,
                   const std::vector<std::string>& patterns) {
  int position = 0;
  for (const std::string& pattern : patterns) {
    db.query(kSaveFilter).bind(endpoint, is_source, ++position, pattern).run();
  }
}

bool are_exact(const std::vector<std::string>& patterns) {
  return std::ranges::none_of(patterns,
                              [](const std::string& pattern) { return pattern.ends_with('*'); });
}

using Index = std::unordered_map<std::string, std::vector<const KnownEndpoint*>>;

void enter(Index& index, const std::vector<std::string>& names, const KnownEndpoint& endpoint) {
  for (const std::string& name : names) {
    auto& entered = index[name];
    if (entered.empty() || entered.back() != &endpoint) {  // a name may be there twice
      entered.push_back(&endpoint);
    }
  }
}

}  // namespace

KnownEndpoint* Routes::find(EndpointNumber number) {
  const auto found = std::ranges::lower_bound(endpoints_, number, {}, &KnownEndpoint::number);
  return found != endpoints_.end() && found->number == number ? &*found : nullptr;
}

KnownEndpoint* Routes::find(const std::string& id) {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : found->second;
}

std::size_t Routes::count(EndpointKind kind) const {
  return static_cast<std::size_t>(std::ranges::count(endpoints_, kind, &KnownEndpoint::kind));
}

bool Routes::is_full() const {
  return !endpoints_.empty() && endpoints_.back().number >= kLastNumberGiven;
}

KnownEndpoint& Routes::add(KnownEndpoint endpoint) {
  endpoint.number = endpoints_.empty() ? kNoEndpoint + 1 : endpoints_.back().number + 1;
  DISPATCHER_CHECK(endpoint.number <= kMaxEndpointNumber);
  restore(std::move(endpoint));
  return endpoints_.back();
}

void Routes::restore(KnownEndpoint endpoint) {
  KnownEndpoint& added = endpoints_.emplace_back(std::move(endpoint));
  by_id_.emplace(added.id, &added);
  note_change();
}

const std::vector<EndpointNumber>& Routes::takers(const std::string& type,
                                                  const std::string& source) {
  if (!is_indexed_) {
    build_index();
  }
  takers_.clear();
  const auto take = [&](const Endpoints& candidates) {
    for (const KnownEndpoint* endpoint : candidates) {
      if (endpoint->filter.matches(type, source)) {
        takers_.push_back(endpoint->number);
      }
    }
  };
  if (const auto named = by_type_.find(type); named != by_type_.end()) {
    take(named->second);
  }
  if (const auto named = by_source_.find(source); named != by_source_.end()) {
    take(named->second);
  }
  take(others_);
  std::ranges::sort(takers_);
  return takers_;
}

void Routes::build_index() {
  by_type_.clear();
  by_source_.clear();
  others_.clear();
  for (const KnownEndpoint& endpoint : endpoints_) {
    if (!endpoint.takes_new()) {
      continue;
    }
    if (are_exact(endpoint.filter.types)) {
      enter(by_type_, endpoint.filter.types, endpoint);
    } else if (are_exact(endpoint.filter.sources)) {
      enter(by_source_, endpoint.filter.sources, endpoint);
    } else {
      others_.push_back(&endpoint);
    }
  }
  is_indexed_ = true;
}

Routes load_routes(Connection& db) {
  Routes routes;
  {
    Query rows = db.query(kLoadEndpoints);
    while (rows.step()) {
      KnownEndpoint endpoint;
      endpoint.number = static_cast<EndpointNumber>(rows.integer(0));
      endpoint.id = rows.text(1);
      endpoint.kind = static_cast<EndpointKind>(rows.integer(2));
      endpoint.state = static_cast<EndpointState>(rows.integer(3));
      endpoint.url_hash = digest_of(rows.bytes(4));
      endpoint.backlog_from = rows.optional_integer(5);
      endpoint.backlog_to = rows.integer(6);
      endpoint.is_gone = rows.integer(7) != 0;
      endpoint.reason = rows.optional_text(8);
      endpoint.target = rows.text(9);
      endpoint.revision = rows.integer(10);
      endpoint.review_from = rows.optional_integer(11);
      endpoint.review_to = rows.integer(12);
      endpoint.filter = EventFilter{{}, {}};
      routes.restore(std::move(endpoint));
    }
  }
  load_filters(db, routes);
  return routes;
}

void save_endpoint(Connection& db, KnownEndpoint& endpoint, std::int64_t now_us) {
  std::optional<std::span<const std::uint8_t>> hash;
  if (endpoint.url_hash) {
    hash = std::span{*endpoint.url_hash};
  }
  ++endpoint.revision;
  db.query(kSaveEndpoint)
      .bind(endpoint.number, endpoint.id, static_cast<int>(endpoint.kind),
            static_cast<int>(endpoint.state), hash, now_us, endpoint.backlog_from,
            endpoint.backlog_to, endpoint.is_gone ? 1 : 0, endpoint.reason, endpoint.target,
            endpoint.revision)
      .run();
}

void save_filter(Connection& db, const KnownEndpoint& endpoint) {
  db.query(kDropFilters).bind(endpoint.number).run();
  save_patterns(db, endpoint.number, 0, endpoint.filter.types);
  save_patterns(db, endpoint.number, 1, endpoint.filter.sources);
}

void save_backlog(Connection& db, const KnownEndpoint& endpoint) {
  db.query(kSaveBacklog).bind(endpoint.backlog_from, endpoint.number).run();
}

void save_review(Connection& db, const KnownEndpoint& endpoint) {
  db.query(kSaveReview).bind(endpoint.review_from, endpoint.review_to, endpoint.number).run();
}

EndpointNumber number_for_consumer(Connection& db, Routes& routes, const std::string& id,
                                   std::int64_t now_us) {
  if (const KnownEndpoint* known = routes.find(id)) {
    return known->number;
  }
  if (id != kOthers && routes.count(EndpointKind::consumer) >= kMaxNames) {
    return number_for_consumer(db, routes, kOthers, now_us);
  }
  KnownEndpoint named;
  named.id = id;
  named.kind = EndpointKind::consumer;
  named.filter = EventFilter{{}, {}};
  KnownEndpoint& added = routes.add(std::move(named));
  save_endpoint(db, added, now_us);
  return added.number;
}

}  // namespace dispatcher::sqlite
