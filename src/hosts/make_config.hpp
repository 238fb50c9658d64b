// From settings to what a command is told: what is missing, contradicts itself or is not there yet
// is refused here.
#pragma once

#include "base/result.hpp"
#include "hosts/config.hpp"
#include "hosts/settings.hpp"

namespace dispatcher {

// What settings alone do not say.
struct Surroundings {
  bool stderr_is_terminal = false;
};

// All: `invalid`, naming the setting and the fix.
[[nodiscard]] Result<ServeConfig> make_serve_config(const Settings& settings,
                                                    const Surroundings& around);
[[nodiscard]] Result<RunConfig> make_run_config(const Settings& settings,
                                                const Surroundings& around);
[[nodiscard]] Result<LambdaConfig> make_lambda_config(const Settings& settings,
                                                      const Surroundings& around);
[[nodiscard]] Result<SendConfig> make_send_config(const Settings& settings,
                                                  const Surroundings& around);
[[nodiscard]] Result<EventsConfig> make_events_config(Command command, const Settings& settings,
                                                      const Surroundings& around);
[[nodiscard]] Result<ReleaseConfig> make_release_config(Command command, const Settings& settings,
                                                        const Surroundings& around);
[[nodiscard]] Result<ExportConfig> make_export_config(const Settings& settings,
                                                      const Surroundings& around);
[[nodiscard]] Result<EndpointsConfig> make_endpoints_config(Command command,
                                                            const Settings& settings,
                                                            const Surroundings& around);
[[nodiscard]] Result<ListenConfig> make_listen_config(const Settings& settings,
                                                      const Surroundings& around);
[[nodiscard]] Result<StoreCommandConfig> make_store_config(Command command,
                                                           const Settings& settings,
                                                           const Surroundings& around);

// `127.0.0.1:8080`, `[::1]:8080`, `localhost:0`. Empty for anything else.
[[nodiscard]] std::optional<ListenAddress> parse_listen_address(std::string_view text);

}  // namespace dispatcher
