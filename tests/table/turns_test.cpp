// Promises: a key's turn is one caller's at a time; whoever waits gets it when it ends; another
// key's is another.
#include "base/turns.hpp"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <map>
#include <set>
#include <vector>

namespace dispatcher {
namespace {

class TurnsTest : public testing::Test {
 protected:
  boost::asio::awaitable<void> work(int key, int steps) {
    co_await turns.take(key);
    ++working[key];
    most[key] = std::max(most[key], working[key]);
    most_of_all = std::max(most_of_all, working[1] + working[2]);
    for (int i = 0; i < steps; ++i) {
      co_await boost::asio::post(boost::asio::use_awaitable);
    }
    --working[key];
    ++done[key];
    turns.end(key);
  }
  void start(int key, int steps = 3) {
    boost::asio::co_spawn(loop, work(key, steps), [](const std::exception_ptr& bug) {
      if (bug) {
        std::rethrow_exception(bug);
      }
    });
  }

  // As far as it goes without waiting: there is nothing to wait for but each other.
  void finish() { loop.poll(); }

  boost::asio::io_context loop{1};
  Turns<int> turns;
  std::map<int, int> working;
  std::map<int, int> most;  // at once
  std::map<int, int> done;
  int most_of_all = 0;
};

TEST_F(TurnsTest, everybody_gets_a_turn_and_nobody_two_at_once) {
  for (int i = 0; i < 20; ++i) {
    start(1, i % 4);
  }
  finish();
  EXPECT_EQ(most[1], 1);
  EXPECT_EQ(done[1], 20);
}

TEST_F(TurnsTest, another_key_s_turn_is_not_waited_for) {
  for (int i = 0; i < 5; ++i) {
    start(1);
    start(2);
  }
  finish();
  EXPECT_EQ(most[1], 1);
  EXPECT_EQ(most[2], 1);
  EXPECT_EQ(most_of_all, 2);
  EXPECT_EQ(done[1] + done[2], 10);
}

TEST_F(TurnsTest, a_turn_that_has_ended_can_be_taken_at_once) {
  start(1, 0);
  finish();
  loop.restart();
  start(1, 0);
  EXPECT_GT(loop.poll(), 0U);
  EXPECT_EQ(done[1], 2);
}

// Between the end of a turn and the waking of those who wait, somebody new may have taken it.
TEST_F(TurnsTest, one_who_is_woken_too_late_waits_again) {
  start(1, 1);
  start(1, 1);
  while (done[1] == 0) {
    loop.run_one();
  }
  start(1, 5);
  finish();
  EXPECT_EQ(most[1], 1);
  EXPECT_EQ(done[1], 3);
}

}  // namespace
}  // namespace dispatcher
