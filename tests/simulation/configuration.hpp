// What an endpoint's present configuration allows, told from outside: whether it may be sent
// anything at all, where to, signed by whom, how much at once and how often.
#pragma once

#include "fakes/sim_http_client.hpp"
#include "model/endpoint.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace dispatcher::simulation {

class ConfigurationRules {
 public:
  // These are so. It holds for what begins from now on; what began at this very
  // moment may have begun before.
  void on_configured(const std::vector<Endpoint>& endpoints, MonoTime now);
  // It may be there before whoever creates it knows of it; `number_of` tells which it is then.
  void on_creating(const Endpoint& endpoint) {
    coming_.insert_or_assign(endpoint.url.host, endpoint);
  }
  // Where its number is known now.
  void adopt(const std::string& host, EndpointNumber number, MonoTime now);
  // What a 410 disabled may be active from now on, and is what it was said to be.
  void on_resuming(EndpointNumber number);
  void on_resumed(EndpointNumber number);
  [[nodiscard]] bool is_resuming(EndpointNumber number) const {
    const auto known = configured_.find(number);
    return known != configured_.end() && known->second.is_resuming;
  }
  // Nothing begins at it from now on.
  void on_removed(EndpointNumber number, MonoTime now);
  // Nobody knows of the 410 that it answered.
  void forget_gone(EndpointNumber number) { configured_.at(number).is_gone = false; }
  // Of what an earlier life had begun this one knows nothing.
  void on_life_begins();
  void forget_rate_of(const std::string& host) { configured_.at(hosts_.at(host)).begun.clear(); }
  // It answered 410: where the API made it, it is disabled until it is configured anew.
  void on_gone(const fakes::Visit& visit);

  // The endpoint that has, or had, this host; null when none did.
  // Those that are there, as far as is known.
  [[nodiscard]] std::vector<EndpointNumber> numbers() const;
  [[nodiscard]] bool is_removed(EndpointNumber number) const;
  [[nodiscard]] const Endpoint* endpoint_at(const std::string& host) const;

  // What is wrong with this request; empty when nothing is. `under_way`: others to its endpoint.
  [[nodiscard]] std::optional<std::string> fault_of(const fakes::Visit& visit,
                                                    std::size_t under_way);

 private:
  struct Configured {
    Endpoint endpoint;
    MonoTime since;
    bool is_gone = false;
    bool is_resuming = false;
    std::optional<MonoTime> removed_at;
    std::vector<MonoTime> begun;  // since its rate is what it is
  };

  std::map<EndpointNumber, Configured> configured_;
  std::map<std::string, EndpointNumber> hosts_;
  std::map<std::string, Endpoint> coming_;
};

}  // namespace dispatcher::simulation
