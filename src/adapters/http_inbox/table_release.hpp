// Ending review in a table: what waits for a person because of one reason is due again.
#pragma once

#include "ports/event_table.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <functional>

namespace dispatcher {

struct ReleasedEvents {
  std::int64_t count = 0;
  std::int64_t skipped = 0;  // the table takes no change of their items
  bool is_complete = true;   // nothing was left because the time was over
};

// Looks at every pending event and every failed one. `may_go_on` is asked before each page. An
// error says nothing of what had been released before.
[[nodiscard]] boost::asio::awaitable<Result<ReleasedEvents>> release_from_review(
    EventTable& table, ReviewReason reason, std::function<bool()> may_go_on);

}  // namespace dispatcher
