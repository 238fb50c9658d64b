// The lanes of an engine, and whose turn it is among them. What a step costs grows with the lanes
// that have something to do, not with their number: those that may claim stand in a queue, those
// that may later in the order of their time, and the rest nowhere.
#pragma once

#include "engine/lane.hpp"
#include "engine/pass_limit.hpp"
#include "ports/inbox.hpp"

#include <boost/intrusive/list.hpp>

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

  // Who claims how much at `now`, at most `budget` in all: the lanes whose turn it is each get an
  // even share of the budget within what they may begin, at least one; a lane that has had its
  // share is the last in the queue. What a pass has no time for any more is left out. Each claim
  // ends with `end_claim` and, once what came of it has begun, `refresh`.
  [[nodiscard]] std::vector<LaneClaim> share_out(Now now, std::size_t budget,
                                                 const PassLimit& limit);
  // Null when the claim failed.
  void end_claim(const LaneClaim& claim, const LaneDue* said);

  // A lane's state changed: it finds its place among the others, or ends.
  void refresh(Lane& lane, Now now);

  // True when a lane other than this one may claim at `now`.
  [[nodiscard]] bool has_ready_besides(const Lane& lane, Now now);

  // When the first of the lanes for which the pass has time may claim: `now` or later. Empty: none
  // will before something happens to it. `counts_probes`: an open breaker's next probe counts too.
  [[nodiscard]] std::optional<MonoTime> next_ready(Now now, const PassLimit& limit,
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

  std::unordered_map<EndpointNumber, std::unique_ptr<Lane>> lanes_;
  boost::intrusive::list<Lane> ready_;
  ByWall due_;
  ByMono held_;
  ByMono probing_;
  std::uint64_t sets_ = 0;
  std::int64_t rate_waits_ = 0;
};

}  // namespace dispatcher
