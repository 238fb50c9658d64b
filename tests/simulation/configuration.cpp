#include "simulation/configuration.hpp"

#include "model/signature.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace dispatcher::simulation {
namespace {

using fakes::Visit;

// "at most one second's worth, at least one" may begin at once.
double most_at_once(double rate) {
  return std::max(1.0, rate);
}

bool is_within_rate(const std::vector<MonoTime>& begun, double rate) {
  for (std::size_t first = 0; first < begun.size(); ++first) {
    const std::chrono::duration<double> stretch = begun.back() - begun[first];
    const auto count = static_cast<double>(begun.size() - first);
    if (count > rate * stretch.count() + most_at_once(rate) + 1e-6) {
      return false;
    }
  }
  return true;
}

bool is_signed_by_all(const Visit& visit, const std::vector<SigningKey>& keys) {
  return std::ranges::all_of(keys, [&visit](const SigningKey& key) {
    const std::vector<std::string> one{key.bytes};
    const StandardHeaders headers{visit.webhook_id, visit.timestamp, visit.signatures};
    return (key.until && visit.sent_wall >= *key.until) ||
           verify_standard(one, headers, visit.body, visit.sent_wall);
  });
}

}  // namespace

void ConfigurationRules::on_configured(const std::vector<Endpoint>& endpoints, MonoTime now) {
  for (const Endpoint& endpoint : endpoints) {
    Configured& one = configured_[endpoint.number];
    if (one.endpoint.rate_per_second != endpoint.rate_per_second) {
      one.begun.clear();
    }
    one.endpoint = endpoint;
    one.since = now;
    hosts_[endpoint.url.host] = endpoint.number;
  }
}

void ConfigurationRules::on_life_begins() {
  for (auto& [number, one] : configured_) {
    one.begun.clear();
    one.is_resuming = false;
  }
}

void ConfigurationRules::adopt(const std::string& host, EndpointNumber number, MonoTime now) {
  const auto coming = coming_.find(host);
  if (coming != coming_.end() && number != kNoEndpoint && !configured_.contains(number)) {
    coming->second.number = number;
    on_configured({coming->second}, now);
  }
}

void ConfigurationRules::on_resuming(EndpointNumber number) {
  configured_.at(number).is_gone = false;
  configured_.at(number).is_resuming = true;
}

void ConfigurationRules::on_resumed(EndpointNumber number) {
  configured_.at(number).is_resuming = false;
}

void ConfigurationRules::on_removed(EndpointNumber number, MonoTime now) {
  Configured& one = configured_[number];
  one.removed_at = one.removed_at.value_or(now);
}

std::vector<EndpointNumber> ConfigurationRules::numbers() const {
  std::vector<EndpointNumber> numbers;
  for (const auto& [number, one] : configured_) {
    if (!one.removed_at) {
      numbers.push_back(number);
    }
  }
  return numbers;
}

bool ConfigurationRules::is_removed(EndpointNumber number) const {
  const auto known = configured_.find(number);
  return known != configured_.end() && known->second.removed_at.has_value();
}

void ConfigurationRules::on_gone(const Visit& visit) {
  Configured& one = configured_.at(hosts_.at(visit.host));
  one.is_gone = one.is_gone || (!one.is_resuming && one.endpoint.origin == EndpointOrigin::api &&
                                one.endpoint.url.host == visit.host);
}

const Endpoint* ConfigurationRules::endpoint_at(const std::string& host) const {
  const auto number = hosts_.find(host);
  return number == hosts_.end() ? nullptr : &configured_.at(number->second).endpoint;
}

std::optional<std::string> ConfigurationRules::fault_of(const Visit& visit, std::size_t under_way) {
  Configured& one = configured_.at(hosts_.at(visit.host));
  const Endpoint& endpoint = one.endpoint;
  if (endpoint.rate_per_second) {
    one.begun.push_back(visit.sent_at);
    if (!is_within_rate(one.begun, *endpoint.rate_per_second)) {
      return "sent more often than its endpoint's rate: " + visit.host;
    }
  }
  if (one.removed_at && visit.sent_at > *one.removed_at) {
    return "sent to an endpoint that was removed: " + visit.host;
  }
  if (visit.sent_at == one.since) {
    return std::nullopt;
  }
  if (endpoint.state != EndpointState::active) {
    return "sent to an endpoint that is paused: " + visit.host;
  }
  if (one.is_gone) {
    return "sent to an endpoint that a 410 had disabled: " + visit.host;
  }
  if (endpoint.url.host != visit.host) {
    return "sent to a URL that its endpoint no longer has: " + visit.host;
  }
  if (!is_signed_by_all(visit, endpoint.signing_keys)) {
    return "sent without the signature of a key that its endpoint has: " + visit.host;
  }
  if (under_way >= static_cast<std::size_t>(endpoint.concurrency)) {
    return fmt::format("{} requests at once to {}, whose concurrency is {}", under_way + 1,
                       visit.host, endpoint.concurrency);
  }
  return std::nullopt;
}

}  // namespace dispatcher::simulation
