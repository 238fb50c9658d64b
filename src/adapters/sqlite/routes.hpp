// The endpoints as the writer knows them: which number belongs to which id, and which of them a new
// event goes to.
#pragma once

#include "adapters/sqlite/connection.hpp"
#include "adapters/sqlite/schema.hpp"
#include "base/bytes.hpp"
#include "model/endpoint.hpp"

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace dispatcher::sqlite {

struct KnownEndpoint {
  EndpointNumber number = kNoEndpoint;
  std::string id;
  EndpointKind kind = EndpointKind::secret;
  // As a person made it. One that is gone is disabled, and is in this state when it comes back.
  EndpointState state = EndpointState::active;
  bool is_gone = false;  // the secret gave it once, and no longer does
  std::optional<std::string> reason;
  std::string target;
  std::optional<Sha256Digest> url_hash;
  EventFilter filter;
  std::int64_t revision = 0;
  // It gets the events numbered in [backlog_from, backlog_to] that matched nothing; empty: all
  // have been looked at.
  std::optional<std::int64_t> backlog_from;
  std::int64_t backlog_to = 0;
  // Another URL took its place: what of the events numbered in [review_from, review_to] is in
  // review is to be due again; empty: it is.
  std::optional<std::int64_t> review_from;
  std::int64_t review_to = 0;

  // Deliveries are made for it: it is the engine's, whatever its state.
  [[nodiscard]] bool is_routed() const {
    return kind == EndpointKind::secret || kind == EndpointKind::api;
  }
  [[nodiscard]] EndpointState shown_state() const {
    return is_gone ? EndpointState::disabled : state;
  }
  // New events go to it. A paused one's wait for it.
  [[nodiscard]] bool takes_new() const {
    return is_routed() && shown_state() != EndpointState::disabled;
  }
};

// Only the writer thread's. Endpoints stay where they are in memory.
class Routes {
 public:
  Routes() = default;
  Routes(Routes&&) = default;
  Routes& operator=(Routes&&) = default;

  // In the order of their numbers.
  [[nodiscard]] std::deque<KnownEndpoint>& all() { return endpoints_; }
  [[nodiscard]] const std::deque<KnownEndpoint>& all() const { return endpoints_; }
  [[nodiscard]] KnownEndpoint* find(EndpointNumber number);
  [[nodiscard]] KnownEndpoint* find(const std::string& id);
  [[nodiscard]] bool is_routed(EndpointNumber number) {
    const KnownEndpoint* endpoint = find(number);
    return endpoint != nullptr && endpoint->is_routed();
  }
  [[nodiscard]] std::size_t count(EndpointKind kind) const;

  // All numbers for persons' endpoints have been given out: none is given twice.
  [[nodiscard]] bool is_full() const;
  // Gives it the next number; when it is full, only to what a consumer names.
  KnownEndpoint& add(KnownEndpoint endpoint);
  // One that has a number, the highest so far.
  void restore(KnownEndpoint endpoint);
  // An endpoint's kind, state or filter is another: `takers` looks again.
  void note_change() { is_indexed_ = false; }

  // Those that take a new event, in the order of their numbers; valid until the next call. Costs as
  // much as there are endpoints that name the event's type or source, or neither exactly.
  [[nodiscard]] const std::vector<EndpointNumber>& takers(const std::string& type,
                                                          const std::string& source);

 private:
  using Endpoints = std::vector<const KnownEndpoint*>;
  void build_index();

  std::deque<KnownEndpoint> endpoints_;
  std::unordered_map<std::string, KnownEndpoint*> by_id_;

  // Each endpoint that takes events is in one of the three: under its types or under its sources,
  // where those have no `*`, else among the others.
  bool is_indexed_ = false;
  std::unordered_map<std::string, Endpoints> by_type_;
  std::unordered_map<std::string, Endpoints> by_source_;
  Endpoints others_;
  std::vector<EndpointNumber> takers_;
};

[[nodiscard]] Routes load_routes(Connection& db);

// Writes what is known of one endpoint, new or not, but its filter. Its revision counts on.
void save_endpoint(Connection& db, KnownEndpoint& endpoint, std::int64_t now_us);
void save_filter(Connection& db, const KnownEndpoint& endpoint);
// Its backlog alone, which is nobody's change.
void save_backlog(Connection& db, const KnownEndpoint& endpoint);
// Likewise, how far its review is released.
void save_review(Connection& db, const KnownEndpoint& endpoint);

// The number of an endpoint that a consumer named; one not heard of before is registered.
[[nodiscard]] EndpointNumber number_for_consumer(Connection& db, Routes& routes,
                                                 const std::string& id, std::int64_t now_us);

}  // namespace dispatcher::sqlite
