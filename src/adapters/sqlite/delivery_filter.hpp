// What a query asks of an event's deliveries: that one of them has all of it.
#pragma once

#include "adapters/sqlite/connection.hpp"
#include "adapters/sqlite/schema.hpp"
#include "ports/store.hpp"

#include <optional>

namespace dispatcher::sqlite {

struct DeliveryFilter {
  std::optional<EndpointNumber> endpoint;
  std::optional<DeliveryState> state;
  std::optional<ReviewReason> reason;
  bool matches_nothing = false;  // the endpoint is not known

  [[nodiscard]] bool asks_for_anything() const { return endpoint || state || reason; }
  [[nodiscard]] bool matches(EndpointNumber of, RowState in, std::optional<ReviewReason> because,
                             bool is_in_flight) const;
};

// With the endpoint looked up.
[[nodiscard]] DeliveryFilter delivery_filter(Connection& db, const EventQuery& query);

}  // namespace dispatcher::sqlite
