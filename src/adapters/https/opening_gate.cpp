#include "adapters/https/opening_gate.hpp"

#include <algorithm>

namespace dispatcher {

bool OpeningGate::enter(const OriginView& origin) {
  if (max_opening_ == 0) {
    return true;
  }
  auto found = gates_.find(origin);
  if (found == gates_.end()) {
    found = gates_.try_emplace(Origin{origin}).first;
  }
  if (found->second.opening >= max_opening_) {
    return false;
  }
  ++found->second.opening;
  return true;
}

void OpeningGate::leave(const OriginView& origin) {
  if (max_opening_ == 0) {
    return;
  }
  --gates_.find(origin)->second.opening;
  wake_one(origin);
  drop_if_idle(origin);
}

void OpeningGate::wake_one(const OriginView& origin) {
  if (gates_.empty()) {
    return;  // as a rule; every exchange ends with this
  }
  const auto found = gates_.find(origin);
  if (found == gates_.end() || found->second.waiting.empty()) {
    return;
  }
  Signal* first = found->second.waiting.front();
  found->second.waiting.pop_front();
  first->cancel();
}

boost::asio::awaitable<void> OpeningGate::wait(OriginView origin, Watch* watch) {
  Signal turn{loop_};
  gates_.find(origin)->second.waiting.push_back(&turn);
  {
    const Waiting waiting{*watch, turn};
    co_await turn.wait();
  }
  // Its deadline, and not its turn, may have ended it.
  const auto found = gates_.find(origin);
  if (found != gates_.end()) {
    std::erase(found->second.waiting, &turn);
  }
  drop_if_idle(origin);
}

void OpeningGate::drop_if_idle(const OriginView& origin) {
  const auto found = gates_.find(origin);
  if (found != gates_.end() && found->second.opening == 0 && found->second.waiting.empty()) {
    gates_.erase(found);
  }
}

}  // namespace dispatcher
