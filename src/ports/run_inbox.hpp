// An inbox that one run works through: what it gave, and the run's end.
#pragma once

#include "base/result.hpp"
#include "base/time.hpp"
#include "ports/event_table.hpp"
#include "ports/inbox.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

namespace dispatcher {

struct RunStats {
  std::int64_t events = 0;        // that the inbox gave
  std::int64_t deliveries = 0;    // their event and endpoint pairs
  std::int64_t acknowledged = 0;  // events
};

// What a run has seen of the whole inbox, as far as it looked.
struct InboxFigures {
  std::optional<std::int64_t> in_review;   // events; empty: the inbox does not show it
  std::optional<WallTime> oldest_pending;  // when the oldest event not in review was ingested
  std::int64_t expired = 0;                // pending events whose time was over
};

// Why nothing more could be taken.
struct RunFailure {
  std::string_view source;  // what failed: `Api`, `Table`
  Error error;
};

// Belongs to one loop.
class RunInbox : public Inbox {
 public:
  // Nothing more is fetched.
  virtual void stop() = 0;

  // After the engine has ended: gives back what is still held.
  [[nodiscard]] virtual boost::asio::awaitable<void> finish() = 0;

  [[nodiscard]] virtual const RunStats& stats() const = 0;
  [[nodiscard]] virtual InboxFigures figures() const { return {}; }

  // Of the events that it was told to take, after `finish`: those that it could not claim or
  // record.
  [[nodiscard]] virtual std::set<EventKey> unresolved() const { return {}; }

  // Empty when all went well.
  [[nodiscard]] virtual const std::optional<RunFailure>& failure() const = 0;
};

}  // namespace dispatcher
