// What an event's item says, and how a delivery is written on it. Pure.
#pragma once

#include "base/result.hpp"
#include "ports/event_table.hpp"

#include <boost/json/object.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace dispatcher {

// Added to the table's times it makes local ones, and the other way round taken from them.
using ClockOffset = std::chrono::microseconds;

// Empty when the item's key is no event's: its id no UUID, or `created_at` no time.
[[nodiscard]] std::optional<TableEntry> entry_of(const boost::json::object& item,
                                                 ClockOffset offset);

// `invalid` names what keeps the item from being sent.
[[nodiscard]] Result<TableEvent> event_of(const boost::json::object& item, ClockOffset offset);

[[nodiscard]] std::vector<TableDelivery> deliveries_of(const boost::json::object& item,
                                                       ClockOffset offset);

// `{"M":{…}}`; an absent value is an absent member.
[[nodiscard]] std::string delivery_attribute(const TableDelivery& delivery, ClockOffset offset);

// Milliseconds since the epoch of the table's clock, not before the time given.
[[nodiscard]] std::int64_t table_millis(WallTime local, ClockOffset offset);

}  // namespace dispatcher
