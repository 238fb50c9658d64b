#include "simulation/operator.hpp"

#include <array>
#include <optional>
#include <string>

namespace dispatcher::simulation {

void Operator::change_one(fakes::SimRandom& random) {
  static constexpr std::array<std::optional<double>, 4> kRates{std::nullopt, 0.5, 3.0, 20.0};
  const auto last = static_cast<std::int64_t>(endpoints_.size()) - 1;
  Endpoint& endpoint = endpoints_[static_cast<std::size_t>(random.between(std::int64_t{0}, last))];
  const std::string number = std::to_string(++changes_);
  switch (random.between(std::int64_t{0}, std::int64_t{5})) {
    case 0: endpoint.state = EndpointState::paused; break;
    case 1: endpoint.state = EndpointState::active; break;
    case 2: endpoint.url.host = endpoint.url.host.substr(0, 1) + number + ".example"; break;
    case 3: endpoint.signing_keys = {{"key " + number, std::nullopt}}; break;
    case 4: endpoint.concurrency = static_cast<int>(random.between(1, 4)); break;
    default: endpoint.rate_per_second = random.one_of(kRates);
  }
}

void Operator::set_right() {
  for (Endpoint& endpoint : endpoints_) {
    endpoint.state = EndpointState::active;
  }
}

}  // namespace dispatcher::simulation
