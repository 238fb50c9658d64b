// What a run has taken from an inbox and not yet reported: each event's deliveries, which of them
// are due, and what became of them. No I/O and no clock.
#pragma once

#include "adapters/http_inbox/inbox_messages.hpp"
#include "base/time.hpp"
#include "model/endpoint.hpp"
#include "ports/inbox.hpp"
#include "ports/store.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

namespace dispatcher {

// The right to an event; without a token there is none to lose (an API without leases).
struct EventLease {
  std::string token;
  MonoTime until{};
};

struct TakenDelivery {
  enum class State : std::uint8_t {
    queued,     // waits for `due`
    claimed,    // an attempt is under way
    delivered,  // for good
    again,      // failed: waits for the API's schedule
    review,     // failed: waits for a person
    lost,       // the lease went to somebody else before it was tried again
  };

  EndpointNumber endpoint = kNoEndpoint;
  State state = State::queued;
  WallTime due{};
  DeliveryProgress progress;
  std::optional<ReviewReason> reason;  // of review
  std::optional<WallTime> retry_at;    // of `again` or queued, where it is not the schedule's time
  bool is_noted = false;               // delivered, and kept where the event could not be ended
};

struct TakenEvent {
  std::shared_ptr<const Event> event;
  EventLease lease;
  std::vector<TakenDelivery> deliveries;
  std::vector<Attempt> attempts;
  std::size_t claims = 0;  // not settled yet: what came of one may be known here alone
  bool is_renewing = false;
  bool is_acknowledged = false;

  [[nodiscard]] bool is_delivered() const;  // every delivery
  [[nodiscard]] bool is_open() const;       // one is queued or claimed
  [[nodiscard]] bool is_lost() const;
  // It has one for each endpoint.
  [[nodiscard]] TakenDelivery& delivery_of(EndpointNumber endpoint);
};

// What becomes of a delivery that is to be tried again within seconds.
enum class ShortWaits : std::uint8_t {
  kept,  // queued here
  left,  // for a later run
};

class TakenEvents {
 public:
  // `least_lease`: a delivery is handed out only under a lease that lasts so much longer.
  explicit TakenEvents(std::span<const Endpoint> endpoints, ShortWaits waits = ShortWaits::kept,
                       MonoTime::duration least_lease = {});

  // One delivery for each endpoint, but for those that `known` says are delivered, rejected or due
  // later, due at `now`. Returns how many there are; none when all are delivered already, or when
  // the event is held: then it has another lease now.
  std::size_t add(const InboxEvent& event, EventLease lease,
                  const std::vector<KnownDelivery>& known, WallTime now);

  // Claims the endpoint's delivery that is due first, if one is due at `now` under a lease that
  // covers it.
  [[nodiscard]] std::optional<ClaimedDelivery> claim(EndpointNumber endpoint, WallTime now,
                                                     MonoTime mono_now);
  // The same for all that is requested, until there are `max_bytes` of payloads, one delivery at
  // least.
  void hand_out(const std::vector<ClaimRequest>& requests, std::size_t max_bytes, WallTime now,
                MonoTime mono_now, std::vector<ClaimedDelivery>& deliveries);
  [[nodiscard]] std::optional<WallTime> next_due(EndpointNumber endpoint) const;
  // Whether something is due for one of the endpoints named.
  [[nodiscard]] bool has_due(const std::vector<ClaimRequest>& requests, WallTime now) const;

  // Null when there is no such claim, or it has been dropped.
  [[nodiscard]] TakenEvent* find(ClaimToken token);

  // Records what an attempt meant; saying it again changes nothing. When the delivery is kept, to
  // be claimed again after `requeue`, the time is returned.
  std::optional<WallTime> record(const Settlement& settlement, WallTime now);
  // Ends a claim that is recorded: what is kept can be claimed again.
  void requeue(ClaimToken token);
  // Ends it otherwise: what was kept is somebody else's by now.
  void lose_claim(ClaimToken token);

  // Puts a claim that was not attempted back. True when nothing of the event was attempted or is
  // under way: then it can be given back as a whole.
  bool put_back(ClaimToken token);

  // The claim is not needed any more.
  void drop_claim(ClaimToken token);
  // Forgets the event and its queued deliveries.
  void erase(const EventId& id);

  // Held events whose lease does not last: for a delivery that is due, `margin` from now; for one
  // that waits, until then and a moment more.
  [[nodiscard]] std::vector<TakenEvent*> expiring(WallTime now, MonoTime mono_now,
                                                  MonoTime::duration margin);
  // The lease is somebody else's: what is queued is not delivered. The event goes, unless a claim
  // is not settled yet.
  void lose(const EventId& id);

  [[nodiscard]] bool empty() const { return events_.empty(); }
  [[nodiscard]] std::size_t size() const { return events_.size(); }
  // How many deliveries are claimed and not yet settled.
  [[nodiscard]] std::size_t claimed() const { return claims_.size(); }
  [[nodiscard]] std::vector<EventId> ids() const;
  [[nodiscard]] TakenEvent* find(const EventId& id);

  // What the API is told of an event that is not delivered everywhere.
  [[nodiscard]] NackRequest report(const TakenEvent& taken, WallTime now) const;

 private:
  // Due time, order of arrival, event.
  using Queue = std::set<std::tuple<WallTime, std::uint64_t, EventId>>;

  struct Claim {
    EventId event;
    std::size_t index = 0;  // of its delivery
    bool is_recorded = false;
    std::optional<WallTime> kept_until;  // once recorded
  };

  void enqueue(const TakenEvent& taken, TakenDelivery& delivery);
  void unqueue(const EventId& id);

  std::map<EndpointNumber, Endpoint> endpoints_;
  ShortWaits waits_;
  MonoTime::duration least_lease_;
  std::unordered_map<EventId, TakenEvent> events_;
  std::unordered_map<EndpointNumber, Queue> queues_;
  std::unordered_map<std::uint64_t, Claim> claims_;
  std::uint64_t last_token_ = 0;
  std::uint64_t last_arrival_ = 0;
};

}  // namespace dispatcher
