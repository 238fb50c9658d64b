// The slots of an engine, and how many of them one endpoint may take: some stay free for whoever
// comes next, however long those that hold the others keep them.
#pragma once

#include <cstddef>

namespace dispatcher {

struct Slots {
  std::size_t all = 0;   // requests that may be under way, over all endpoints
  std::size_t free = 0;  // of those; at most `all`

  // How many more an endpoint may take that holds `held`, where `asking` endpoints ask at once, it
  // among them. The first it gets whenever one is free; with more it holds half of all slots while
  // as many are free, and the fewer are left the fewer. Never more for one that holds more. At
  // least one where it may have any: what several ask for at once is shared evenly within that.
  [[nodiscard]] std::size_t share(std::size_t held, std::size_t asking = 1) const;
};

}  // namespace dispatcher
