// `events list`, `show`, `attempts` and `delete`.
#pragma once

#include "hosts/config.hpp"
#include "hosts/services.hpp"

#include <boost/asio/awaitable.hpp>

#include <ostream>

namespace dispatcher {

// Prints a table, or with --json an array (list, attempts) or an object. Exit status.
[[nodiscard]] boost::asio::awaitable<int> run_events(ClientPorts ports, EventsConfig config,
                                                     std::ostream& out, std::ostream& err);

}  // namespace dispatcher
