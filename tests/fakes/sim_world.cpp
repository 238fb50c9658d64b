#include "fakes/sim_world.hpp"

#include <algorithm>

namespace dispatcher::fakes {

SimWorld::Key SimWorld::schedule(MonoTime when, Happening happening) {
  const Key key{std::max(when, clock_.monotonic()), next_number_++};
  happenings_.emplace(key, std::move(happening));
  return key;
}

void SimWorld::call_off(const Key& key) {
  if (auto found = happenings_.extract(key); !found.empty()) {
    found.mapped()(false);
  }
}

void SimWorld::forget(const Key& key) {
  (void)happenings_.extract(key);
}

void SimWorld::forget_all() {
  // What is destroyed here may call back into `forget`.
  const auto dropped = std::exchange(happenings_, {});
}

bool SimWorld::advance() {
  if (happenings_.empty()) {
    return false;
  }
  auto next = happenings_.extract(happenings_.begin());
  const auto wait = next.key().first - clock_.monotonic();
  clock_.advance(std::chrono::ceil<std::chrono::microseconds>(wait));
  next.mapped()(true);
  return true;
}

void SimWorld::jump_wall(std::chrono::microseconds distance) {
  ++jumps_;
  if (distance.count() < 0) {
    jumps_back_.push_back({clock_.monotonic(), clock_.wall()});
  }
  clock_.jump_wall(distance);
}

WallTime SimWorld::latest_wall_since(MonoTime since) const {
  WallTime latest = clock_.wall();
  for (auto jump = jumps_back_.rbegin(); jump != jumps_back_.rend() && jump->at >= since; ++jump) {
    latest = std::max(latest, jump->before);
  }
  return latest;
}

std::unique_ptr<Timer> SimTimers::make() {
  return std::make_unique<SimTimer>(world_);
}

SimTimer::~SimTimer() {
  if (key_) {
    world_.forget(*key_);
  }
}

boost::asio::awaitable<bool> SimTimer::wait_until(MonoTime when) {
  auto initiate = [this, when](auto handler) {
    const Resumption resume{std::move(handler)};
    key_ = world_.schedule(when, [resume](bool reached) { resume(reached); });
  };
  return boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void(bool)>(
      std::move(initiate), boost::asio::use_awaitable);
}

void SimTimer::cancel() {
  if (key_) {
    world_.call_off(*std::exchange(key_, std::nullopt));
  }
}

}  // namespace dispatcher::fakes
