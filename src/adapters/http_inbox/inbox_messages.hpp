// What a Triggers API's inbox says, and what is said to it. Pure.
#pragma once

#include "base/result.hpp"
#include "model/event.hpp"
#include "ports/store.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dispatcher {

struct InboxEvent {
  std::shared_ptr<const Event> event;  // its payload is the answer's own bytes
  std::int64_t delivery_attempts = 0;
};

struct InboxPage {
  std::vector<InboxEvent> events;  // in the answer's order
  std::size_t unreadable = 0;      // entries that are no event; left out
};

// The array of `GET /inbox`. `invalid` when the body is not an array.
[[nodiscard]] Result<InboxPage> parse_inbox(std::string_view body);

// What `POST /inbox/renew` answered: the ids that are leased. Empty when it cannot be read.
[[nodiscard]] std::optional<std::vector<EventId>> parse_renewed(std::string_view body);

struct KnownDelivery {
  std::string endpoint_id;
  bool is_delivered = false;
  std::int64_t attempts = 0;
  bool is_rejected = false;   // tried, and not to be tried again
  bool was_released = false;  // a person may want it to be tried again
  // Where the inbox says so: the rounds of the long schedule that ended without success, and when
  // the next one is due. What is due later is left for a later run.
  int step = 0;
  std::optional<WallTime> due{};
  int retries = 0;  // of the round under way, used up
};

// The `deliveries` of `GET /events/{id}`; empty when there are none, or it cannot be read. Review
// is rejection, unless something of the event was released: an API may show an endpoint's review
// on.
[[nodiscard]] std::vector<KnownDelivery> parse_deliveries(std::string_view body);

// The body of `POST /inbox/renew`.
[[nodiscard]] std::string renew_json(const std::vector<EventId>& ids, std::int64_t lease_seconds);

// The body of `POST /inbox/{id}/nack`. Of very many attempts the last ones are told, and answers'
// bodies are left out where they would make it too long.
[[nodiscard]] std::string nack_json(const NackRequest& request);

}  // namespace dispatcher
