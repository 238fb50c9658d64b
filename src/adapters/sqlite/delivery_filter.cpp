#include "adapters/sqlite/delivery_filter.hpp"

namespace dispatcher::sqlite {
namespace {

constexpr const char* kFindEndpoint = "SELECT number FROM endpoints WHERE id = ?";

bool is_in_state(DeliveryState wanted, RowState state, bool is_in_flight) {
  switch (wanted) {
    case DeliveryState::waiting: return state == RowState::waiting && !is_in_flight;
    case DeliveryState::in_flight: return state == RowState::waiting && is_in_flight;
    case DeliveryState::delivered: return state == RowState::delivered;
    case DeliveryState::review: return state == RowState::review;
    case DeliveryState::discarded: return state == RowState::discarded;
  }
  return false;
}

}  // namespace

bool DeliveryFilter::matches(EndpointNumber of, RowState in, std::optional<ReviewReason> because,
                             bool is_in_flight) const {
  return (!endpoint || of == *endpoint) && (!state || is_in_state(*state, in, is_in_flight)) &&
         (!reason || (in == RowState::review && because == reason));
}

DeliveryFilter delivery_filter(Connection& db, const EventQuery& query) {
  DeliveryFilter filter{std::nullopt, query.state, query.reason, false};
  if (query.endpoint_id) {
    Query found = db.query(kFindEndpoint);
    found.bind(*query.endpoint_id);
    if (found.step()) {
      filter.endpoint = static_cast<EndpointNumber>(found.integer(0));
    } else {
      filter.matches_nothing = true;
    }
  }
  return filter;
}

}  // namespace dispatcher::sqlite
