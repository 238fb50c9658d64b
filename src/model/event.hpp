// What was ingested, and how `GET /inbox` shows it.
#pragma once

#include "base/ids.hpp"
#include "base/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace dispatcher {

enum class EventStatus : std::uint8_t { pending = 0, delivered = 1, failed = 2 };

[[nodiscard]] std::string_view to_string(EventStatus status);
[[nodiscard]] std::optional<EventStatus> parse_event_status(std::string_view text);

// An event's content: fixed at ingest.
struct Event {
  EventId id;
  std::string type;
  std::string source;
  std::string payload;  // the raw JSON text of an object, byte for byte as ingested
  WallTime created_at{};
};

// What became of it so far: with several endpoints the sum, the latest, the slowest, the latest.
struct EventProgress {
  EventStatus status = EventStatus::pending;
  WallTime updated_at{};
  std::int64_t delivery_attempts = 0;
  std::optional<WallTime> last_delivery_attempt;
  std::optional<std::int64_t> delivery_latency_ms;  // from ingest to delivery
  std::optional<std::string> error_message;
};

// Appends the object of `GET /inbox`; fields in the order of the wire contract.
void append_event_json(std::string& out, const Event& event, const EventProgress& progress);

// The same object as it was at ingest: pending, nothing attempted.
[[nodiscard]] EventProgress progress_at_ingest(const Event& event);

}  // namespace dispatcher
