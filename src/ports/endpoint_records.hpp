// Endpoints and releases as a store keeps them.
#pragma once

#include "base/time.hpp"
#include "model/endpoint.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace dispatcher {

// Endpoints that a store holds at most, removed ones aside.
inline constexpr std::size_t kMaxEndpoints = 10'000;

// An endpoint as it is kept. What a store needs to route by is in fields of their own; the rest it
// does not look into.
struct EndpointRecord {
  EndpointNumber number = kNoEndpoint;  // the store's to give
  std::string id;
  EndpointOrigin origin = EndpointOrigin::api;
  EndpointState state = EndpointState::active;
  std::optional<std::string> state_reason;
  EventFilter filter;
  std::string target;    // `https://host`: what may be shown and logged
  std::string settings;  // JSON: what is no secret
  std::string sealed;    // encrypted: URL, headers, signing secrets
  WallTime created_at{};
  WallTime updated_at{};
  // Counts the changes: whoever saves must have read the latest.
  std::int64_t revision = 0;
};

// Kept by each commit; costs the same at a million deliveries as at ten.
struct EndpointCounts {
  EndpointNumber number = kNoEndpoint;
  // Deliveries that succeeded, a replayed one each time. What is erased since still counts.
  std::int64_t delivered = 0;
  // Attempts that failed, whatever became of the delivery; abandoned ones are neither. As above.
  std::int64_t failed = 0;
  std::int64_t waiting = 0;  // deliveries that wait or are in flight
  std::int64_t review = 0;   // deliveries
  // When the oldest event that waits for it was ingested; what a consumer has leased and nobody has
  // tried may be passed over.
  std::optional<WallTime> oldest_waiting;
  // When the first failed attempt since the last success began.
  std::optional<WallTime> failing_since;
};

// What a person does with deliveries that ended or wait for one.
enum class ReleaseAction : std::uint8_t {
  // Due now; attempts and schedule start anew, attempt numbers go on; the event is pending again.
  // One that waits or is in flight, or whose endpoint was removed, is left as it is. That of a
  // paused or disabled endpoint waits for it. One that a consumer has acknowledged waits again, and
  // so does an event that matched no endpoint. In an event that a consumer has leased it is
  // due when the lease ends.
  replay = 0,
  // For good. Only what waits or is in review, a consumer's lease or not (its acknowledgement still
  // makes the event delivered); what is in flight is left as it is. An event with nothing left open
  // is delivered, if one of its deliveries was, else failed.
  discard = 1,
};

[[nodiscard]] constexpr std::string_view to_string(ReleaseAction action) {
  return action == ReleaseAction::replay ? "replay" : "discard";
}

// Who did it, as the API knows them, and why: kept with each delivery concerned.
struct ReleaseNote {
  std::string by;
  std::string note;  // may be empty
};

struct Release {
  std::string endpoint_id;
  ReleaseAction action = ReleaseAction::replay;
  WallTime at{};
  ReleaseNote note;
};

// One short step of a release by filter.
struct ReleaseStep {
  std::int64_t matched = 0;          // events that the query matches
  std::int64_t released = 0;         // deliveries
  std::optional<std::int64_t> next;  // where the next step goes on; empty: it was the last
};

}  // namespace dispatcher
