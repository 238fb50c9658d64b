// `endpoints`: where a service delivers to, over its API.
#pragma once

#include "hosts/config.hpp"
#include "hosts/services.hpp"

#include <boost/asio/awaitable.hpp>

#include <istream>
#include <ostream>

namespace dispatcher {

// Prints a table, or with --json the service's own objects. `in` is read where a text was given as
// `-`. Exit status; 1 of a test that was not answered 2xx.
[[nodiscard]] boost::asio::awaitable<int> run_endpoints(ClientPorts ports, EndpointsConfig config,
                                                        std::istream& in, std::ostream& out,
                                                        std::ostream& err);

}  // namespace dispatcher
