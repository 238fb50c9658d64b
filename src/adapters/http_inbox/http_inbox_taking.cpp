// What the inbox's answers bring into a run.
#include "adapters/http_inbox/concurrently.hpp"
#include "adapters/http_inbox/http_inbox.hpp"

#include <algorithm>
#include <utility>

namespace dispatcher {
namespace {

KnownDelivery* find_delivery(std::vector<KnownDelivery>& known, const std::string& endpoint_id) {
  const auto found = std::find_if(known.begin(), known.end(), [&](const KnownDelivery& delivery) {
    return delivery.endpoint_id == endpoint_id;
  });
  return found == known.end() ? nullptr : &*found;
}

// An API keeps review for the event as a whole, so that an endpoint's rejection is known here alone
// while another one's delivery waits. What the API does not show says nothing of releases.
void add_rejections(std::vector<KnownDelivery>& known,
                    const std::vector<KnownDelivery>& remembered) {
  for (const KnownDelivery& one : remembered) {
    KnownDelivery* shown = find_delivery(known, one.endpoint_id);
    if (shown != nullptr && !shown->was_released) {
      shown->is_rejected = shown->is_rejected || one.is_rejected;
    }
  }
}

}  // namespace

using std::chrono::seconds;

boost::asio::awaitable<Result<void>> HttpInbox::fetch(std::size_t limit) {
  const MonoTime began = clock_.monotonic();  // the lease began later
  auto fetched = co_await calls_.fetch(limit, lease_seconds(), options_.consumer);
  last_fetch_ = clock_.monotonic();
  if (!fetched) {
    co_return fetched.error();
  }
  if (fetched->page.unreadable > 0) {
    log_.warning("the inbox has entries that are no events; they are left there",
                 {{"count", fetched->page.unreadable}});
  }
  if (mode_ == Mode::unknown) {
    mode_ = fetched->lease_token ? Mode::leases : Mode::plain;
    if (mode_ == Mode::plain && !options_.beside_table) {
      log_.warning(
          "the Triggers API has no leases: at most 100 events are reachable at a time, and runs "
          "that overlap deliver events twice");
    }
  }
  // What is no event may hide those that are: of them an API without leases shows the newest only.
  const bool is_anything = !fetched->page.events.empty() || fetched->page.unreadable > 0;
  if (mode_ == Mode::plain && options_.beside_table && is_anything) {
    beside_ = options_.beside_table(fetched->page.events);
    beside_->on_due(hint_);
    co_return Result<void>{};
  }
  if (fetched->page.events.empty()) {
    is_exhausted_ = true;
    if (mode_ == Mode::plain && stats_.events == 0) {
      figures_.in_review = 0;  // nothing is pending
    }
    co_return Result<void>{};
  }
  if (mode_ == Mode::leases) {
    EventLease lease{fetched->lease_token.value_or(""), began + seconds{lease_seconds()}};
    co_await take_leased(std::move(fetched->page.events), std::move(lease));
  } else {
    co_await take_plain(std::move(fetched->page.events));
  }
  co_return Result<void>{};
}

// With several endpoints, one of them may have taken or rejected the event in an earlier run.
boost::asio::awaitable<void> HttpInbox::take_leased(std::vector<InboxEvent> events,
                                                    EventLease lease) {
  std::vector<std::vector<KnownDelivery>> known(events.size());
  std::vector<std::size_t> to_ask;
  for (std::size_t i = 0; i < events.size(); ++i) {
    if (endpoints_.size() > 1 && events[i].delivery_attempts > 0) {
      to_ask.push_back(i);
    }
  }
  // Not knowing costs an endpoint the event again, no more.
  const auto ask = [&](std::size_t i) -> boost::asio::awaitable<void> {
    auto& deliveries = known[to_ask[i]];
    deliveries = co_await calls_.deliveries(events[to_ask[i]].event->id);
    add_rejections(deliveries, memory_.known(events[to_ask[i]].event->id));
    try_one_at_least(deliveries);
  };
  co_await for_each_concurrently(to_ask.size(), kMaxCalls, ask);
  for (std::size_t i = 0; i < events.size(); ++i) {
    take(events[i], lease, known[i]);
  }
  co_await acknowledge_delivered(std::move(events));
}

// An event that is handed out is to be tried: where nothing would be left to try, what was rejected
// is tried again.
void HttpInbox::try_one_at_least(std::vector<KnownDelivery>& known) const {
  const bool is_one_left =
      std::any_of(endpoints_.begin(), endpoints_.end(), [&](const Endpoint& endpoint) {
        const KnownDelivery* delivery = find_delivery(known, endpoint.id);
        return delivery == nullptr || (!delivery->is_delivered && !delivery->is_rejected);
      });
  for (KnownDelivery& delivery : known) {
    delivery.is_rejected = delivery.is_rejected && is_one_left;
  }
}

// Of events just taken, those that every endpoint had taken before.
boost::asio::awaitable<void> HttpInbox::acknowledge_delivered(std::vector<InboxEvent> events) {
  std::vector<EventId> done;
  for (const InboxEvent& event : events) {
    const TakenEvent* taken = taken_.find(event.event->id);
    if (taken != nullptr && taken->is_delivered()) {
      done.push_back(event.event->id);
    }
  }
  const auto finish_one = [&](std::size_t i) -> boost::asio::awaitable<void> {
    // What cannot be acknowledged now is pending, and is found again.
    (void)co_await acknowledge(done[i]);
    taken_.erase(done[i]);
  };
  co_await for_each_concurrently(done.size(), kMaxCalls, finish_one);
}

// Newest first is what such an API answers; the oldest are due first, but for those that failed in
// an earlier run: they let those go first that have waited since before that.
boost::asio::awaitable<void> HttpInbox::take_plain(std::vector<InboxEvent> events) {
  heed_figures(events);
  std::erase_if(events, [&](const InboxEvent& event) {
    return seen_.contains(event.event->id) || is_done_with(event.event->id);
  });
  if (events.empty()) {
    is_exhausted_ = true;
    co_return;
  }
  const auto waits_since = [&](const InboxEvent& event) {
    return memory_.failed_at(event.event->id).value_or(event.event->created_at);
  };
  std::stable_sort(events.begin(), events.end(), [&](const InboxEvent& a, const InboxEvent& b) {
    return waits_since(a) < waits_since(b);
  });
  if (events.size() > static_cast<std::size_t>(budget_)) {
    events.resize(static_cast<std::size_t>(budget_));
  }
  for (const InboxEvent& event : events) {
    take(event, {}, memory_.known(event.event->id));
  }
  co_await acknowledge_delivered(std::move(events));
}

// What such an API shows of all that is pending.
void HttpInbox::heed_figures(const std::vector<InboxEvent>& events) {
  figures_ = {};
  figures_.in_review = 0;
  for (const InboxEvent& event : events) {
    if (memory_.is_acknowledged(event.event->id, clock_.wall())) {
      continue;
    }
    if (is_done_with(event.event->id)) {
      ++*figures_.in_review;
    } else {
      const WallTime created = event.event->created_at;
      figures_.oldest_pending = std::min(figures_.oldest_pending.value_or(created), created);
    }
  }
}

// Nothing can be done for it any more: every endpoint has taken or rejected it in an earlier run.
// One that each has taken is left to be acknowledged.
bool HttpInbox::is_done_with(const EventId& id) {
  if (memory_.is_acknowledged(id, clock_.wall())) {
    return true;
  }
  const auto known = memory_.known(id);
  const bool is_rejected = std::any_of(known.begin(), known.end(),
                                       [](const KnownDelivery& one) { return one.is_rejected; });
  return is_rejected &&
         std::all_of(endpoints_.begin(), endpoints_.end(), [&](const Endpoint& endpoint) {
           return std::any_of(known.begin(), known.end(), [&](const KnownDelivery& one) {
             return one.endpoint_id == endpoint.id && (one.is_delivered || one.is_rejected);
           });
         });
}

void HttpInbox::take(const InboxEvent& event, EventLease lease,
                     const std::vector<KnownDelivery>& known) {
  const auto open = taken_.add(event, std::move(lease), known, clock_.wall());
  --budget_;
  if (seen_.insert(event.event->id).second) {
    ++stats_.events;
    stats_.deliveries += static_cast<std::int64_t>(open);
  }
}

}  // namespace dispatcher
