// Promise ("Isolation"): endpoints that keep their slots for long, few or many of them, leave some
// for those that come later; and one that is alone has half of them.
#include "model/slots.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace dispatcher {
namespace {

// Endpoints with more to do than they may, which take what they may one after another.
class Greedy {
 public:
  explicit Greedy(std::size_t all) : slots_{all, all} {}

  // How much the endpoint took, which held `held`.
  std::size_t take(std::size_t held, std::size_t concurrency = 1'000'000) {
    std::size_t took = 0;
    while (took + held < concurrency) {
      const std::size_t more = std::min(slots_.share(held + took), concurrency - held - took);
      if (more == 0) {
        break;
      }
      slots_.free -= more;
      took += more;
    }
    return took;
  }
  void give(std::size_t count) { slots_.free += count; }
  [[nodiscard]] std::size_t free() const { return slots_.free; }

 private:
  Slots slots_;
};

TEST(Slots, an_endpoint_that_is_alone_gets_half_of_them) {
  EXPECT_EQ((Slots{1024, 1024}.share(0)), 512U);
  EXPECT_EQ((Slots{1024, 512}.share(512)), 0U);
  for (const std::size_t all : {2U, 3U, 8U, 16U, 100U, 1'024U, 65'536U}) {
    Greedy world{all};
    const std::size_t took = world.take(0);
    EXPECT_GE(took, all / 2) << all;
    EXPECT_GE(world.free(), 1U) << all;
  }
}

TEST(Slots, the_first_is_given_whenever_one_is_free) {
  for (const std::size_t all : {1U, 8U, 1'024U}) {
    EXPECT_EQ((Slots{all, 1}.share(0, 1'000)), 1U) << all;
    EXPECT_EQ((Slots{all, 0}.share(0)), 0U) << all;
  }
  EXPECT_EQ((Slots{1'024, 108}.share(0)), 1U);
  EXPECT_EQ((Slots{1'024, 108}.share(1)), 0U);
}

TEST(Slots, who_holds_more_may_take_no_more) {
  for (const std::size_t all : {1U, 7U, 64U, 1'000U}) {
    for (std::size_t free = 0; free <= all; ++free) {
      for (const std::size_t asking : {1U, 2U, 50U}) {
        for (std::size_t held = 0; held + free <= all; ++held) {
          const std::size_t share = Slots{all, free}.share(held, asking);
          EXPECT_LE(share, free);
          EXPECT_GE(share, (Slots{all, free}.share(held + 1, asking)));
          EXPECT_EQ(share > 0, (Slots{all, free}.share(held)) > 0) << "asking together or alone";
        }
      }
    }
  }
}

TEST(Slots, those_that_ask_at_once_get_the_same) {
  for (const std::size_t count : {2U, 5U, 20U, 300U}) {
    Slots slots{1'024, 1'024};
    std::vector<std::size_t> shares;
    for (std::size_t asking = count; asking > 0; --asking) {
      shares.push_back(slots.share(0, asking));
      slots.free -= shares.back();
    }
    const auto [least, most] = std::ranges::minmax(shares);
    EXPECT_LE(most - least, 1U) << count;
    EXPECT_GE(slots.free, 128U) << count;
  }
}

TEST(Slots, a_hundred_and_forty_that_hang_one_after_another_leave_one_for_the_next) {
  Greedy world{1'024};
  for (int i = 0; i < 140; ++i) {
    world.take(0, 64);
  }
  EXPECT_GE(world.free(), 1U);
}

TEST(Slots, twenty_that_hang_one_after_another_leave_several_for_the_next) {
  for (const std::size_t concurrency : {64U, 65'536U}) {
    Greedy world{1'024};
    for (int i = 0; i < 20; ++i) {
      world.take(0, concurrency);
    }
    EXPECT_GE(world.take(0), 3U) << concurrency;
  }
}

TEST(Slots, a_hundred_of_any_concurrency_leave_one_for_the_next) {
  Greedy world{1'024};
  for (int i = 0; i < 100; ++i) {
    world.take(0);
  }
  EXPECT_GE(world.free(), 40U);
  EXPECT_EQ(world.take(1), 0U);
}

// As attempts end, slots go from those that came first to the others.
TEST(Slots, slow_ones_come_to_hold_the_same_whoever_came_first) {
  for (const std::size_t count : {2U, 20U, 100U, 1'000U}) {
    Greedy world{1'024};
    std::vector<std::size_t> held(count);
    for (std::size_t& one : held) {
      one += world.take(one);
    }
    for (int round = 0; round < 2'000; ++round) {
      for (std::size_t& one : held) {
        if (one > 0) {
          --one;
          world.give(1);
        }
        one += world.take(one);
      }
    }
    const auto [least, most] = std::ranges::minmax(held);
    EXPECT_LE(most - least, 3U) << count;
    EXPECT_GE(least, 1U) << count;
    EXPECT_GE(world.free(), 24U) << count;
  }
}

}  // namespace
}  // namespace dispatcher
