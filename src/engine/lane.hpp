// One endpoint's share of the work: its free slots, and when its next delivery is due.
#pragma once

#include "base/time.hpp"
#include "model/endpoint.hpp"
#include "ports/inbox.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

namespace dispatcher {

struct Lane {
  std::shared_ptr<const Endpoint> endpoint;
  std::size_t in_flight = 0;  // slots taken: claimed, and not yet recorded
  // When the next unclaimed delivery is due, as far as we know; empty: none waits.
  std::optional<WallTime> next_due;
  // The earliest hint that came while a claim was under way: the claim may not have seen it.
  std::optional<WallTime> hinted;
  // What a 429's Retry-After asked for.
  WallTime paused_until{};

  [[nodiscard]] std::size_t free_slots() const {
    const auto limit = static_cast<std::size_t>(endpoint->concurrency);
    return in_flight < limit ? limit - in_flight : 0;
  }

  // When this lane may claim next; empty: not until a hint comes.
  [[nodiscard]] std::optional<WallTime> ready_at() const {
    if (!next_due || endpoint->state != EndpointState::active) {
      return std::nullopt;
    }
    return std::max(*next_due, paused_until);
  }

  void hint(WallTime due) {
    next_due = next_due ? std::min(*next_due, due) : due;
    hinted = hinted ? std::min(*hinted, due) : due;
  }
};

// The lanes of an engine, and whose turn it is among them.
class Lanes {
 public:
  // Lanes that are new are taken to have something due: the first claim finds out. Lanes that left
  // end when nothing of theirs is in flight.
  void set_endpoints(const std::vector<Endpoint>& endpoints);

  [[nodiscard]] Lane* find(EndpointNumber number);

  // Who may claim how much at `now`, at most `budget` in all: every lane that is ready gets an even
  // share of the budget within its free slots; where it does not suffice for all, the turn goes on
  // from where it ended the last time.
  template <class MayStart>
  [[nodiscard]] std::vector<ClaimRequest> share_out(WallTime now, std::size_t budget,
                                                    MayStart may_start) {
    return share_out_among(ready_lanes(now, may_start), budget);
  }

  // The earliest time at which one of the lanes for which `counts` holds may claim. Empty: none
  // will before a hint comes.
  template <class Counts>
  [[nodiscard]] std::optional<WallTime> next_ready(Counts counts) const {
    std::optional<WallTime> next;
    for (const auto& lane : lanes_) {
      const auto at = lane->ready_at();
      if (at && (!next || *at < *next) && counts(*lane)) {
        next = at;
      }
    }
    return next;
  }

  void note_claimed(std::span<const LaneDue> answers);

 private:
  // From the lane whose turn it is on.
  template <class MayStart>
  [[nodiscard]] std::vector<Lane*> ready_lanes(WallTime now, MayStart may_start) {
    std::vector<Lane*> ready;
    for (std::size_t i = 0; i < lanes_.size(); ++i) {
      Lane& lane = *lanes_[(turn_ + i) % lanes_.size()];
      const auto at = lane.ready_at();
      if (at && *at <= now && lane.free_slots() > 0 && may_start(lane)) {
        ready.push_back(&lane);
      }
    }
    return ready;
  }
  [[nodiscard]] std::vector<ClaimRequest> share_out_among(const std::vector<Lane*>& ready,
                                                          std::size_t budget);

  // In the order of their turns; stable, since deliveries in flight hold pointers to lanes.
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::unordered_map<EndpointNumber, Lane*> by_number_;
  std::size_t turn_ = 0;
};

}  // namespace dispatcher
