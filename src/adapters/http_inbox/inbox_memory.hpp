// What a process remembers, from one run to the next, of what an inbox does not keep: what was
// delivered, what was rejected, what failed when, and what has just been acknowledged. No I/O and
// no clock.
#pragma once

#include "adapters/http_inbox/inbox_messages.hpp"
#include "base/ids.hpp"
#include "base/time.hpp"

#include <chrono>
#include <cstddef>
#include <list>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace dispatcher {

class InboxMemory {
 public:
  // About 200 bytes each. Such an inbox shows 100 events at a time; the ones remembered longest go
  // first, and are tried again.
  static constexpr std::size_t kMaxEvents = 10'000;
  // How long an inbox may still show what was acknowledged: an index that lags. What it shows later
  // has been made pending again.
  static constexpr std::chrono::seconds kIndexLag{60};

  // By the id of its endpoint: a URL that changes is another endpoint, and is tried.
  void note_delivered(const EventId& event, const std::string& endpoint_id);
  void note_rejected(const EventId& event, const std::string& endpoint_id);
  void note_failed(const EventId& event, WallTime now);
  void note_acknowledged(const EventId& event, WallTime now);

  [[nodiscard]] std::vector<KnownDelivery> known(const EventId& event) const;
  // When an attempt of it failed last.
  [[nodiscard]] std::optional<WallTime> failed_at(const EventId& event) const;
  [[nodiscard]] bool is_acknowledged(const EventId& event, WallTime now);

  [[nodiscard]] std::size_t size() const { return events_.size(); }

 private:
  struct Remembered {
    EventId event;
    std::vector<KnownDelivery> deliveries;
    std::optional<WallTime> failed_at;
    std::optional<WallTime> acknowledged_at;
  };

  Remembered& place_of(const EventId& event);
  KnownDelivery& delivery_of(const EventId& event, const std::string& endpoint_id);

  std::list<Remembered> events_;  // oldest first
  std::unordered_map<EventId, std::list<Remembered>::iterator> places_;
};

}  // namespace dispatcher
