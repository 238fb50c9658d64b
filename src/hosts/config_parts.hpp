// The parts of a configuration that several commands have, and how their faults are told.
#pragma once

#include "base/result.hpp"
#include "hosts/config.hpp"
#include "hosts/make_config.hpp"
#include "hosts/settings.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace dispatcher {

// `invalid`: what the user has to change.
[[nodiscard]] Error invalid(std::string message);

// Puts results in their places and keeps the first error.
class Taker {
 public:
  template <class T>
  void operator()(Result<T> result, T& place) {
    if (result) {
      place = std::move(*result);
    } else if (!error) {
      error = result.error();
    }
  }

  std::optional<Error> error;
};

// A file in `--data`.
[[nodiscard]] std::string in_data(const Settings& settings, std::string_view name);

// `fallback` is the level where none is set.
[[nodiscard]] LogConfig make_log_config(const Settings& settings, const Surroundings& around,
                                        LogLevel fallback);
// A file that is named wins over an ARN, as one does who tries things with a copy.
[[nodiscard]] SecretConfig make_secret_config(const Settings& settings);
[[nodiscard]] NetworkConfig make_network_config(const Settings& settings);

// The base URL of the service: `--api`, else what DATA/address names.
[[nodiscard]] Result<WebhookUrl> find_service(const Settings& settings);

// All of it, for a command that talks to a service.
[[nodiscard]] Result<ClientConfig> make_client_config(const Settings& settings,
                                                      const Surroundings& around);

}  // namespace dispatcher
