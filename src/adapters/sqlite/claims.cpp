#include "adapters/sqlite/claims.hpp"

#include "adapters/sqlite/schema.hpp"
#include "base/check.hpp"

#include <algorithm>

namespace dispatcher::sqlite {

bool InFlight::has(const DeliveryKey& key) const {
  put_in_order();
  return std::ranges::binary_search(deliveries_, key);
}

bool InFlight::has_event(std::int64_t seq) const {
  put_in_order();
  return std::ranges::binary_search(deliveries_, seq, {}, &DeliveryKey::seq);
}

std::vector<std::int64_t> InFlight::events() const {
  put_in_order();
  std::vector<std::int64_t> seqs;
  for (const DeliveryKey& key : deliveries_) {
    if (seqs.empty() || seqs.back() != key.seq) {
      seqs.push_back(key.seq);
    }
  }
  return seqs;
}

void InFlight::put_in_order() const {
  if (!is_in_order_) {
    std::ranges::sort(deliveries_);
    is_in_order_ = true;
  }
}

std::optional<DeliveryKey> Claims::find(ClaimToken token) const {
  const auto found = by_token_.find(token.value);
  return found == by_token_.end() ? std::nullopt : std::optional{found->second};
}

ClaimToken Claims::add(const DeliveryKey& key) {
  DISPATCHER_CHECK(!has(key));
  const ClaimToken token{next_token_++};
  insert(token, key);
  changes_.push_back({true, token, key});
  return token;
}

void Claims::remove(ClaimToken token) {
  const auto key = find(token);
  if (key) {
    erase(token, *key);
    changes_.push_back({false, token, *key});
  }
}

void Claims::remove_event(std::int64_t seq) {
  if (!has_event(seq)) {
    return;
  }
  std::vector<ClaimToken> tokens;
  for (const auto& [token, key] : by_token_) {
    if (key.seq == seq) {
      tokens.push_back(ClaimToken{token});
    }
  }
  for (const ClaimToken token : tokens) {
    remove(token);
  }
}

void Claims::roll_back() {
  for (auto change = changes_.rbegin(); change != changes_.rend(); ++change) {
    if (change->is_added) {
      erase(change->token, change->key);
    } else {
      insert(change->token, change->key);
    }
  }
  changes_.clear();
}

InFlight Claims::in_flight() const {
  const std::lock_guard lock{mutex_};
  std::vector<DeliveryKey> all;
  all.reserve(by_token_.size());
  for (const auto& [token, key] : by_token_) {
    all.push_back(key);
  }
  return InFlight{std::move(all)};
}

std::size_t Claims::size() const {
  const std::lock_guard lock{mutex_};
  return by_token_.size();
}

void Claims::insert(ClaimToken token, const DeliveryKey& key) {
  const std::lock_guard lock{mutex_};
  by_token_.emplace(token.value, key);
  by_delivery_.emplace(key, token);
  ++by_event_[key.seq];
}

void Claims::erase(ClaimToken token, const DeliveryKey& key) {
  const std::lock_guard lock{mutex_};
  by_token_.erase(token.value);
  by_delivery_.erase(key);
  const auto event = by_event_.find(key.seq);
  if (--event->second == 0) {
    by_event_.erase(event);
  }
}

void Lanes::note_waiting(EndpointNumber endpoint, std::int64_t due_us, std::int64_t seq) {
  const auto found = lanes_.find(endpoint);
  if (found == lanes_.end()) {
    return;
  }
  Lane& lane = found->second;
  lane.from = std::min(lane.from, DueRow{due_us, place_of(seq, endpoint)});
  if (!lane.said_due_us || due_us < *lane.said_due_us) {
    const auto [hint, is_new] = hints_.try_emplace(endpoint, due_us);
    hint->second = std::min(hint->second, due_us);
  }
}

void Lanes::note_said(EndpointNumber endpoint, std::optional<std::int64_t> due_us) {
  lanes_[endpoint].said_due_us = due_us;
  hints_.erase(endpoint);
}

std::vector<LaneDue> Lanes::take_hints() {
  std::vector<LaneDue> hints;
  for (const auto& [endpoint, due_us] : hints_) {
    lanes_[endpoint].said_due_us = due_us;
    hints.push_back({endpoint, wall_from_micros(due_us)});
  }
  hints_.clear();
  return hints;
}

void Lanes::forget() {
  for (auto& [endpoint, lane] : lanes_) {
    lane = Lane{};
  }
  hints_.clear();
}

}  // namespace dispatcher::sqlite
