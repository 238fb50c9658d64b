#include "engine/lane.hpp"

namespace dispatcher {
namespace {

std::optional<WallTime> earlier(std::optional<WallTime> left, std::optional<WallTime> right) {
  if (!left || !right) {
    return left ? left : right;
  }
  return std::min(*left, *right);
}

}  // namespace

void Lanes::set_endpoints(const std::vector<Endpoint>& endpoints) {
  const auto is_named = [&](const Lane& lane) {
    return std::any_of(endpoints.begin(), endpoints.end(), [&](const Endpoint& endpoint) {
      return endpoint.number == lane.endpoint->number;
    });
  };
  for (auto& lane : lanes_) {
    if (!is_named(*lane)) {
      auto left = *lane->endpoint;
      left.state = EndpointState::disabled;  // claims nothing more
      lane->endpoint = std::make_shared<const Endpoint>(std::move(left));
    }
  }
  std::erase_if(lanes_, [&](const auto& lane) {
    const bool has_ended = !is_named(*lane) && lane->in_flight == 0;
    if (has_ended) {
      by_number_.erase(lane->endpoint->number);
    }
    return has_ended;
  });
  for (const Endpoint& endpoint : endpoints) {
    Lane* lane = find(endpoint.number);
    if (lane == nullptr) {
      lanes_.push_back(std::make_unique<Lane>());
      lane = lanes_.back().get();
      by_number_[endpoint.number] = lane;
    }
    lane->endpoint = std::make_shared<const Endpoint>(endpoint);
    lane->hint(WallTime{});
  }
}

Lane* Lanes::find(EndpointNumber number) {
  const auto found = by_number_.find(number);
  return found == by_number_.end() ? nullptr : found->second;
}

std::vector<ClaimRequest> Lanes::share_out_among(const std::vector<Lane*>& ready,
                                                 std::size_t budget) {
  std::vector<ClaimRequest> requests;
  std::size_t left = ready.size();
  for (Lane* lane : ready) {
    // An even share of what is left, at least one while there is any.
    const std::size_t share = std::min(lane->free_slots(), (budget + left - 1) / left);
    --left;
    if (share == 0) {
      break;
    }
    budget -= share;
    lane->hinted.reset();
    requests.push_back({lane->endpoint->number, share});
  }
  if (!lanes_.empty()) {
    turn_ = (turn_ + std::max<std::size_t>(requests.size(), 1)) % lanes_.size();
  }
  return requests;
}

void Lanes::note_claimed(std::span<const LaneDue> answers) {
  for (const LaneDue& answer : answers) {
    if (Lane* lane = find(answer.endpoint)) {
      lane->next_due = earlier(answer.next_due, lane->hinted);
    }
  }
}

}  // namespace dispatcher
