// A table's index as Query shows it, and what was asked of it.
#pragma once

#include "ports/event_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <iterator>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace dispatcher::test {

// The key of the event that came so many seconds after the first.
inline EventKey key_of(int second) {
  return {
      fmt::format("id-{:04}", second),
      fmt::format("2025-12-31T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60)};
}

// Only what a scan and a release ask for.
class ScriptedTable : public EventTable {
 public:
  // What Query says, in the index's order; events of status `failed` lie apart.
  std::vector<TableEntry> pending;
  std::vector<TableEntry> failed;
  std::size_t page_size = 1'000;  // a page has no more, whatever the limit: it has a size in bytes
  std::deque<Error> errors;       // of the next queries
  std::vector<TableQuery> queries;
  std::vector<std::string> unreadable;  // in each page

  void add(int second) {
    TableEntry entry;
    entry.key = key_of(second);
    pending.push_back(std::move(entry));
  }

  void end_by(MonoTime) override {}

  [[nodiscard]] boost::asio::awaitable<Result<TablePage>> query(TableQuery query) override {
    queries.push_back(query);
    if (!errors.empty()) {
      Error error = errors.front();
      errors.pop_front();
      co_return error;
    }
    std::vector<TableEntry> all = query.status == EventStatus::pending ? pending : failed;
    const auto is_before = [](const TableEntry& a, const TableEntry& b) {
      return std::pair{a.key.created_at, a.key.id} < std::pair{b.key.created_at, b.key.id};
    };
    std::sort(all.begin(), all.end(), is_before);
    if (!query.is_oldest_first) {
      std::reverse(all.begin(), all.end());
    }
    auto from = all.begin();
    if (query.after) {
      TableEntry end;
      end.key = *query.after;
      from = std::find_if(all.begin(), all.end(), [&](const TableEntry& one) {
        return query.is_oldest_first ? is_before(end, one) : is_before(one, end);
      });
    }
    TablePage page;
    page.unreadable = unreadable;
    const auto left = static_cast<std::size_t>(std::distance(from, all.end()));
    const std::size_t size = std::min({left, query.limit, page_size});
    page.entries.assign(from, std::next(from, static_cast<std::ptrdiff_t>(size)));
    // A page that is full has one behind it, which may be empty.
    if (size == std::min(query.limit, page_size)) {
      page.next = page.entries.back().key;
    }
    co_return page;
  }

  struct Release {
    EventKey key;
    EventStatus status;
    ReviewReason reason;
  };
  std::vector<Release> releases;
  std::function<Result<bool>(const Release&)> answer = [](const Release&) { return true; };

  [[nodiscard]] boost::asio::awaitable<Result<bool>> release(TableEntry entry, EventStatus status,
                                                             ReviewReason reason) override {
    releases.push_back({entry.key, status, reason});
    co_return answer(releases.back());
  }

  [[nodiscard]] boost::asio::awaitable<Result<TableEvent>> claim(EventKey, TableLease) override {
    throw std::logic_error("nothing claims here");
  }
  [[nodiscard]] boost::asio::awaitable<Result<void>> record(TableRecord) override {
    throw std::logic_error("nothing records here");
  }
  [[nodiscard]] boost::asio::awaitable<Result<void>> record_success(EventKey,
                                                                    TableDelivery) override {
    throw std::logic_error("nothing records here");
  }
  [[nodiscard]] boost::asio::awaitable<Result<void>> extend(EventKey, TableLease) override {
    throw std::logic_error("nothing is leased here");
  }
  [[nodiscard]] boost::asio::awaitable<Result<void>> give_back(EventKey, std::string) override {
    throw std::logic_error("nothing is leased here");
  }
};

}  // namespace dispatcher::test
