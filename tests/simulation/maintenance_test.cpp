// Promise: what can wait in the store begins at once when somebody says that there is more of it,
// at whatever moment that is said.
#include "engine/maintenance.hpp"

#include "fakes/memory_store.hpp"
#include "fakes/sim_world.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include <gtest/gtest.h>

namespace dispatcher::simulation {
namespace {

using namespace std::chrono_literals;

// Each step takes a second and leaves nothing to do.
class SlowStore : public fakes::MemoryStore {
 public:
  explicit SlowStore(fakes::SimWorld& world) : MemoryStore(world.clock()), world_(world) {}

  boost::asio::awaitable<Result<bool>> maintain(RetentionPolicy /*policy*/) override {
    ++steps;
    fakes::SimTimer timer{world_};
    co_await timer.wait_until(world_.clock().monotonic() + 1s);
    co_return false;
  }

  int steps = 0;

 private:
  fakes::SimWorld& world_;
};

TEST(Maintenance, a_wake_in_the_middle_of_a_step_is_heeded_after_it) {
  fakes::SimWorld world;
  boost::asio::io_context loop;
  fakes::SimTimers timers{world};
  SlowStore store{world};
  const Log log{LogLevel::error, LogFormat::text, [](std::string_view) {}};
  Maintenance maintenance{store, world.clock(), timers, log, {}};
  boost::asio::co_spawn(loop, maintenance.run(), boost::asio::detached);
  loop.poll();
  ASSERT_EQ(store.steps, 1);
  maintenance.wake();
  ASSERT_TRUE(world.advance());  // the step ends
  loop.poll();
  EXPECT_EQ(store.steps, 2);
  maintenance.stop();
  while (world.advance()) {
    loop.poll();
  }
}

}  // namespace
}  // namespace dispatcher::simulation
