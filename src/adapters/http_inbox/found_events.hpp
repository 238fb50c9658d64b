// Events of a table that may be tried, and for whom: of those that somebody asks for the one that
// is due first comes first, and no endpoint's events keep another's waiting. Pure.
#pragma once

#include "base/time.hpp"
#include "ports/event_table.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace dispatcher {

// What an event waits for: the place of an endpoint among those of a run, from 0 on, or their
// number: its acknowledgement.
using TableLane = std::size_t;

struct TableWait {
  TableLane lane = 0;
  WallTime due{};  // not after now

  friend bool operator==(const TableWait&, const TableWait&) = default;
};

struct FoundEvent {
  EventKey key;
  std::vector<TableWait> waits;  // empty: not known; among FoundEvents none is
  int failures = 0;              // claims of it that failed in this run
};

class FoundEvents {
 public:
  explicit FoundEvents(std::size_t lanes) : queues_(lanes), served_(lanes) {}

  void add(FoundEvent event);

  // Of the lanes that are asked for, the one for which the fewest were taken; of that, the event
  // that is due first. It is taken for all that it waits for.
  [[nodiscard]] std::optional<FoundEvent> take(std::span<const TableLane> asked);

  [[nodiscard]] bool has(std::span<const TableLane> asked) const;
  // Whether so many of a lane are due by a time.
  [[nodiscard]] bool has(TableLane lane, WallTime due_by, std::size_t count) const;

 private:
  // When it is due, and when it came.
  using Place = std::pair<WallTime, std::uint64_t>;
  struct Placed {
    FoundEvent event;
    std::uint64_t arrival = 0;
  };
  using Queue = std::map<Place, std::shared_ptr<Placed>>;

  std::vector<Queue> queues_;  // of each lane
  std::vector<std::uint64_t> served_;
  std::uint64_t last_arrival_ = 0;
};

}  // namespace dispatcher
