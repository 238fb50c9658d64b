// Promises: of the events found, the one that is due first comes first, for those who ask; an event
// is taken for all that it waits for; one endpoint's events keep no other's waiting.
#include "adapters/http_inbox/found_events.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace dispatcher {
namespace {

using std::chrono::seconds;
using Lanes = std::vector<TableLane>;

constexpr WallTime kStart{std::chrono::hours{480'000}};

TableWait wait_of(TableLane lane, int second) {
  return {lane, kStart + seconds{second}};
}

class FoundEventsTest : public testing::Test {
 protected:
  void add(std::string id, std::vector<TableWait> waits) {
    found.add({EventKey{std::move(id), ""}, std::move(waits)});
  }
  std::string take(const Lanes& asked) {
    const auto event = found.take(asked);
    return event ? event->key.id : "";
  }
  std::string take_all(const Lanes& asked) {
    std::string all;
    for (std::string id = take(asked); !id.empty(); id = take(asked)) {
      all += id;
    }
    return all;
  }

  FoundEvents found{3};
};

TEST_F(FoundEventsTest, due_first_comes_first_and_of_one_time_what_was_found_first) {
  add("c", {wait_of(0, 3)});
  add("a", {wait_of(0, 1)});
  add("b", {wait_of(0, 1)});
  EXPECT_EQ(take_all({0}), "abc");
}

TEST_F(FoundEventsTest, what_nobody_asks_for_stays) {
  add("a", {wait_of(0, 1)});
  add("b", {wait_of(1, 2)});
  EXPECT_EQ(take_all({1, 2}), "b");
  EXPECT_FALSE(found.has(Lanes{1, 2}));
  EXPECT_TRUE(found.has(Lanes{0}));
  EXPECT_EQ(take_all({0}), "a");
}

TEST_F(FoundEventsTest, an_event_is_taken_for_all_that_it_waits_for) {
  add("a", {wait_of(0, 1), wait_of(1, 9)});
  EXPECT_EQ(take({0}), "a");
  EXPECT_EQ(take({1}), "");
}

TEST_F(FoundEventsTest, however_old_one_lane_s_are_the_other_has_its_share) {
  for (int i = 0; i < 4; ++i) {
    add("a", {wait_of(0, 1)});
    add("b", {wait_of(1, 9)});
  }
  EXPECT_EQ(take_all({0, 1}), "abababab");
}

TEST_F(FoundEventsTest, what_a_lane_without_events_let_pass_is_not_owed_to_it) {
  for (int i = 0; i < 10; ++i) {
    add("a", {wait_of(0, 1)});
  }
  for (int i = 0; i < 6; ++i) {
    EXPECT_EQ(take({0, 1}), "a");
  }
  for (int i = 0; i < 4; ++i) {
    add("b", {wait_of(1, 9)});
  }
  EXPECT_EQ(take_all({0, 1}), "babababa");
}

TEST_F(FoundEventsTest, so_many_are_due_by_a_time) {
  add("a", {wait_of(0, 1)});
  add("b", {wait_of(0, 5)});
  EXPECT_TRUE(found.has(0, kStart + seconds{1}, 1));
  EXPECT_FALSE(found.has(0, kStart + seconds{4}, 2));
  EXPECT_TRUE(found.has(0, kStart + seconds{5}, 2));
  EXPECT_FALSE(found.has(0, kStart + seconds{9}, 3));
  EXPECT_FALSE(found.has(1, kStart + seconds{9}, 1));
}

}  // namespace
}  // namespace dispatcher
