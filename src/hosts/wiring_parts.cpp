#include "hosts/wiring_parts.hpp"

#include <unistd.h>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <array>

namespace dispatcher {

Log make_log(const LogConfig& config) {
  return Log{config.level, config.format, Log::stderr_sink()};
}

Result<std::unique_ptr<HttpsClient>> make_https_client(boost::asio::io_context& loop,
                                                       const Clock& clock,
                                                       const NetworkConfig& network,
                                                       std::size_t max_opening) {
  auto targets = parse_allow_targets(network.allow_targets);
  if (!targets) {
    return targets.error();
  }
  HttpsOptions options;
  options.ca_files = network.ca_files;
  options.allow_targets = std::move(*targets);
  options.max_opening = max_opening;
  return HttpsClient::make(loop.get_executor(), clock, std::move(options));
}

std::string consumer_label() {
  std::array<char, 256> host{};
  (void)::gethostname(host.data(), host.size() - 1);  // a label: nothing depends on it
  return std::string{host.data()} + ":" + std::to_string(::getpid());
}

Result<TargetRule> make_target_rule(const NetworkConfig& network) {
  const auto targets = parse_allow_targets(network.allow_targets);
  if (!targets) {
    return targets.error();
  }
  return TargetRule{[targets = *targets](const WebhookUrl& url) {
    const auto fault = fault_of_target(targets, url.is_https, url.host);
    return fault ? std::optional{std::string{*fault}} : std::nullopt;
  }};
}

boost::asio::awaitable<void> stop_on_signals(boost::asio::signal_set& signals,
                                             std::function<void()> stop) {
  for (int count = 0;; ++count) {
    boost::system::error_code error;
    co_await signals.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, error));
    if (error) {
      co_return;
    }
    if (count > 0) {
      ::_exit(0);
    }
    stop();
  }
}

std::string user_agent() {
  return "EventDispatcher/" DISPATCHER_VERSION;
}

void log_warnings(const Log& log, const std::vector<std::string>& warnings) {
  for (const std::string& warning : warnings) {
    log.warning(warning);
  }
}

void rethrow_bug(const std::exception_ptr& bug) {
  if (bug) {
    std::rethrow_exception(bug);
  }
}

}  // namespace dispatcher
