// One endpoint's share of the work: its slots, its rate, its breaker, and when its next delivery is
// due.
#pragma once

#include "base/time.hpp"
#include "model/breaker.hpp"
#include "model/endpoint.hpp"
#include "model/latency.hpp"
#include "model/rate.hpp"
#include "ports/inbox.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace dispatcher {

// Both clocks, read once.
struct Now {
  WallTime wall;
  MonoTime mono;
};

// Where a lane is among the others: it is in one place only, and what is in `idle` costs nothing.
enum class LanePlace : std::uint8_t {
  idle,     // nothing is due, or nothing may be: until something happens to it
  due,      // its next delivery is due later (the wall clock)
  held,     // a 429 or its rate holds it until later (the monotonic clock)
  probing,  // its breaker is open: the next probe is later (the monotonic clock)
  ready,    // it may claim, as far as it is concerned: others hold slots too
};

// A question to the inbox that is under way, and whose answer says what is due.
struct DueQuestion {
  std::uint64_t number = 0;
};

class Lane {
 public:
  std::shared_ptr<const Endpoint> endpoint;
  bool has_left = false;      // its endpoint is not there any more
  bool is_claiming = false;   // a claim for it is under way
  std::size_t in_flight = 0;  // slots taken: claimed, and not yet recorded
  // Attempts that what is being claimed may begin: their tokens are nobody else's.
  std::size_t reserved = 0;
  // When the next unclaimed delivery is due, as far as we know; empty: none waits.
  std::optional<WallTime> next_due;
  // What a 429's Retry-After asked for. Monotonic: no jump of the wall clock makes it longer.
  MonoTime paused_until{};
  // Commits under way that disable it; and the revision in which the last of them did. A set of
  // endpoints that was read before that knows nothing of it, and does not bring it back.
  int disabling = 0;
  std::int64_t disabled_in = 0;
  Breaker breaker;
  RateLimit rate;
  std::unique_ptr<LatencyHistogram> latency;  // from its first success on

  // As configured, and as what it answered leaves it.
  [[nodiscard]] bool is_active() const {
    return endpoint->state == EndpointState::active && disabling == 0 &&
           endpoint->revision >= disabled_in;
  }

  // Something became due at `due`.
  void hint(WallTime due);

  // What is asked from here on knows of all hints that came before. Answers may come in another
  // order than they were given in; a hint that comes meanwhile outlives them all.
  [[nodiscard]] DueQuestion ask();
  // Null when there was no answer: then what was known stays.
  void answer(DueQuestion question, const LaneDue* said);

  // How many attempts may begin now, as far as slots, rate, breaker, a 429 and its state say, once
  // `freed` of the slots taken are free; whether something is due is another question.
  [[nodiscard]] std::size_t may_begin(MonoTime now, std::size_t freed = 0) const;

  // Until when a 429 or its rate holds it; past when nothing does.
  [[nodiscard]] MonoTime held_until(MonoTime now) const;

  [[nodiscard]] std::size_t free_slots(std::size_t freed = 0) const {
    const auto limit = static_cast<std::size_t>(endpoint->concurrency) + freed;
    return in_flight < limit ? limit - in_flight : 0;
  }

  // Where it is; kept by Lanes.
  LanePlace place = LanePlace::idle;
  WallTime placed_at_wall{};
  MonoTime placed_at_mono{};
  std::size_t placed_holding = 0;  // slots
  std::uint64_t turn = 0;
  std::uint64_t named_in = 0;  // the last set of endpoints that named it

 private:
  // Under way: a claim, and the commits that claim; seldom more than a few at once.
  struct OpenQuestion {
    std::uint64_t number = 0;
    std::optional<WallTime> hinted;  // the earliest hint since it was asked
  };
  std::vector<OpenQuestion> questions_;
  std::uint64_t last_question_ = 0;
};

}  // namespace dispatcher
