#include "adapters/http_inbox/inbox_memory.hpp"

#include <algorithm>

namespace dispatcher {

InboxMemory::Remembered& InboxMemory::place_of(const EventId& event) {
  const auto found = places_.find(event);
  if (found != places_.end()) {
    return *found->second;
  }
  if (events_.size() >= kMaxEvents) {
    places_.erase(events_.front().event);
    events_.pop_front();
  }
  events_.push_back({event, {}, std::nullopt, std::nullopt});
  places_.emplace(event, std::prev(events_.end()));
  return events_.back();
}

KnownDelivery& InboxMemory::delivery_of(const EventId& event, const std::string& endpoint_id) {
  auto& deliveries = place_of(event).deliveries;
  const auto found = std::find_if(
      deliveries.begin(), deliveries.end(),
      [&](const KnownDelivery& delivery) { return delivery.endpoint_id == endpoint_id; });
  return found != deliveries.end() ? *found : deliveries.emplace_back(KnownDelivery{endpoint_id});
}

void InboxMemory::note_delivered(const EventId& event, const std::string& endpoint_id) {
  delivery_of(event, endpoint_id).is_delivered = true;
}

void InboxMemory::note_rejected(const EventId& event, const std::string& endpoint_id) {
  delivery_of(event, endpoint_id).is_rejected = true;
}

void InboxMemory::note_failed(const EventId& event, WallTime now) {
  place_of(event).failed_at = now;
}

void InboxMemory::note_acknowledged(const EventId& event, WallTime now) {
  Remembered& remembered = place_of(event);
  remembered.deliveries.clear();
  remembered.acknowledged_at = now;
}

std::vector<KnownDelivery> InboxMemory::known(const EventId& event) const {
  const auto found = places_.find(event);
  return found == places_.end() ? std::vector<KnownDelivery>{} : found->second->deliveries;
}

std::optional<WallTime> InboxMemory::failed_at(const EventId& event) const {
  const auto found = places_.find(event);
  return found == places_.end() ? std::nullopt : found->second->failed_at;
}

bool InboxMemory::is_acknowledged(const EventId& event, WallTime now) {
  const auto found = places_.find(event);
  if (found == places_.end() || !found->second->acknowledged_at) {
    return false;
  }
  if (now - *found->second->acknowledged_at <= kIndexLag) {
    return true;
  }
  events_.erase(found->second);
  places_.erase(found);
  return false;
}

}  // namespace dispatcher
