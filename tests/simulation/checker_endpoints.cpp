// What must hold of endpoints that operators create, change and remove.
#include "simulation/checker.hpp"

#include <algorithm>

namespace dispatcher::simulation {
namespace {

using fakes::MemoryEndpoint;
using fakes::MemoryEvent;
using fakes::Visit;

}  // namespace

void Checker::on_loaded(const std::vector<Endpoint>& endpoints) {
  for (const EndpointNumber number : configuration_.numbers()) {
    if (std::ranges::find(endpoints, number, &Endpoint::number) != endpoints.end()) {
      continue;
    }
    if (!may_be_removed_.contains(number)) {
      fail("an endpoint is gone though nobody removed it: " + endpoint_id_of(number));
    }
    configuration_.on_removed(number, world_.clock().monotonic());
  }
  on_configured(endpoints);
}

void Checker::on_configured(const std::vector<Endpoint>& endpoints) {
  configuration_.on_configured(endpoints, world_.clock().monotonic());
}

void Checker::on_created(const Endpoint& endpoint, EndpointStart start) {
  on_configured({endpoint});
  if (start == EndpointStart::pending) {
    const Backlog backlog{endpoint.filter, store_.disk().next_sequence - 1};
    backlogs_.emplace(endpoint.number, backlog);
  }
}

ReleaseNote Checker::on_removing(AskedRelease asked) {
  may_be_removed_.insert(number_with(*asked.endpoint_id));
  return releases_.on_asked(std::move(asked));
}

void Checker::on_removal_answered(const std::string& id, bool is_removed) {
  const EndpointNumber number = number_with(id);
  if (is_removed) {
    configuration_.on_removed(number, world_.clock().monotonic());
  } else {
    may_be_removed_.erase(number);
  }
}

void Checker::forget_unrecorded_410s() {
  std::erase_if(gone_, [&](const auto& one) {
    const Visit& visit = receivers_.visits()[one.second];
    const auto row = store_.disk().events.find(*parse_uuid(visit.webhook_id));
    const bool is_recorded =
        row != store_.disk().events.end() &&
        std::ranges::any_of(recorded(row->second, one.first),
                            [&visit](const Recorded& known) { return known.visit == &visit; });
    if (!is_recorded) {
      configuration_.forget_gone(one.first);
    }
    return !is_recorded;
  });
}

bool Checker::is_in_a_backlog(const MemoryEvent& row) const {
  const auto none = row.deliveries.find(kNoEndpoint);
  // One that had ended meanwhile, and was replayed then, may have been no backlog as it was routed.
  if (none == row.deliveries.end() || row.status != EventStatus::pending || !row.releases.empty()) {
    return false;
  }
  return std::ranges::any_of(backlogs_, [&](const auto& one) {
    // Nothing is routed to one that is disabled.
    const bool may_be_routed =
        !was_gone_.contains(one.first) && !configuration_.is_removed(one.first);
    return row.sequence <= one.second.newest && may_be_routed &&
           one.second.filter.matches(row.event->type, row.event->source);
  });
}

EndpointNumber Checker::number_at(const std::string& host) const {
  for (const MemoryEndpoint& row : store_.disk().endpoints) {
    if (row.target == "https://" + host) {
      return row.endpoint.number;
    }
  }
  return kNoEndpoint;
}

EndpointNumber Checker::number_with(const std::string& id) const {
  for (const MemoryEndpoint& row : store_.disk().endpoints) {
    if (row.endpoint.id == id) {
      return row.endpoint.number;
    }
  }
  return kNoEndpoint;
}

}  // namespace dispatcher::simulation
