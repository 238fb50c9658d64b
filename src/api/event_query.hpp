// Which events are meant: the filters of `GET /events`, wherever they come from. Pure.
#pragma once

#include "api/query_reader.hpp"
#include "base/json_scanner.hpp"
#include "ports/store.hpp"

namespace dispatcher {

// From a query, or from what stands for one. Faults are the reader's to add.
[[nodiscard]] EventQuery read_event_query(QueryReader& reader);

// From the JSON object of a request that acts on what it matches: a name that is no filter, and a
// filter that would match everything, are faults. `null` stands for an absent value.
[[nodiscard]] EventQuery read_event_filter(JsonValue object, const Loc& loc, Faults& faults);

}  // namespace dispatcher
