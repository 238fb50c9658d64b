#include "adapters/http_inbox/found_events.hpp"

#include "base/check.hpp"

#include <algorithm>
#include <iterator>

namespace dispatcher {

void FoundEvents::add(FoundEvent event) {
  DISPATCHER_CHECK(!event.waits.empty());
  const auto placed = std::make_shared<Placed>(Placed{std::move(event), ++last_arrival_});
  for (const TableWait& wait : placed->event.waits) {
    queues_.at(wait.lane).emplace(Place{wait.due, placed->arrival}, placed);
  }
}

std::optional<FoundEvent> FoundEvents::take(std::span<const TableLane> asked) {
  const TableLane* least = nullptr;
  for (const TableLane& lane : asked) {
    const bool is_less = least == nullptr || served_.at(lane) < served_.at(*least);
    if (!queues_.at(lane).empty() && is_less) {
      least = &lane;
    }
  }
  if (least == nullptr) {
    return std::nullopt;
  }
  for (const TableLane& lane : asked) {
    if (queues_[lane].empty()) {  // what it lets pass is not owed to it
      served_[lane] = std::max(served_[lane], served_[*least]);
    }
  }
  const std::shared_ptr<Placed> placed = queues_[*least].begin()->second;
  for (const TableWait& wait : placed->event.waits) {
    queues_[wait.lane].erase(Place{wait.due, placed->arrival});
    ++served_[wait.lane];
  }
  return std::move(placed->event);
}

bool FoundEvents::has(std::span<const TableLane> asked) const {
  return std::any_of(asked.begin(), asked.end(),
                     [&](TableLane lane) { return !queues_.at(lane).empty(); });
}

bool FoundEvents::has(TableLane lane, WallTime due_by, std::size_t count) const {
  const Queue& queue = queues_.at(lane);
  if (queue.size() < count) {
    return false;
  }
  return count == 0 ||
         std::next(queue.begin(), static_cast<std::ptrdiff_t>(count) - 1)->first.first <= due_by;
}

}  // namespace dispatcher
