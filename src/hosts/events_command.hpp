// `events`: looking at what a service has.
#pragma once

#include "hosts/config.hpp"
#include "hosts/services.hpp"

#include <boost/asio/awaitable.hpp>

#include <ostream>

namespace dispatcher {

// Prints a table, or with --json an array (list, attempts) or an object (show). Exit status.
[[nodiscard]] boost::asio::awaitable<int> run_events(ClientPorts ports, EventsConfig config,
                                                     std::ostream& out, std::ostream& err);

}  // namespace dispatcher
