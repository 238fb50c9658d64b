// Promises ("Deadlines"): a run keeps 5 s of its time, or a fifth if that is less, starts no
// attempt that cannot finish before, and a short run shortens its attempts but starts none under 1
// s.
#include "engine/pass_limit.hpp"

#include <gtest/gtest.h>

namespace dispatcher {
namespace {

using namespace std::chrono_literals;

constexpr MonoTime kStart{1'000s};

struct Case {
  const char* what;
  std::chrono::milliseconds run;
  std::chrono::milliseconds now;  // since the start
  std::chrono::milliseconds timeout;
  std::optional<std::chrono::milliseconds> expected;  // the attempt's end, since the start
};

TEST(PassLimit, gives_each_attempt_the_time_that_the_page_says) {
  const Case cases[] = {
      {"a long run, at its start", 300s, 0s, 30s, 30s},
      {"the last full attempt ends with the reserve", 300s, 265s, 30s, 295s},
      {"one that would end in the reserve is not started", 300s, 265'001ms, 30s, std::nullopt},
      {"a fifth is kept of a run of 10 s", 10s, 0s, 8s, 8s},
      {"a run shorter than an attempt shortens it", 10s, 0s, 30s, 8s},
      {"the later attempts of such a run get what is left", 10s, 6s, 30s, 8s},
      {"but not less than a second", 10s, 7'001ms, 30s, std::nullopt},
      {"under a second nothing is started", 1s, 0s, 30s, std::nullopt},
      {"no time at all", 0s, 0s, 30s, std::nullopt},
  };
  for (const Case& one : cases) {
    const PassLimit limit{kStart, kStart + one.run};
    const auto end = limit.attempt_deadline(kStart + one.now, one.timeout);
    const auto expected =
        one.expected ? std::optional<MonoTime>{kStart + *one.expected} : std::nullopt;
    EXPECT_EQ(end, expected) << one.what;
  }
}

TEST(PassLimit, without_a_deadline_nothing_is_limited) {
  const PassLimit limit;
  EXPECT_EQ(limit.attempt_deadline(kStart, 30s), kStart + 30s);
  EXPECT_FALSE(limit.shortens(1h));
}

TEST(PassLimit, says_when_attempts_are_shortened) {
  const PassLimit limit{kStart, kStart + 20s};
  EXPECT_TRUE(limit.shortens(30s));
  EXPECT_FALSE(limit.shortens(16s));
}

}  // namespace
}  // namespace dispatcher
