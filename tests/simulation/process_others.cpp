// Who works on events beside the engine, in the same process: consumers over HTTP, and persons.
#include "simulation/person.hpp"
#include "simulation/process.hpp"

namespace dispatcher::simulation {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

// Where all is well: what is replayed then must be attempted.
constexpr int kLastActs = 3;

}  // namespace

boost::asio::awaitable<void> Process::consume() {
  while (true) {
    co_await sleep(around_.random.between(milliseconds{1}, seconds{5}));
    if (around_.is_healed) {
      co_return;
    }
    LeaseRequest request;
    request.limit = static_cast<std::size_t>(around_.random.between(1, 4));
    request.duration = seconds{around_.random.between(1, 60)};
    const auto asked_at = around_.world.clock().monotonic();
    const WallTime until = around_.world.clock().wall() + request.duration;
    const std::size_t jumps = around_.world.jumps();
    const auto leased = co_await around_.store.lease(std::move(request));
    if (!leased) {
      continue;
    }
    for (const EventView& event : leased->events) {
      tell("a consumer leased", event.event.id);
      if (jumps == around_.world.jumps()) {  // else nobody knows when the store lets it end
        around_.checker.on_leased(event.event.id, asked_at, until);
      }
      spawn(consume_one(event.event.id, leased->token));
    }
  }
}

boost::asio::awaitable<void> Process::consume_one(EventId id, std::string token) {
  const ConsumerOdds& odds = around_.scenario.consumer;
  fakes::SimRandom& random = around_.random;
  co_await sleep(random.between(microseconds{0}, seconds{20}));
  if (random.chance(odds.renews)) {
    const auto asked_at = around_.world.clock().monotonic();
    const WallTime until = around_.world.clock().wall() + seconds{30};
    tell("a consumer renews", id);
    // Until the answer nobody knows which end it has: the clock may jump before it is applied.
    around_.checker.on_releasing(id);
    const std::size_t jumps = around_.world.jumps();
    std::vector<EventId> ids{id};
    const auto renewed = co_await around_.store.renew(token, std::move(ids), seconds{30});
    if (renewed && renewed->at(0) && jumps == around_.world.jumps()) {
      around_.checker.on_leased(id, asked_at, until);
    }
    co_await sleep(random.between(microseconds{0}, seconds{20}));
  }
  double drawn = random.next_unit();
  const auto falls_to = [&drawn](double share) {
    drawn -= share;
    return drawn < 0;
  };
  if (falls_to(odds.acknowledges) || falls_to(odds.acknowledges_without_token)) {
    const bool has_token = drawn < -odds.acknowledges_without_token || odds.acknowledges == 0;
    tell("a consumer acknowledges", id);
    const std::size_t replays = around_.checker.on_acknowledging(id);
    std::vector<EventId> ids{id};
    // Named first: GCC 12 destroys a conditional's temporary twice inside a co_await.
    std::optional<std::string> given = has_token ? std::optional{token} : std::nullopt;
    const auto acked = co_await around_.store.ack(std::move(ids), std::move(given));
    if (acked && acked->at(0)) {
      around_.checker.on_acknowledged(id, replays);
    } else {
      around_.checker.on_not_acknowledged(id);
    }
  } else if (falls_to(odds.erases)) {
    tell("a consumer deletes", id);
    around_.checker.on_erasing(id);
    const auto erased = co_await around_.store.erase(id);
    if (erased) {
      around_.checker.on_erased(id);
    }
  } else {
    tell("a consumer reports, or lets its lease end", id);
    NackRequest request;
    if (falls_to(odds.reports_error)) {
      request.error = "status: 503";
      around_.checker.on_reporting(id, std::nullopt);
    } else if (falls_to(odds.sends_to_review)) {
      request.reason = ReviewReason::rejected;
      around_.checker.on_reporting(id, ReviewReason::rejected);
    } else if (falls_to(odds.gives_back)) {
      around_.checker.on_releasing(id);
    } else {
      co_return;  // the lease ends by itself
    }
    // Whether it is taken or the lease had ended: the consumer has no more to do with it.
    (void)co_await around_.store.nack(id, token, std::move(request));
  }
}

boost::asio::awaitable<void> Process::look_after_events() {
  Person person{around_.scenario, around_.store, around_.checker, around_.random, around_.log};
  int last_acts = 0;
  while (last_acts < kLastActs) {
    co_await sleep(around_.random.between(milliseconds{1}, around_.scenario.person.acts_every));
    last_acts += around_.is_healed ? 1 : 0;
    co_await person.act();
  }
  is_left_alone_ = true;
}

}  // namespace dispatcher::simulation
