// A filter of events, as the service takes it. Pure.
#pragma once

#include "hosts/client_answers.hpp"
#include "hosts/config.hpp"

#include <span>
#include <string>

namespace dispatcher {

// `&status=pending&type=order.created`
[[nodiscard]] std::string query_of(const EventsFilter& filter);

// `{"status":"pending","type":"order.created"}`
[[nodiscard]] std::string filter_json(const EventsFilter& filter);

// How its fields are given on the command line.
[[nodiscard]] std::span<const FlagName> filter_flags();

}  // namespace dispatcher
