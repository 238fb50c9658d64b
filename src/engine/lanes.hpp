// The lanes of an engine, and whose turn it is among them. What a step costs grows with the lanes
// that have something to do, not with their number: those that may claim stand in a queue, those
// that may later in the order of their time, and the rest nowhere. First in the queue is who holds
// the fewest slots, and of those that hold as many, who waits longest.
#pragma once

#include "engine/lane.hpp"
#include "engine/pass_limit.hpp"
#include "model/slots.hpp"
#include "ports/inbox.hpp"

#include <map>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

namespace dispatcher {

// Several deliveries of one lane that are being claimed.
struct LaneClaim {
  ClaimRequest request;
  DueQuestion question;
};

[[nodiscard]] bool is_same_url(const WebhookUrl& left, const WebhookUrl& right);

class Lanes {
 public:
  // Costs one step for each endpoint. A lane whose endpoint stays keeps its breaker, rate, pause
  // and latency; one whose URL changed has another receiver, of which nothing is known yet but how
  // much of its rate was used. Only lanes that are new, that may claim again, or whose receiver is
  // another are taken to have something due: their first claim finds out. One that left ends when
  // nothing of its is in flight.
  void set_endpoints(std::vector<Endpoint> endpoints, Now now);

  // Null when there is no such lane (any more).
  [[nodiscard]] Lane* find(EndpointNumber number);

  // Who claims how much at `now`: the lanes whose turn it is each get their share of the slots
  // within what they may begin; a lane that has had its share is the last of those that hold as
  // many. What a pass has no time for any more is left out. Each claim ends with `end_claim` and,
  // once what came of it has begun, `refresh`.
  [[nodiscard]] std::vector<LaneClaim> share_out(Now now, Slots slots, const PassLimit& limit);
  // Null when the claim failed.
  void end_claim(const LaneClaim& claim, const LaneDue* said);

  // A lane's state changed: it finds its place among the others, or ends.
  void refresh(Lane& lane, Now now);

  // How many slots the first in the queue holds at `now`. Empty: none is in it.
  [[nodiscard]] std::optional<std::size_t> held_by_first(Now now);

  // When the first of the lanes for which the pass has time, and a share of the slots is left, may
  // claim: `now` or later. Empty: none will before something happens to it, or to the slots.
  // `counts_probes`: an open breaker's next probe counts too.
  [[nodiscard]] std::optional<MonoTime> next_ready(Now now, Slots slots, const PassLimit& limit,
                                                   bool counts_probes);

  // How often a lane that had something due had to wait for its rate.
  [[nodiscard]] std::int64_t rate_waits() const { return rate_waits_; }

  // In no order.
  template <class Visit>
  void for_each(Visit visit) const {
    for (const auto& [number, lane] : lanes_) {
      visit(*lane);
    }
  }

 private:
  // Ties go by number, so that one story is told the same way twice.
  using ByWall = std::map<std::pair<WallTime, EndpointNumber>, Lane*>;
  using ByMono = std::map<std::pair<MonoTime, EndpointNumber>, Lane*>;
  using ByTurn = std::map<std::pair<std::size_t, std::uint64_t>, Lane*>;  // slots held, turn

  void update(Lane& lane, Endpoint endpoint, Now now);
  // Moves what has become ready by time into the queue.
  void collect(Now now);
  // Where a lane belongs, by its state alone.
  struct Spot {
    LanePlace place;
    WallTime wall;
    MonoTime mono;
  };
  [[nodiscard]] static Spot spot_of(const Lane& lane, Now now);
  void put(Lane& lane, const Spot& spot);
  void take_out(Lane& lane);
  // One that is in the queue stays there, with its turn, by what it holds now.
  void keep_turn(Lane& lane);

  std::unordered_map<EndpointNumber, std::unique_ptr<Lane>> lanes_;
  ByTurn ready_;
  ByWall due_;
  ByMono held_;
  ByMono probing_;
  std::uint64_t sets_ = 0;
  std::uint64_t turns_ = 0;
  std::int64_t rate_waits_ = 0;
};

}  // namespace dispatcher
