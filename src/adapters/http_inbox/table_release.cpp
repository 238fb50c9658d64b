#include "adapters/http_inbox/table_release.hpp"

#include "adapters/http_inbox/concurrently.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace dispatcher {
namespace {

constexpr std::size_t kPage = 1000;
constexpr std::size_t kMaxCalls = 16;

bool is_asked_for(const TableEntry& entry, EventStatus status, ReviewReason reason) {
  if (status == EventStatus::failed && reason == ReviewReason::exhausted) {
    return true;
  }
  return std::any_of(entry.deliveries.begin(), entry.deliveries.end(),
                     [&](const TableDelivery& delivery) {
                       return delivery.state == DeliveryState::review && delivery.reason == reason;
                     });
}

boost::asio::awaitable<Result<void>> release_page(EventTable& table,
                                                  std::vector<TableEntry> entries,
                                                  EventStatus status, ReviewReason reason,
                                                  ReleasedEvents& all) {
  std::optional<Error> error;
  const auto release_one = [&](std::size_t i) -> boost::asio::awaitable<void> {
    if (error) {
      co_return;
    }
    const auto released = co_await table.release(std::move(entries[i]), status, reason);
    if (!released && released.error().kind == ErrorKind::invalid) {
      ++all.skipped;
    } else if (!released) {
      error = released.error();
    } else if (*released) {
      ++all.count;
    }
  };
  co_await for_each_concurrently(entries.size(), kMaxCalls, release_one);
  if (error) {
    co_return *error;
  }
  co_return Result<void>{};
}

}  // namespace

boost::asio::awaitable<Result<ReleasedEvents>> release_from_review(
    EventTable& table, ReviewReason reason, std::function<bool()> may_go_on) {
  ReleasedEvents released;
  for (const EventStatus status : {EventStatus::pending, EventStatus::failed}) {
    TableQuery query;
    query.status = status;
    query.limit = kPage;
    do {
      if (!may_go_on()) {
        released.is_complete = false;
        co_return released;
      }
      auto page = co_await table.query(query);
      if (!page) {
        co_return page.error();
      }
      std::erase_if(page->entries,
                    [&](const TableEntry& entry) { return !is_asked_for(entry, status, reason); });
      const auto done =
          co_await release_page(table, std::move(page->entries), status, reason, released);
      if (!done) {
        co_return done.error();
      }
      query.after = std::move(page->next);
    } while (query.after);
  }
  co_return released;
}

}  // namespace dispatcher
