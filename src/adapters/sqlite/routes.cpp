#include "adapters/sqlite/routes.hpp"

#include <algorithm>

namespace dispatcher::sqlite {
namespace {

// Names that consumers give are outside input: past this number they all count as one.
constexpr std::size_t kMaxNames = 10'000;
constexpr std::string_view kOthers = "others";

constexpr const char* kLoadEndpoints =
    "SELECT number, id, kind, state, url_hash, backlog_from, backlog_to FROM endpoints "
    "ORDER BY number";
constexpr const char* kLoadFilters = "SELECT endpoint, is_source, pattern FROM endpoint_filters";
constexpr const char* kSaveEndpoint =
    "INSERT INTO endpoints(number, id, kind, state, url_hash, created_us, backlog_from, "
    "backlog_to) VALUES(?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT(number) DO UPDATE SET "
    "kind = excluded.kind, state = excluded.state, url_hash = excluded.url_hash, "
    "backlog_from = excluded.backlog_from, backlog_to = excluded.backlog_to";
constexpr const char* kDropFilters = "DELETE FROM endpoint_filters WHERE endpoint = ?";
constexpr const char* kSaveFilter =
    "INSERT OR IGNORE INTO endpoint_filters(endpoint, is_source, pattern) VALUES(?, ?, ?)";

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

}  // namespace

KnownEndpoint* Routes::find(EndpointNumber number) {
  const auto found = std::ranges::lower_bound(endpoints, number, {}, &KnownEndpoint::number);
  return found != endpoints.end() && found->number == number ? &*found : nullptr;
}

KnownEndpoint* Routes::find(std::string_view id) {
  const auto found = std::ranges::find(endpoints, id, &KnownEndpoint::id);
  return found == endpoints.end() ? nullptr : &*found;
}

EndpointNumber Routes::next_number() const {
  return endpoints.empty() ? kNoEndpoint + 1 : endpoints.back().number + 1;
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
      endpoint.filter = EventFilter{{}, {}};
      routes.endpoints.push_back(std::move(endpoint));
    }
  }
  load_filters(db, routes);
  return routes;
}

void save_endpoint(Connection& db, const KnownEndpoint& endpoint, std::int64_t now_us) {
  std::optional<std::span<const std::uint8_t>> hash;
  if (endpoint.url_hash) {
    hash = std::span{*endpoint.url_hash};
  }
  db.query(kSaveEndpoint)
      .bind(endpoint.number, endpoint.id, static_cast<int>(endpoint.kind),
            static_cast<int>(endpoint.state), hash, now_us, endpoint.backlog_from,
            endpoint.backlog_to)
      .run();
  db.query(kDropFilters).bind(endpoint.number).run();
  for (const std::string& type : endpoint.filter.types) {
    db.query(kSaveFilter).bind(endpoint.number, 0, type).run();
  }
  for (const std::string& source : endpoint.filter.sources) {
    db.query(kSaveFilter).bind(endpoint.number, 1, source).run();
  }
}

EndpointNumber number_for_consumer(Connection& db, Routes& routes, std::string_view id,
                                   std::int64_t now_us) {
  if (const KnownEndpoint* known = routes.find(id)) {
    return known->number;
  }
  if (routes.endpoints.size() >= kMaxNames && id != kOthers) {
    return number_for_consumer(db, routes, kOthers, now_us);
  }
  KnownEndpoint endpoint;
  endpoint.number = routes.next_number();
  endpoint.id = id;
  endpoint.kind = EndpointKind::consumer;
  endpoint.filter = EventFilter{{}, {}};
  save_endpoint(db, endpoint, now_us);
  routes.endpoints.push_back(endpoint);
  return endpoint.number;
}

}  // namespace dispatcher::sqlite
