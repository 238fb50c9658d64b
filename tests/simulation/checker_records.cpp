// What the store has on record, and the requests that it speaks of.
#include "simulation/checker.hpp"

#include <algorithm>

namespace dispatcher::simulation {
namespace {

using fakes::MemoryEvent;
using fakes::Visit;

}  // namespace

BreakerModel::Kind Checker::kind_of(const Visit& visit) const {
  const auto known = kinds_.find(static_cast<std::size_t>(&visit - receivers_.visits().data()));
  return known == kinds_.end() ? BreakerModel::Kind::ordinary : known->second;
}

Failures Checker::failures_of(const MemoryEvent& row, EndpointNumber number) const {
  Failures failures;
  for (const Recorded& one : recorded_since_replay(row, number)) {
    if (one.visit == nullptr || one.visit->failure == FailureKind::aborted) {
      continue;
    }
    const auto kind = kind_of(*one.visit);
    failures.least += kind == BreakerModel::Kind::ordinary ? 1 : 0;
    failures.most += kind != BreakerModel::Kind::probe ? 1 : 0;
  }
  return failures;
}

std::vector<Checker::Recorded> Checker::recorded(const MemoryEvent& row,
                                                 EndpointNumber number) const {
  std::vector<Recorded> found;
  const std::string id = endpoint_id_of(number);
  const auto known = visits_.find({row.event->id, number});
  const std::vector<std::size_t> none;
  // Some requests have no record, because a crash came before it; and where a replay overtook an
  // attempt in flight, its record comes later.
  std::vector<std::size_t> left = known == visits_.end() ? none : known->second;
  for (const Attempt& attempt : row.attempts) {
    if (attempt.endpoint_id != id) {
      continue;
    }
    const auto visit = std::ranges::find_if(left, [&](std::size_t index) {
      const Visit& candidate = receivers_.visits()[index];
      const int status = candidate.is_read() ? candidate.status : 0;
      return candidate.ended_at && candidate.sent_wall == attempt.started_at &&
             status == attempt.status.value_or(0);
    });
    found.push_back({&attempt, visit == left.end() ? nullptr : &receivers_.visits()[*visit]});
    if (visit != left.end()) {
      left.erase(visit);
    }
  }
  return found;
}

std::vector<Checker::Recorded> Checker::recorded_since_replay(const MemoryEvent& row,
                                                              EndpointNumber number) const {
  auto found = recorded(row, number);
  const std::size_t replays = ReleaseRules::replays(row, endpoint_id_of(number));
  std::erase_if(found, [&](const Recorded& one) {
    return one.visit != nullptr && replays_at(*one.visit).at_start < replays;
  });
  return found;
}

std::size_t Checker::replays_of(const DeliveryKey& key) const {
  const auto row = store_.disk().events.find(key.first);
  return row == store_.disk().events.end()
             ? 0
             : ReleaseRules::replays(row->second, endpoint_id_of(key.second));
}

const Checker::Replays& Checker::replays_at(const Visit& visit) const {
  return replays_.at(static_cast<std::size_t>(&visit - receivers_.visits().data()));
}

std::string Checker::endpoint_id_of(EndpointNumber number) const {
  for (const fakes::MemoryEndpoint& row : store_.disk().endpoints) {
    if (row.endpoint.number == number) {
      return row.endpoint.id;
    }
  }
  return {};
}

const Endpoint* Checker::endpoint_at(const std::string& host) const {
  return configuration_.endpoint_at(host);
}

EndpointNumber Checker::number_of(const std::string& host) const {
  const Endpoint* endpoint = endpoint_at(host);
  return endpoint == nullptr ? kNoEndpoint : endpoint->number;
}

}  // namespace dispatcher::simulation
