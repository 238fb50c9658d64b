// `run --dry-run`: what a run would deliver.
#pragma once

#include "hosts/config.hpp"
#include "hosts/services.hpp"

#include <boost/asio/awaitable.hpp>

#include <ostream>

namespace dispatcher {

// Reads the inbox without a lease, so that it changes nothing. Exit status.
[[nodiscard]] boost::asio::awaitable<int> run_dry(ClientPorts ports, RunConfig config,
                                                  std::ostream& out, std::ostream& err);

}  // namespace dispatcher
