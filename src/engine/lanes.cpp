#include "engine/lanes.hpp"

#include <algorithm>
#include <tuple>

namespace dispatcher {
namespace {

// How far ahead a due time is believed where a lane waits for another clock than the wall's.
constexpr std::chrono::seconds kLookAgain{1};

bool has_time_for(const Lane& lane, MonoTime start, const PassLimit& limit) {
  return limit.attempt_deadline(start, lane.endpoint->timeout).has_value();
}

MonoTime to_monotonic(WallTime when, Now now) {
  // An hour is as good as for ever: by then somebody has looked again.
  return now.mono + std::clamp<WallTime::duration>(when - now.wall, std::chrono::seconds{0},
                                                   std::chrono::hours{1});
}

}  // namespace

bool is_same_url(const WebhookUrl& left, const WebhookUrl& right) {
  const auto parts = [](const WebhookUrl& url) {
    return std::tie(url.is_https, url.host, url.port, url.target, url.basic_credentials);
  };
  return parts(left) == parts(right);
}

void Lanes::set_endpoints(std::vector<Endpoint> endpoints, Now now) {
  ++sets_;
  for (Endpoint& endpoint : endpoints) {
    auto& lane = lanes_[endpoint.number];
    if (lane == nullptr) {
      lane = std::make_unique<Lane>();
    }
    lane->named_in = sets_;
    update(*lane, std::move(endpoint), now);
  }
  std::vector<Lane*> left;
  for (const auto& [number, lane] : lanes_) {
    if (lane->named_in != sets_) {
      left.push_back(lane.get());
    }
  }
  for (Lane* lane : left) {
    lane->has_left = true;
    refresh(*lane, now);
  }
}

void Lanes::update(Lane& lane, Endpoint endpoint, Now now) {
  const bool is_new = lane.endpoint == nullptr;
  const bool is_other_receiver = !is_new && !is_same_url(lane.endpoint->url, endpoint.url);
  const bool was_open = !is_new && lane.is_active() && !lane.has_left;
  if (is_new) {
    lane.rate = RateLimit{endpoint.rate_per_second};
  } else if (lane.endpoint->rate_per_second != endpoint.rate_per_second) {
    lane.rate.change(endpoint.rate_per_second, now.mono);
  }
  if (is_other_receiver) {
    lane.breaker = Breaker{};
    lane.paused_until = MonoTime{};
    lane.latency.reset();
  }
  lane.has_left = false;
  lane.endpoint = std::make_shared<const Endpoint>(std::move(endpoint));
  const bool is_open = lane.is_active();
  if (is_other_receiver || (is_open && !was_open)) {
    lane.hint(WallTime{});
  }
  refresh(lane, now);
}

Lane* Lanes::find(EndpointNumber number) {
  const auto found = lanes_.find(number);
  return found == lanes_.end() ? nullptr : found->second.get();
}

std::vector<LaneClaim> Lanes::share_out(Now now, Slots slots, const PassLimit& limit) {
  collect(now);
  std::vector<LaneClaim> claims;
  for (std::size_t left = ready_.size(); left > 0; --left) {
    Lane& lane = *ready_.begin()->second;
    const std::size_t most = slots.share(lane.in_flight, left);
    if (most == 0) {
      break;  // nor may those behind it, which hold no fewer
    }
    take_out(lane);
    const std::size_t share = std::min(lane.may_begin(now.mono), most);
    if (!has_time_for(lane, now.mono, limit)) {
      continue;  // never again in this pass, unless something happens to it
    }
    if (share == 0) {
      refresh(lane, now);
      continue;
    }
    slots.free -= share;
    lane.is_claiming = true;
    lane.reserved += share;
    claims.push_back({{lane.endpoint->number, share}, lane.ask()});
  }
  return claims;
}

void Lanes::end_claim(const LaneClaim& claim, const LaneDue* said) {
  // It cannot have ended: lanes that are claiming stay.
  Lane& lane = *lanes_.at(claim.request.endpoint);
  lane.is_claiming = false;
  lane.reserved -= claim.request.max;
  lane.answer(claim.question, said);
}

void Lanes::refresh(Lane& lane, Now now) {
  if (lane.has_left) {
    take_out(lane);
    if (lane.in_flight == 0 && !lane.is_claiming) {
      lanes_.erase(lane.endpoint->number);
    }
    return;
  }
  const LanePlace before = lane.place;
  const Spot spot = spot_of(lane, now);
  if (spot.place == LanePlace::ready && before == LanePlace::ready) {
    keep_turn(lane);
    return;
  }
  take_out(lane);
  put(lane, spot);
  const bool waits_for_its_rate = spot.place == LanePlace::held && spot.mono > lane.paused_until;
  rate_waits_ += waits_for_its_rate && before != LanePlace::held ? 1 : 0;
}

Lanes::Spot Lanes::spot_of(const Lane& lane, Now now) {
  const bool may_ever = lane.is_active() && lane.next_due && !lane.is_claiming &&
                        lane.free_slots() > 0 && lane.breaker.state() != BreakerState::half_open;
  if (!may_ever) {
    return {LanePlace::idle, {}, {}};  // until what is in its way has gone, which refreshes it
  }
  const WallTime due = *lane.next_due;
  const bool is_due = due <= now.wall;
  const MonoTime held_until = lane.held_until(now.mono);
  if (lane.breaker.state() == BreakerState::open) {
    const MonoTime from = std::max(held_until, lane.breaker.probe_at());
    if (is_due) {
      return {from > now.mono ? LanePlace::probing : LanePlace::ready, {}, from};
    }
    const MonoTime look_again = std::min(to_monotonic(due, now), now.mono + kLookAgain);
    return {LanePlace::probing, {}, std::max(from, look_again)};
  }
  if (held_until > now.mono && held_until >= to_monotonic(due, now)) {
    return {LanePlace::held, {}, held_until};
  }
  return is_due ? Spot{LanePlace::ready, {}, {}} : Spot{LanePlace::due, due, {}};
}

void Lanes::put(Lane& lane, const Spot& spot) {
  const EndpointNumber number = lane.endpoint->number;
  lane.place = spot.place;
  lane.placed_at_wall = spot.wall;
  lane.placed_at_mono = spot.mono;
  switch (spot.place) {
    case LanePlace::idle: break;
    case LanePlace::due: due_.emplace(std::pair{spot.wall, number}, &lane); break;
    case LanePlace::held: held_.emplace(std::pair{spot.mono, number}, &lane); break;
    case LanePlace::probing: probing_.emplace(std::pair{spot.mono, number}, &lane); break;
    case LanePlace::ready:
      lane.turn = ++turns_;
      lane.placed_holding = lane.in_flight;
      ready_.emplace(std::pair{lane.in_flight, lane.turn}, &lane);
      break;
  }
}

void Lanes::keep_turn(Lane& lane) {
  if (lane.placed_holding == lane.in_flight) {
    return;
  }
  auto placed = ready_.extract({lane.placed_holding, lane.turn});
  lane.placed_holding = lane.in_flight;
  placed.key().first = lane.in_flight;
  ready_.insert(std::move(placed));
}

void Lanes::take_out(Lane& lane) {
  const EndpointNumber number = lane.endpoint->number;
  switch (std::exchange(lane.place, LanePlace::idle)) {
    case LanePlace::idle: break;
    case LanePlace::due: due_.erase({lane.placed_at_wall, number}); break;
    case LanePlace::held: held_.erase({lane.placed_at_mono, number}); break;
    case LanePlace::probing: probing_.erase({lane.placed_at_mono, number}); break;
    case LanePlace::ready: ready_.erase({lane.placed_holding, lane.turn}); break;
  }
}

void Lanes::collect(Now now) {
  while (!due_.empty() && due_.begin()->first.first <= now.wall) {
    refresh(*due_.begin()->second, now);
  }
  for (ByMono* held : {&held_, &probing_}) {
    while (!held->empty() && held->begin()->first.first <= now.mono) {
      refresh(*held->begin()->second, now);
    }
  }
}

std::optional<std::size_t> Lanes::held_by_first(Now now) {
  collect(now);
  return ready_.empty() ? std::nullopt : std::optional{ready_.begin()->second->in_flight};
}

std::optional<MonoTime> Lanes::next_ready(Now now, Slots slots, const PassLimit& limit,
                                          bool counts_probes) {
  collect(now);
  while (!ready_.empty() && slots.share(ready_.begin()->second->in_flight) > 0) {
    Lane& first = *ready_.begin()->second;
    if (has_time_for(first, now.mono, limit)) {
      return now.mono;
    }
    take_out(first);
  }
  std::optional<MonoTime> next;
  const auto look_at = [&](auto& lanes, auto to_time) {
    while (!lanes.empty()) {
      const MonoTime at = to_time(lanes.begin()->first.first);
      if (has_time_for(*lanes.begin()->second, at, limit)) {
        next = next ? std::min(*next, at) : at;
        return;
      }
      take_out(*lanes.begin()->second);
    }
  };
  look_at(due_, [&](WallTime at) { return to_monotonic(at, now); });
  look_at(held_, [](MonoTime at) { return at; });
  if (counts_probes) {
    look_at(probing_, [](MonoTime at) { return at; });
  }
  return next;
}

}  // namespace dispatcher
