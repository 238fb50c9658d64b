// `events export`: all events that match, however many.
#pragma once

#include "hosts/config.hpp"
#include "hosts/services.hpp"

#include <boost/asio/awaitable.hpp>

#include <ostream>

namespace dispatcher {

// Writes what `GET /events/export` would answer, newest first, page by page: memory stays flat, and
// a page that fails in passing is asked for again. Status 1 when the end was not reached: `out`
// then has a part of it, and the file is not there.
[[nodiscard]] boost::asio::awaitable<int> run_export(ClientPorts ports, ExportConfig config,
                                                     std::ostream& out, std::ostream& err);

}  // namespace dispatcher
