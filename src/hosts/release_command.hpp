// `events replay` and `events discard`: what a person decides about deliveries.
#pragma once

#include "hosts/config.hpp"
#include "hosts/services.hpp"

#include <boost/asio/awaitable.hpp>

#include <ostream>

namespace dispatcher {

// Prints how much was released, or with --json the service's answer. Exit status.
[[nodiscard]] boost::asio::awaitable<int> run_release(ClientPorts ports, ReleaseConfig config,
                                                      std::ostream& out, std::ostream& err);

}  // namespace dispatcher
