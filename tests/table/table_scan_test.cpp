// Promises: a run reads a bounded number of pages at each end of the index, the oldest first, and
// sees nothing twice; what lies between is reached in the runs to come; what is in review or waits
// is passed over; what is due first comes first; what has expired is counted once.
#include "adapters/http_inbox/table_scan.hpp"

#include "http_inbox/scripted.hpp"
#include "table/scripted_table.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

namespace dispatcher {
namespace {

using namespace test;
using std::chrono::seconds;

constexpr int kPages = TableScan::kPagesOfAnEnd;
constexpr std::size_t kAll = 100'000;
constexpr std::array<TableLane, 1> kEndpoint{0};
constexpr std::array<TableLane, 2> kEveryLane{0, 1};  // the endpoint's, and the acknowledgements

class TableScanTest : public testing::Test {
 protected:
  TableScan scan(std::size_t max_events = 100) {
    return TableScan{table, clock, log, {"ep"}, memory, max_events};
  }
  // The seconds of all that a scan finds, in its order, up to its end.
  std::vector<int> found_by(TableScan& scan) {
    EXPECT_TRUE(await(scan.look_for(kAll, kEveryLane)));
    std::vector<int> found;
    while (const auto event = scan.take(kEveryLane)) {
      found.push_back(std::stoi(event->key.id.substr(3)));
    }
    EXPECT_TRUE(scan.is_over(kEveryLane));
    return found;
  }
  std::vector<int> found_by_a_run() {
    table.queries.clear();
    TableScan one = scan();
    return found_by(one);
  }
  static std::vector<int> numbers(int from, int to) {
    std::vector<int> all;
    for (int i = from; i < to; ++i) {
      all.push_back(i);
    }
    return all;
  }
  static std::vector<int> joined(std::vector<int> a, const std::vector<int>& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
  }
  void fill(int count, std::size_t page_size) {
    for (int i = 0; i < count; ++i) {
      table.add(i);
    }
    table.page_size = page_size;
  }
  TableEntry& entry(std::size_t i) { return table.pending.at(i); }
  static TableDelivery delivery(DeliveryState state) {
    TableDelivery made;
    made.endpoint_id = "ep";
    made.state = state;
    return made;
  }
  [[nodiscard]] std::size_t oldest_queries() const {
    return static_cast<std::size_t>(
        std::count_if(table.queries.begin(), table.queries.end(),
                      [](const TableQuery& query) { return query.is_oldest_first; }));
  }
  [[nodiscard]] std::size_t newest_queries() const {
    return table.queries.size() - oldest_queries();
  }

