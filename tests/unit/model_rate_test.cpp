// Promises ("Isolation", an endpoint's rate_per_second): in no stretch of time do more attempts
// begin than the rate times its length, and a burst of a tenth of a second's worth (at least one).
#include "model/rate.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace dispatcher {
namespace {

using namespace std::chrono_literals;

constexpr MonoTime kStart{10'000s};

struct Case {
  double per_second;
  std::size_t burst;
  std::chrono::nanoseconds next_after;  // the burst, from the start
};

TEST(Rate, begins_with_its_burst_and_goes_on_at_its_rate) {
  const Case cases[] = {
      {0.1, 1, 10s},         {0.5, 1, 2s},  {1, 1, 1s},      {3, 1, 333'333'334ns}, {10, 1, 100ms},
      {19, 1, 52'631'579ns}, {20, 2, 50ms}, {100, 10, 10ms}, {1000, 100, 1ms},
  };
  for (const Case& one : cases) {
    RateLimit rate{one.per_second};
    EXPECT_EQ(rate.available(kStart), one.burst) << one.per_second;
    for (std::size_t i = 0; i < one.burst; ++i) {
      rate.take(kStart);
    }
    EXPECT_EQ(rate.available(kStart + one.next_after - 1ns), 0U) << one.per_second;
    EXPECT_EQ(rate.available(kStart + one.next_after), 1U) << one.per_second;
    EXPECT_EQ(rate.available_at(1, kStart), kStart + one.next_after) << one.per_second;
  }
}

TEST(Rate, no_rate_is_no_limit) {
  RateLimit rate;
  for (int i = 0; i < 1000; ++i) {
    EXPECT_GT(rate.available(kStart), 1'000'000U);
    EXPECT_LE(rate.available_at(1, kStart), kStart);
    rate.take(kStart);
  }
}

TEST(Rate, when_a_number_may_begin_at_once_is_when_that_number_is_available) {
  RateLimit rate{100};
  for (int i = 0; i < 10; ++i) {
    rate.take(kStart);
  }
  for (std::size_t count = 1; count <= 10; ++count) {
    EXPECT_EQ(rate.available(rate.available_at(count, kStart)), count);
    EXPECT_EQ(rate.available(rate.available_at(count, kStart) - 1ns), count - 1);
  }
}

// Takes all that it may, at odd times, and looks at every stretch between two of them.
TEST(Rate, no_stretch_of_time_has_more_than_its_share) {
  for (const double per_second : {0.3, 1.0, 7.0, 35.0, 250.0}) {
    RateLimit rate{per_second};
    const double burst = std::max(1.0, std::floor(per_second / 10));
    std::vector<MonoTime> begun;
    MonoTime now = kStart;
    std::uint64_t noise = 1;
    while (begun.size() < 300) {
      for (auto left = rate.available(now); left > 0; --left) {
        rate.take(now);
        begun.push_back(now);
      }
      noise = noise * 6364136223846793005ULL + 1442695040888963407ULL;
      const auto pause = static_cast<double>(noise >> 40U) / static_cast<double>(1U << 24U);
      now += std::chrono::nanoseconds{static_cast<std::int64_t>(pause * 3e9 / per_second)};
    }
    for (std::size_t first = 0; first < begun.size(); ++first) {
      for (std::size_t last = first; last < begun.size(); ++last) {
        const std::chrono::duration<double> stretch = begun[last] - begun[first];
        ASSERT_LE(static_cast<double>(last - first + 1),
                  per_second * stretch.count() + burst + 1e-6)
            << per_second;
      }
    }
  }
}

TEST(Rate, a_late_taker_has_lost_no_more_than_the_burst_can_hold) {
  RateLimit rate{100};
  rate.take(kStart);
  EXPECT_EQ(rate.available(kStart + 1h), 10U);
}

TEST(Rate, another_rate_remembers_what_was_begun_of_late) {
  RateLimit rate{1};
  rate.take(kStart);
  rate.change(10, kStart);
  EXPECT_EQ(rate.available_at(1, kStart), kStart + 100ms);
  rate.take(kStart + 100ms);
  rate.change(0.1, kStart + 100ms);
  EXPECT_EQ(rate.available_at(1, kStart), kStart + 100ms + 10s);
  rate.change(std::nullopt, kStart + 100ms);
  EXPECT_GT(rate.available(kStart + 100ms), 1'000U);
}

}  // namespace
}  // namespace dispatcher
