// Promise: of those who want a key's turn one at a time has it, in the order in which they came and
// on whatever thread they are; other keys are not waited for.
#include "base/turns.hpp"

#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>

#include <array>
#include <string>
#include <thread>
#include <vector>

namespace dispatcher {
namespace {

using boost::asio::awaitable;

awaitable<void> yield() {
  const auto executor = co_await boost::asio::this_coro::executor;
  co_await boost::asio::post(executor, boost::asio::use_awaitable);
}

TEST(Turns, AreGivenInTheOrderInWhichTheyWereAskedFor) {
  Turns<std::string> turns;
  boost::asio::io_context loop;
  std::vector<int> order;
  const auto work = [&](int number) -> awaitable<void> {
    co_await turns.take("a");
    order.push_back(number);
    co_await yield();
    order.push_back(number);
    turns.end("a");
  };
  for (int number = 0; number < 4; ++number) {
    boost::asio::co_spawn(loop, work(number), boost::asio::detached);
  }
  loop.run();
  EXPECT_EQ(order, (std::vector<int>{0, 0, 1, 1, 2, 2, 3, 3}));
}

TEST(Turns, OfOneKeyAreNotWaitedForByAnother) {
  Turns<std::string> turns;
  boost::asio::io_context loop;
  bool has_other = false;
  const auto work = [&]() -> awaitable<void> {
    co_await turns.take("a");
    co_await turns.take("b");
    has_other = true;
  };
  boost::asio::co_spawn(loop, work(), boost::asio::detached);
  loop.run();
  EXPECT_TRUE(has_other);
}

TEST(Turns, CanBeTakenAgainAtOnceWhenTheyHaveEnded) {
  Turns<std::string> turns;
  boost::asio::io_context loop;
  int taken = 0;
  const auto work = [&]() -> awaitable<void> {
    for (int i = 0; i < 3; ++i) {
      co_await turns.take("a");
      ++taken;
      turns.end("a");
    }
  };
  boost::asio::co_spawn(loop, work(), boost::asio::detached);
  loop.run();
  EXPECT_EQ(taken, 3);
}

TEST(Turns, HoldBetweenThreads) {
  constexpr int kRounds = 2'000;
  Turns<std::string> turns;
  std::array<boost::asio::io_context, 4> loops;
  int count = 0;  // guarded by the turn alone
  const auto work = [&]() -> awaitable<void> {
    for (int i = 0; i < kRounds; ++i) {
      co_await turns.take("a");
      const int before = count;
      if (i % 16 == 0) {
        co_await yield();
      }
      count = before + 1;
      turns.end("a");
    }
  };
  std::vector<std::thread> threads;
  for (boost::asio::io_context& loop : loops) {
    boost::asio::co_spawn(loop, work(), boost::asio::detached);
    boost::asio::co_spawn(loop, work(), boost::asio::detached);
    threads.emplace_back([&loop] { loop.run(); });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(count, 2 * kRounds * static_cast<int>(loops.size()));
}

}  // namespace
}  // namespace dispatcher