  ManualClock clock;
  ScriptedTable table;
  TableMemory memory;
  std::vector<std::string> lines;
  Log log{LogLevel::info, LogFormat::text,
          [this](std::string_view line) { lines.emplace_back(line); }};
};

// -- pages

TEST_F(TableScanTest, an_empty_table_is_one_query) {
  EXPECT_EQ(found_by_a_run(), numbers(0, 0));
  EXPECT_EQ(table.queries.size(), 1U);
}

TEST_F(TableScanTest, it_reads_no_further_than_is_wanted) {
  fill(40, 10);
  TableScan one = scan();
  EXPECT_TRUE(table.queries.empty());
  EXPECT_TRUE(await(one.look_for(10, kEndpoint)));
  EXPECT_EQ(table.queries.size(), 1U);
  EXPECT_TRUE(await(one.look_for(11, kEndpoint)));
  EXPECT_EQ(table.queries.size(), 2U);
  EXPECT_TRUE(await(one.look_for(20, kEndpoint)));
  EXPECT_EQ(table.queries.size(), 2U);
  EXPECT_FALSE(one.is_over(kEveryLane));
  EXPECT_EQ(one.take(kEndpoint)->key, key_of(0));
}

TEST_F(TableScanTest, the_first_page_is_as_long_as_the_run_and_the_others_as_can_be) {
  fill(20, 1'000);
  TableScan one = scan(7);
  EXPECT_EQ(found_by(one), numbers(0, 20));
  ASSERT_EQ(table.queries.size(), 2U);
  EXPECT_EQ(table.queries[0].limit, 7U);
  EXPECT_EQ(table.queries[1].limit, TableScan::kMaxPage);
  TableScan large = scan(5'000);
  EXPECT_TRUE(await(large.look_for(1, kEndpoint)));
  EXPECT_EQ(table.queries.back().limit, TableScan::kMaxPage);
}

TEST_F(TableScanTest, it_asks_for_pending_events_and_goes_on_where_a_page_ended) {
  fill(5, 2);
  (void)found_by_a_run();
  ASSERT_EQ(table.queries.size(), 3U);
  EXPECT_EQ(table.queries[0].after, std::nullopt);
  EXPECT_EQ(table.queries[1].after, key_of(1));
  EXPECT_EQ(table.queries[2].after, key_of(3));
  for (const TableQuery& query : table.queries) {
    EXPECT_EQ(query.status, EventStatus::pending);
    EXPECT_TRUE(query.is_oldest_first);
  }
}

TEST_F(TableScanTest, what_fits_into_the_oldest_end_s_pages_is_read_from_there_alone) {
  fill(kPages * 2 - 1, 2);
  EXPECT_EQ(found_by_a_run(), numbers(0, kPages * 2 - 1));
  EXPECT_EQ(newest_queries(), 0U);
  EXPECT_EQ(memory.resume_after, std::nullopt);
}

TEST_F(TableScanTest, behind_the_oldest_end_s_pages_come_the_newest) {
  fill(100, 2);
  const std::vector<int> found = found_by_a_run();
  EXPECT_EQ(found, joined(numbers(0, 2 * kPages), numbers(100 - 2 * kPages, 100)));
  EXPECT_EQ(oldest_queries(), static_cast<std::size_t>(kPages));
  EXPECT_EQ(newest_queries(), static_cast<std::size_t>(kPages));
  EXPECT_EQ(table.queries[kPages].after, std::nullopt);
  EXPECT_EQ(table.queries[kPages].limit, TableScan::kMaxPage);
}

TEST_F(TableScanTest, it_ends_where_both_ends_meet_and_sees_nothing_twice) {
  const int count = 2 * kPages + 5;
  fill(count, 2);
  EXPECT_EQ(found_by_a_run(), joined(numbers(0, 2 * kPages), numbers(2 * kPages, count)));
  EXPECT_EQ(newest_queries(), 3U);
}

TEST_F(TableScanTest, events_of_one_instant_are_all_seen) {
  const int count = 2 * kPages + 4;
  fill(count, 2);
  for (TableEntry& one : table.pending) {
    one.key.created_at = "2025-12-31T00:00:00Z";
  }
  std::vector<int> found = found_by_a_run();
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  // All of the oldest end, and from the newest at least its first page.
  EXPECT_GE(found.size(), static_cast<std::size_t>(2 * kPages + 2));
}

// -- from run to run

TEST_F(TableScanTest, the_next_run_goes_on_where_the_oldest_end_was_left) {
  fill(100, 2);
  (void)found_by_a_run();
  EXPECT_EQ(memory.resume_after, key_of(2 * kPages - 1));
  const std::vector<int> found = found_by_a_run();
  EXPECT_EQ(found, joined(numbers(2 * kPages, 4 * kPages), numbers(100 - 2 * kPages, 100)));
  EXPECT_EQ(table.queries[0].after, key_of(2 * kPages - 1));
}

TEST_F(TableScanTest, in_a_few_runs_every_event_is_seen) {
  const int count = 20 * kPages;
  fill(count, 2);
  std::set<int> seen;
  for (int run = 0; run < 20 / 2; ++run) {
    for (const int one : found_by_a_run()) {
      seen.insert(one);
    }
    EXPECT_LE(table.queries.size(), static_cast<std::size_t>(2 * kPages));
  }
  EXPECT_EQ(seen.size(), static_cast<std::size_t>(count));
}

TEST_F(TableScanTest, behind_the_end_it_begins_at_the_oldest_again_up_to_where_it_began) {
  fill(9, 2);
  memory.resume_after = key_of(5);
  EXPECT_EQ(found_by_a_run(), numbers(0, 9));
  EXPECT_EQ(newest_queries(), 0U);
  // 6, 7 │ 8 │ and again 0 to 5: the page that ends where it began is the last.
  EXPECT_EQ(table.queries.size(), 5U);
  EXPECT_EQ(memory.resume_after, std::nullopt);
}

TEST_F(TableScanTest, a_round_that_needs_more_pages_is_gone_on_with_in_the_next_run) {
  fill(100, 2);
  memory.resume_after = key_of(95);
  // 96, 97 │ 98, 99 │ nothing │ and five more from the oldest.
  EXPECT_EQ(found_by_a_run(), joined(numbers(0, 2 * (kPages - 3)), numbers(96, 100)));
  EXPECT_EQ(table.queries.size(), static_cast<std::size_t>(kPages));
  EXPECT_EQ(newest_queries(), 0U) << "it has been there";
  EXPECT_EQ(memory.resume_after, key_of(2 * (kPages - 3) - 1));
}

TEST_F(TableScanTest, a_run_that_ends_early_lets_the_next_begin_at_the_oldest) {
  fill(100, 2);
  memory.resume_after = key_of(50);
  TableScan one = scan();
  EXPECT_TRUE(await(one.look_for(1, kEndpoint)));
  EXPECT_EQ(one.take(kEndpoint)->key, key_of(51));
  EXPECT_EQ(memory.resume_after, std::nullopt);
}

TEST_F(TableScanTest, a_place_that_is_gone_is_still_one_to_go_on_from) {
  fill(20, 4);
  memory.resume_after = key_of(9);
  table.pending.erase(table.pending.begin() + 8, table.pending.begin() + 12);
  EXPECT_EQ(found_by_a_run(), joined(numbers(0, 8), numbers(12, 20)));
}

// -- what it takes

TEST_F(TableScanTest, what_is_in_review_or_waits_or_is_leased_is_passed_over) {
  fill(6, 1'000);
  entry(0).deliveries = {delivery(DeliveryState::review)};
  entry(1).deliveries = {delivery(DeliveryState::waiting)};
  entry(1).deliveries[0].due = clock.wall() + seconds{1};
  entry(2).lease_until = clock.wall() + seconds{1};
  entry(4).deliveries = {delivery(DeliveryState::delivered)};
  std::vector<int> found = found_by_a_run();
  std::sort(found.begin(), found.end());
  EXPECT_EQ(found, (std::vector<int>{3, 4, 5}));
}

TEST_F(TableScanTest, however_many_are_in_review_new_ones_are_found) {
  fill(100, 2);
  for (std::size_t i = 0; i < 99; ++i) {
    entry(i).deliveries = {delivery(DeliveryState::review)};
  }
  EXPECT_EQ(found_by_a_run(), numbers(99, 100));
}

TEST_F(TableScanTest, what_was_taken_in_vain_comes_behind_what_is_due_by_then) {
  fill(3, 1'000);
  TableScan one = scan();
  EXPECT_TRUE(await(one.look_for(3, kEndpoint)));
  const auto first = one.take(kEndpoint);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->key, key_of(0));
  one.put_back(*first);
  EXPECT_EQ(found_by(one), (std::vector<int>{1, 2, 0}));
  one.put_back(*first);
  EXPECT_FALSE(one.is_over(kEveryLane));
  EXPECT_EQ(one.take(kEndpoint)->key, first->key);
}

TEST_F(TableScanTest, what_failed_before_lets_those_go_first_that_were_due_before) {
  fill(40, 10);
  for (std::size_t i = 0; i < 30; ++i) {
    entry(i).deliveries = {delivery(DeliveryState::waiting)};
    entry(i).deliveries[0].due = clock.wall() - seconds{1};
  }
  entry(0).deliveries[0].due = clock.wall();
  TableScan one = scan();
  EXPECT_TRUE(await(one.look_for(3, kEndpoint)));
  EXPECT_EQ(table.queries.size(), 4U)
      << "those of the pages before are due later than what follows";
  EXPECT_EQ(found_by(one), joined(joined(numbers(30, 40), numbers(1, 30)), {0}));
}

TEST_F(TableScanTest, a_first_page_that_fails_leaves_the_next_run_its_place) {
  fill(100, 2);
  memory.resume_after = key_of(50);
  const auto looked_before = memory.last_look;
  table.errors.push_back(make_error(ErrorKind::retry_later, "busy"));
  TableScan one = scan();
  EXPECT_FALSE(await(one.look_for(1, kEndpoint)));
  EXPECT_EQ(memory.resume_after, key_of(50));
  EXPECT_EQ(memory.last_look, looked_before);
}

TEST_F(TableScanTest, a_query_that_fails_is_made_again) {
  fill(5, 2);
  TableScan one = scan();
  EXPECT_TRUE(await(one.look_for(2, kEndpoint)));
  table.errors.push_back(make_error(ErrorKind::retry_later, "busy"));
  const auto failed = await(one.look_for(5, kEndpoint));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind, ErrorKind::retry_later);
  EXPECT_FALSE(one.is_over(kEveryLane));
  EXPECT_EQ(found_by(one), numbers(0, 5));
  ASSERT_EQ(table.queries.size(), 4U);
  EXPECT_EQ(table.queries[2].after, table.queries[1].after);
}

// -- what it tells

TEST_F(TableScanTest, it_counts_what_is_in_review_and_how_old_the_others_are) {
  fill(4, 2);
  entry(0).deliveries = {delivery(DeliveryState::review)};
  entry(3).deliveries = {delivery(DeliveryState::review)};
  entry(1).lease_until = clock.wall() + seconds{9};  // under way is not delivered yet
  TableScan one = scan();
  (void)found_by(one);
  ASSERT_TRUE(one.figures());
  EXPECT_EQ(one.figures()->in_review, 2);
  EXPECT_EQ(one.figures()->oldest_pending, parse_timestamp(key_of(1).created_at));
}

TEST_F(TableScanTest, a_table_of_nothing_has_no_oldest) {
  TableScan one = scan();
  (void)found_by(one);
  ASSERT_TRUE(one.figures());
  EXPECT_EQ(one.figures()->in_review, 0);
  EXPECT_EQ(one.figures()->oldest_pending, std::nullopt);
}

TEST_F(TableScanTest, one_that_did_not_begin_at_the_oldest_tells_nothing) {
  fill(9, 2);
  memory.resume_after = key_of(5);
  TableScan one = scan();
  (void)found_by(one);
  EXPECT_FALSE(one.figures());
}

TEST_F(TableScanTest, items_that_are_no_events_are_named_up_to_some) {
  for (int i = 0; i < 12; ++i) {
    table.unreadable.push_back("odd-" + std::to_string(i));
  }
  EXPECT_EQ(found_by_a_run(), numbers(0, 0));
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_NE(lines[0].find("pending items that are no events"), std::string::npos) << lines[0];
  EXPECT_NE(lines[0].find("count=12"), std::string::npos) << lines[0];
  EXPECT_NE(lines[0].find("odd-9"), std::string::npos) << lines[0];
  EXPECT_EQ(lines[0].find("odd-10"), std::string::npos) << lines[0];
}

// -- expiry

class Expiry : public TableScanTest {
 protected:
  std::int64_t expired_in_a_run() {
    TableScan one = scan();
    (void)found_by(one);
    return one.expired();
  }
};

TEST_F(Expiry, the_first_run_looks_back_a_little) {
  fill(5, 1'000);
  entry(0).expires_at = clock.wall() - TableScan::kFirstLook - seconds{1};
  entry(1).expires_at = clock.wall() - TableScan::kFirstLook + seconds{1};
  entry(2).expires_at = clock.wall();
  entry(3).expires_at = clock.wall() + seconds{1};
  EXPECT_EQ(expired_in_a_run(), 2);
}

TEST_F(Expiry, each_is_counted_once_and_still_taken_while_it_is_there) {
  fill(3, 1'000);
  entry(0).expires_at = clock.wall();
  entry(1).expires_at = clock.wall() + seconds{30};
  std::vector<std::int64_t> counts;
  for (int run = 0; run < 4; ++run) {
    counts.push_back(expired_in_a_run());
    clock.advance(seconds{20});
  }
  EXPECT_EQ(counts, (std::vector<std::int64_t>{1, 0, 1, 0}));
  EXPECT_EQ(found_by_a_run(), numbers(0, 3));
}

TEST_F(Expiry, one_whose_time_is_over_while_a_run_looks_is_counted_once_too) {
  fill(1, 1'000);
  entry(0).expires_at = clock.wall() + seconds{1};
  TableScan one = scan();
  clock.advance(seconds{2});
  (void)found_by(one);
  clock.advance(seconds{2});
  TableScan next = scan();
  (void)found_by(next);
  EXPECT_EQ(one.expired() + next.expired(), 1);
}

}  // namespace
}  // namespace dispatcher
