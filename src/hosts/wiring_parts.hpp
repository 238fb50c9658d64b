// What several commands are built of.
#pragma once

#include "adapters/https/https_client.hpp"
#include "adapters/system/system_clock.hpp"
#include "api/endpoint_body.hpp"
#include "base/log.hpp"
#include "hosts/config.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace dispatcher {

[[nodiscard]] Log make_log(const LogConfig& config);

// `max_opening` as in HttpsOptions.
[[nodiscard]] Result<std::unique_ptr<HttpsClient>> make_https_client(boost::asio::io_context& loop,
                                                                     const Clock& clock,
                                                                     const NetworkConfig& network,
                                                                     std::size_t max_opening = 0);

// Who takes events: `host:pid`.
[[nodiscard]] std::string consumer_label();

// The rules that the HTTPS client applies when it connects, as far as they can be told of a URL.
[[nodiscard]] Result<TargetRule> make_target_rule(const NetworkConfig& network);

// Has `stop` called at the first signal, and ends the process at once at the second; until the set
// is cancelled. The set outlives it.
[[nodiscard]] boost::asio::awaitable<void> stop_on_signals(boost::asio::signal_set& signals,
                                                           std::function<void()> stop);

// `EventDispatcher/VERSION`
[[nodiscard]] std::string user_agent();

void log_warnings(const Log& log, const std::vector<std::string>& warnings);

// The completion of a coroutine that must not throw: what it threw is a bug, and ends the process.
void rethrow_bug(const std::exception_ptr& bug);

}  // namespace dispatcher
