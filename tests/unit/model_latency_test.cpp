// Promises (an endpoint's `stats`): p50 and p99 of the successful requests of late, within an
// eighth, in bounded memory.
#include "model/latency.hpp"

#include <gtest/gtest.h>

namespace dispatcher {
namespace {

using std::chrono::milliseconds;

TEST(Latency, without_a_request_there_is_none) {
  EXPECT_EQ(LatencyHistogram{}.quantile(0.5), std::nullopt);
}

TEST(Latency, each_duration_is_known_within_an_eighth) {
  for (std::int64_t ms = 0; ms < 120'000; ms += ms / 50 + 1) {
    LatencyHistogram histogram;
    histogram.add(milliseconds{ms});
    const auto shown = histogram.quantile(0.5)->count();
    EXPECT_GE(shown, ms);
    EXPECT_LE(static_cast<double>(shown), static_cast<double>(ms) * 1.125) << ms;
    EXPECT_EQ(histogram.quantile(0.99)->count(), shown);
  }
}

TEST(Latency, a_quantile_is_what_that_share_did_not_exceed) {
  LatencyHistogram histogram;
  for (int i = 0; i < 98; ++i) {
    histogram.add(milliseconds{5});
  }
  histogram.add(milliseconds{12});
  histogram.add(milliseconds{15});
  EXPECT_EQ(histogram.quantile(0.5), milliseconds{5});
  EXPECT_EQ(histogram.quantile(0.98), milliseconds{5});
  EXPECT_EQ(histogram.quantile(0.99), milliseconds{12});
  EXPECT_EQ(histogram.quantile(1), milliseconds{15});
}

TEST(Latency, what_is_long_past_weighs_nothing) {
  LatencyHistogram histogram;
  for (int i = 0; i < 1'000; ++i) {
    histogram.add(milliseconds{9});
  }
  for (int i = 0; i < 20'000; ++i) {
    histogram.add(milliseconds{2});
  }
  EXPECT_EQ(histogram.quantile(0.99), milliseconds{2});
}

TEST(Latency, what_is_past_every_bound_counts_as_the_longest) {
  LatencyHistogram histogram;
  histogram.add(milliseconds{-1});
  EXPECT_EQ(histogram.quantile(1), milliseconds{0});
  histogram.add(milliseconds{100'000'000});
  EXPECT_EQ(histogram.quantile(1), milliseconds{131'071});
}

}  // namespace
}  // namespace dispatcher
