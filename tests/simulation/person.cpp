#include "simulation/person.hpp"

#include <iterator>

namespace dispatcher::simulation {

boost::asio::awaitable<void> Person::act() {
  const auto& events = store_.disk().events;
  if (events.empty()) {
    co_return;
  }
  const auto last = static_cast<std::int64_t>(events.size()) - 1;
  const EventId id = std::next(events.begin(), random_.between(std::int64_t{0}, last))->first;
  if (random_.chance(scenario_.person.erases)) {
    co_await erase(id);
  } else if (random_.chance(scenario_.person.filters)) {
    co_await release_by_filter();
  } else {
    co_await release_one(id);
  }
}

boost::asio::awaitable<void> Person::release_one(EventId id) {
  AskedRelease asked;
  asked.action = some_action();
  asked.event = id;
  if (random_.chance(0.3)) {
    asked.endpoint_id = some_endpoint();
  }
  const ReleaseNote note = checker_.on_releasing_deliveries(asked);
  tell(asked.action == ReleaseAction::replay ? "a person replays" : "a person discards",
       to_string(id));
  const auto released = co_await store_.release(id, asked.endpoint_id, asked.action, note);
  if (released) {
    checker_.on_released_deliveries(note);
    checker_.check_released(id, note, *released);
  }
}

boost::asio::awaitable<void> Person::release_by_filter() {
  AskedRelease asked;
  asked.action = some_action();
  EventQuery query;
  if (random_.chance(0.5)) {
    asked.endpoint_id = query.endpoint_id = some_endpoint();
  }
  if (random_.chance(0.5)) {
    asked.type = query.type = random_.one_of(scenario_.events).type;
  }
  if (random_.chance(0.5)) {
    query.state = random_.chance(0.5) ? DeliveryState::review : DeliveryState::delivered;
  }
  const ReleaseNote note = checker_.on_releasing_deliveries(asked);
  tell(asked.action == ReleaseAction::replay ? "a person replays what a filter finds"
                                             : "a person discards what a filter finds",
       note.note);
  const auto in_a_step = static_cast<std::size_t>(random_.between(1, 5));
  std::optional<std::int64_t> after;
  while (true) {
    const auto step = co_await store_.release_step(query, after, in_a_step, asked.action, note);
    if (!step) {
      co_return;  // some are released, some are not
    }
    if (!step->next) {
      break;
    }
    after = step->next;
  }
  checker_.on_released_deliveries(note);
}

boost::asio::awaitable<void> Person::erase(EventId id) {
  tell("a person deletes", to_string(id));
  checker_.on_erasing(id);
  const auto erased = co_await store_.erase(id);
  if (erased) {
    checker_.on_erased(id);
  }
}

ReleaseAction Person::some_action() {
  return random_.chance(scenario_.person.discards) ? ReleaseAction::discard : ReleaseAction::replay;
}

std::string Person::some_endpoint() {
  const auto& endpoints = store_.disk().endpoints;
  const auto last = static_cast<std::int64_t>(endpoints.size()) - 1;
  return endpoints[static_cast<std::size_t>(random_.between(std::int64_t{0}, last))].endpoint.id;
}

void Person::tell(std::string_view what, const std::string& whom) const {
  if (log_.is_enabled(LogLevel::debug)) {
    log_.debug(what, {{"event_id", whom}});
  }
}

}  // namespace dispatcher::simulation
