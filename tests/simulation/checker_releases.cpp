// What must hold of what persons replay, discard and delete.
#include "simulation/checker.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace dispatcher::simulation {
namespace {

using fakes::MemoryDelivery;
using fakes::MemoryEvent;
using fakes::Visit;

}  // namespace

ReleaseNote Checker::on_releasing_deliveries(AskedRelease asked) {
  return releases_.on_asked(std::move(asked));
}

void Checker::on_released_deliveries(const ReleaseNote& note) {
  releases_.on_answered(note, world_.clock().monotonic());
}

void Checker::check_released(const EventId& id, const ReleaseNote& note, std::int64_t released) {
  const auto row = store_.disk().events.find(id);
  if (row == store_.disk().events.end()) {
    return;  // deleted since, with what was on record of it
  }
  const std::int64_t on_record = ReleaseRules::released(row->second, note);
  if (on_record != released) {
    fail(fmt::format("{} deliveries are on record as released, and {} were answered: {}", on_record,
                     released, to_string(id)));
  }
}

void Checker::check_discard(const DeliveryKey& key, const Visit& visit) {
  const auto row = store_.disk().events.find(key.first);
  if (row == store_.disk().events.end()) {
    return;
  }
  const auto discard = releases_.discard(row->second, endpoint_id_of(key.second));
  if (discard && discard->answered_at && visit.sent_at > *discard->answered_at) {
    fail("sent though a person had discarded it: " + visit.webhook_id);
  }
}

void Checker::check_erased() {
  for (const auto& [id, consumed] : consumed_) {
    if (consumed.erased_at && store_.disk().events.contains(id)) {
      fail("there again though it was deleted: " + to_string(id));
    }
  }
}

// "A replayed delivery waits again, due now."
void Checker::check_replay_at_end(const MemoryEvent& row, EndpointNumber number,
                                  const MemoryDelivery& delivery) {
  const DeliveryKey key{row.event->id, number};
  const std::size_t replays = replays_of(key);
  const bool has_ended = delivery.state == DeliveryState::delivered;
  if (replays == 0 || !has_ended) {
    return;
  }
  const auto& all = visits_[key];
  if (std::ranges::none_of(all, [&](std::size_t visit) {
        return receivers_.visits()[visit].is_read_success() && replays_.at(visit).at_end == replays;
      })) {
    fail("replayed, and no receiver took it since: " + to_string(row.event->id));
  }
}

void Checker::check_status_at_end(const MemoryEvent& row) {
  const auto has = [&row](DeliveryState state) {
    return std::ranges::any_of(row.deliveries,
                               [state](const auto& one) { return one.second.state == state; });
  };
  const auto consumed = consumed_.find(row.event->id);
  const bool may_be_acknowledged =
      consumed != consumed_.end() && consumed->second.may_be_acknowledged;
  const bool is_open = has(DeliveryState::waiting) || has(DeliveryState::review);
  const bool is_right = row.status == EventStatus::pending ? is_open
                        : row.status == EventStatus::delivered
                            ? !is_open && (may_be_acknowledged || has(DeliveryState::delivered))
                            : !is_open && !has(DeliveryState::delivered);
  if (!is_right) {
    fail(fmt::format("its status is not what its deliveries say ({}): {}", to_string(row.status),
                     to_string(row.event->id)));
  }
}

}  // namespace dispatcher::simulation
