// `send`: one event, or a file of them.
#pragma once

#include "hosts/config.hpp"
#include "hosts/services.hpp"

#include <boost/asio/awaitable.hpp>

#include <istream>
#include <ostream>

namespace dispatcher {

// `in` is what `-` reads. Prints the id of an event, or how many were sent; with --json what the
// service answered for each, a line an event. Exit status.
[[nodiscard]] boost::asio::awaitable<int> run_send(ClientPorts ports, SendConfig config,
                                                   std::istream& in, std::ostream& out,
                                                   std::ostream& err);

}  // namespace dispatcher
