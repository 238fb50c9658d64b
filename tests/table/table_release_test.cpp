// Promises: a release looks at every pending event and every failed one, and makes due what is in
// review for its reason and nothing else; it ends in time, and says so; an error ends it.
#include "adapters/http_inbox/table_release.hpp"

#include "http_inbox/scripted.hpp"
#include "table/scripted_table.hpp"

#include <gtest/gtest.h>

namespace dispatcher {
namespace {

using namespace test;

class TableReleaseTest : public testing::Test {
 protected:
  static TableEntry in_review(int second, ReviewReason reason) {
    TableEntry entry;
    entry.key = key_of(second);
    TableDelivery delivery;
    delivery.endpoint_id = "ep-1";
    delivery.state = DeliveryState::delivered;
    entry.deliveries.push_back(delivery);
    delivery.endpoint_id = "ep-2";
    delivery.state = DeliveryState::review;
    delivery.reason = reason;
    entry.deliveries.push_back(delivery);
    return entry;
  }
  static TableEntry plain(int second) {
    TableEntry entry;
    entry.key = key_of(second);
    return entry;
  }
  Result<ReleasedEvents> release(ReviewReason reason) {
    return await(release_from_review(table, reason, [this] { return pages_left-- > 0; }));
  }
  std::vector<std::string> released() {
    std::vector<std::string> ids;
    for (const auto& one : table.releases) {
      ids.push_back(fmt::format("{} {}", one.key.id, to_string(one.status)));
    }
    std::sort(ids.begin(), ids.end());
    return ids;
  }

  ScriptedTable table;
  int pages_left = 1'000;
};

TEST_F(TableReleaseTest, what_is_in_review_for_the_reason_is_released_and_nothing_else) {
  table.pending = {plain(0), in_review(1, ReviewReason::rejected),
                   in_review(2, ReviewReason::blocked), in_review(3, ReviewReason::rejected)};
  table.pending[0].deliveries = in_review(0, ReviewReason::rejected).deliveries;
  table.pending[0].deliveries[1].state = DeliveryState::waiting;  // a reason alone is not enough
  table.failed = {plain(4), in_review(5, ReviewReason::rejected)};
  const auto done = release(ReviewReason::rejected);
  ASSERT_TRUE(done);
  EXPECT_EQ(done->count, 3);
  EXPECT_TRUE(done->is_complete);
  EXPECT_EQ(released(),
            (std::vector<std::string>{"id-0001 pending", "id-0003 pending", "id-0005 failed"}));
  for (const auto& one : table.releases) {
    EXPECT_EQ(one.reason, ReviewReason::rejected);
  }
}

TEST_F(TableReleaseTest, what_the_original_gave_up_is_exhausted) {
  table.pending = {plain(0), in_review(1, ReviewReason::exhausted)};
  table.failed = {plain(2), in_review(3, ReviewReason::rejected)};
  EXPECT_EQ(release(ReviewReason::exhausted).value().count, 3);
  EXPECT_EQ(released(),
            (std::vector<std::string>{"id-0001 pending", "id-0002 failed", "id-0003 failed"}));
}

TEST_F(TableReleaseTest, both_statuses_are_read_to_their_ends) {
  table.page_size = 10;
  for (int i = 0; i < 35; ++i) {
    table.pending.push_back(in_review(i, ReviewReason::blocked));
    table.failed.push_back(in_review(100 + i, ReviewReason::blocked));
  }
  const auto done = release(ReviewReason::blocked);
  EXPECT_EQ(done.value().count, 70);
  EXPECT_EQ(table.releases.size(), 70U);
  ASSERT_EQ(table.queries.size(), 8U);
  for (std::size_t i = 0; i < 8; ++i) {
    EXPECT_EQ(table.queries[i].status, i < 4 ? EventStatus::pending : EventStatus::failed);
    EXPECT_EQ(table.queries[i].after.has_value(), i % 4 != 0) << i;
  }
}

TEST_F(TableReleaseTest, what_somebody_else_has_changed_meanwhile_is_not_counted) {
  table.pending = {in_review(0, ReviewReason::blocked), in_review(1, ReviewReason::blocked)};
  table.answer = [](const ScriptedTable::Release& one) { return one.key == key_of(1); };
  EXPECT_EQ(release(ReviewReason::blocked).value().count, 1);
}

TEST_F(TableReleaseTest, when_the_time_is_over_it_says_that_something_may_be_left) {
  table.page_size = 1;
  table.pending = {in_review(0, ReviewReason::blocked), in_review(1, ReviewReason::blocked)};
  pages_left = 1;
  const auto done = release(ReviewReason::blocked);
  ASSERT_TRUE(done);
  EXPECT_EQ(done->count, 1);
  EXPECT_FALSE(done->is_complete);
  EXPECT_EQ(table.queries.size(), 1U);
}

TEST_F(TableReleaseTest, time_that_is_over_before_it_begins_asks_nothing) {
  pages_left = 0;
  const auto done = release(ReviewReason::blocked);
  ASSERT_TRUE(done);
  EXPECT_FALSE(done->is_complete);
  EXPECT_TRUE(table.queries.empty());
}

TEST_F(TableReleaseTest, an_index_that_cannot_be_read_ends_it) {
  table.errors.push_back(make_error(ErrorKind::refused, "may not"));
  const auto done = release(ReviewReason::blocked);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind, ErrorKind::refused);
  EXPECT_EQ(done.error().message, "may not");
}

TEST_F(TableReleaseTest, an_event_that_cannot_be_released_ends_it) {
  table.page_size = 50;
  for (int i = 0; i < 100; ++i) {
    table.pending.push_back(in_review(i, ReviewReason::blocked));
  }
  table.answer = [](const ScriptedTable::Release& one) -> Result<bool> {
    if (one.key == key_of(20)) {
      return make_error(ErrorKind::retry_later, "busy");
    }
    return true;
  };
  const auto done = release(ReviewReason::blocked);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().message, "busy");
  EXPECT_EQ(table.queries.size(), 1U);
  EXPECT_LT(table.releases.size(), 50U) << "the rest of the page is left";
}

}  // namespace
}  // namespace dispatcher
