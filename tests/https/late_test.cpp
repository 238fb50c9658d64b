// Checks that a request whose deadline has passed sends nothing, a kept connection or not.
#include "https/world.hpp"

#include <gtest/gtest.h>

namespace dispatcher::test {
namespace {

using std::chrono::milliseconds;

TEST(https_late, a_deadline_that_has_passed_sends_nothing) {
  Imposter imposter{always_tls(std::string{kOk}), &local_tls()};
  World world;
  EXPECT_EQ(outcome(world.send(post(https_url(imposter)))), "status 200");
  HttpRequest late = post_within(https_url(imposter), milliseconds{-100});
  EXPECT_TRUE(outcome(world.send(std::move(late))).starts_with("timeout: "));
}

}  // namespace
}  // namespace dispatcher::test
