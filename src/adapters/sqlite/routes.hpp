// The endpoints as the writer knows them: which number belongs to which id, and which of them a new
// event goes to.
#pragma once

#include "adapters/sqlite/connection.hpp"
#include "adapters/sqlite/schema.hpp"
#include "base/bytes.hpp"
#include "model/endpoint.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dispatcher::sqlite {

struct KnownEndpoint {
  EndpointNumber number = kNoEndpoint;
  std::string id;
  EndpointKind kind = EndpointKind::secret;
  EndpointState state = EndpointState::active;
  std::optional<Sha256Digest> url_hash;
  EventFilter filter;
  // It gets the events numbered in [backlog_from, backlog_to] that matched nothing; empty: all
  // have been looked at.
  std::optional<std::int64_t> backlog_from;
  std::int64_t backlog_to = 0;

  // Deliveries are made for it: it is the engine's, whatever its state.
  [[nodiscard]] bool is_routed() const { return kind != EndpointKind::consumer; }
  // New events go to it. A paused one's wait for it.
  [[nodiscard]] bool takes_new() const { return is_routed() && state != EndpointState::disabled; }
};

struct Routes {
  std::vector<KnownEndpoint> endpoints;  // in the order of their numbers

  [[nodiscard]] KnownEndpoint* find(EndpointNumber number);
  [[nodiscard]] KnownEndpoint* find(std::string_view id);
  [[nodiscard]] EndpointNumber next_number() const;
  [[nodiscard]] bool is_routed(EndpointNumber number) {
    const KnownEndpoint* endpoint = find(number);
    return endpoint != nullptr && endpoint->is_routed();
  }
};

[[nodiscard]] Routes load_routes(Connection& db);

// Writes the row and the filter of one endpoint, new or not.
void save_endpoint(Connection& db, const KnownEndpoint& endpoint, std::int64_t now_us);

// The number of an endpoint that a consumer named; one not heard of before is registered.
[[nodiscard]] EndpointNumber number_for_consumer(Connection& db, Routes& routes,
                                                 std::string_view id, std::int64_t now_us);

}  // namespace dispatcher::sqlite
