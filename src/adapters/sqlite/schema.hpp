// The tables of the store, and how an older file is brought up to date.
#pragma once

#include "adapters/sqlite/connection.hpp"

namespace dispatcher::sqlite {

// `EvDs`: says in the file's header whose it is (sqlite.org/fileformat2.html, section 1.3.15).
inline constexpr int kApplicationId = 0x45764473;

// The version that this program writes.
inline constexpr int kSchemaVersion = 3;
// The first; what is copied whole may have any version from it on.
inline constexpr int kFirstSchemaVersion = 1;

// Creates the tables in an empty file, or takes the steps from its version to ours, each in a
// transaction of its own. `refused`: another program's file, or one that a newer version wrote.
[[nodiscard]] Result<void> prepare_schema(Connection& connection);

// The same refusals, changing nothing; an empty file, or one older than `oldest`, is refused too.
[[nodiscard]] Result<void> require_schema(Connection& connection, int oldest = kSchemaVersion);

// A delivery's key: the event's number, then the endpoint's in the lower bits. All deliveries of an
// event lie together, in the order of their endpoints.
inline constexpr int kEndpointBits = 20;
inline constexpr std::int64_t kMaxEndpointNumber = (std::int64_t{1} << kEndpointBits) - 1;
[[nodiscard]] constexpr std::int64_t first_place(std::int64_t seq) {
  return seq << kEndpointBits;
}
[[nodiscard]] constexpr std::int64_t last_place(std::int64_t seq) {
  return first_place(seq) | kMaxEndpointNumber;
}
[[nodiscard]] constexpr std::int64_t place_of(std::int64_t seq, std::uint32_t endpoint) {
  return first_place(seq) | endpoint;
}
[[nodiscard]] constexpr std::int64_t seq_at(std::int64_t place) {
  return place >> kEndpointBits;
}

// Values of `deliveries.state`. What is in flight is not in the file: the engine's claims are in
// memory.
enum class RowState : int {
  waiting = 0,
  delivered = 2,
  review = 3,
  discarded = 4,
  // What a consumer reported of an endpoint of its own: a record, which holds the event open
  // no longer than its other rows do.
  reported = 5,
};

// Values of `endpoints.kind`.
enum class EndpointKind : int {
  secret = 0,    // its URL is in the secret
  consumer = 1,  // a consumer named it: only its reports are kept
  api = 2,
  removed = 3,  // was `api`: its deliveries show its name
};

}  // namespace dispatcher::sqlite
