// An inbox that one run works through: what it gave, and the run's end.
#pragma once

#include "base/result.hpp"
#include "ports/inbox.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <optional>

namespace dispatcher {

struct RunStats {
  std::int64_t events = 0;        // that the inbox gave
  std::int64_t deliveries = 0;    // their event and endpoint pairs
  std::int64_t acknowledged = 0;  // events
};

// Belongs to one loop.
class RunInbox : public Inbox {
 public:
  // Nothing more is fetched.
  virtual void stop() = 0;

  // After the engine has ended: gives back what is still held.
  [[nodiscard]] virtual boost::asio::awaitable<void> finish() = 0;

  [[nodiscard]] virtual const RunStats& stats() const = 0;
  // Why nothing more could be fetched; empty when all went well.
  [[nodiscard]] virtual const std::optional<Error>& failure() const = 0;
};

}  // namespace dispatcher
