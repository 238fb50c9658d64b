// Where the engine's work comes from and where its results go: our own store, or a Triggers API
// over HTTP.
#pragma once

#include "base/ids.hpp"
#include "base/result.hpp"
#include "model/delivery.hpp"
#include "model/endpoint.hpp"
#include "model/event.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace dispatcher {

// Names one claim. Whoever settles must say it; there is no settling without one.
struct ClaimToken {
  std::uint64_t value = 0;
  friend bool operator==(const ClaimToken&, const ClaimToken&) = default;
};

struct ClaimRequest {
  EndpointNumber endpoint = kNoEndpoint;
  std::size_t max = 0;  // no more than the endpoint's free slots
};

struct ClaimedDelivery {
  std::shared_ptr<const Event> event;  // shared by the deliveries of one event
  EndpointNumber endpoint = kNoEndpoint;
  ClaimToken token;
  DeliveryProgress progress;
};

struct LaneDue {
  EndpointNumber endpoint = kNoEndpoint;
  // When the endpoint's next unclaimed delivery is due; may be past. Empty: none waits.
  std::optional<WallTime> next_due;
};

struct ClaimAnswer {
  std::vector<ClaimedDelivery> deliveries;
  std::vector<LaneDue> lanes;  // one for each request, in its order
};

// One attempt and what it means, recorded in one durable write.
struct Settlement {
  ClaimToken token;
  EventId event_id;
  EndpointNumber endpoint = kNoEndpoint;
  Attempt attempt;
  Decision decision;
  // How many deliveries to the same endpoint to claim in the same commit: for the slot that is free
  // with it. None when the settlement's answer is an error or the endpoint is not active; an inbox
  // that has no such commit claims none.
  std::size_t claim_next = 0;
  // Why the endpoint is disabled by what was answered (410), in the same commit. Empty: it is not.
  // Ignored for one that the secret configures. Done even where the answer is `conflict` or
  // `not_found`: it is about the endpoint, whatever became of the delivery.
  std::string disables_endpoint;
};

struct SettleAnswer {
  std::vector<ClaimedDelivery> next;  // at most `claim_next`
  // What a claim would say of the endpoint. Empty: nothing was claimed, and nothing was looked at.
  std::optional<LaneDue> lane;
  // Of the endpoint's record since it is disabled; 0 where the settlement did not ask for that.
  std::int64_t disabled_in = 0;
};

class Inbox {
 public:
  virtual ~Inbox() = default;

  // Oldest due first, at most `max` for each endpoint named and `max_bytes` of payloads in all (but
  // at least one delivery, if any is due). What is claimed is nobody else's until it is settled,
  // given back, or its claimer has died.
  [[nodiscard]] virtual boost::asio::awaitable<Result<ClaimAnswer>> claim(
      std::vector<ClaimRequest> requests, std::size_t max_bytes) = 0;

  // Durable when it returns. A success is recorded whenever the delivery is not settled yet;
  // anything else only under a token that still holds (else `conflict`: then nothing changed but
  // the attempt's record). An event deleted meanwhile: `not_found`, and nothing revives it.
  [[nodiscard]] virtual boost::asio::awaitable<Result<SettleAnswer>> settle(
      Settlement settlement) = 0;

  // Gives claims back that were not attempted: due as before, nothing counted.
  [[nodiscard]] virtual boost::asio::awaitable<Result<void>> give_back(
      std::vector<ClaimToken> tokens) = 0;

  // `hint` is called, from any thread, after something durable made deliveries of these endpoints
  // due sooner than `claim` last said. One listener; set before the first claim.
  using DueHint = std::function<void(std::span<const LaneDue> lanes)>;
  virtual void on_due(DueHint hint) = 0;
};

}  // namespace dispatcher
