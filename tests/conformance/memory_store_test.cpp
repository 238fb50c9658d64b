// The memory store that stands in for a real one in the simulation keeps the same promises.
#include "fakes/memory_store.hpp"
#include "conformance/store_suite.hpp"
#include "fakes/manual_clock.hpp"

namespace dispatcher::conformance {
namespace {

class MemoryWorld : public StoreWorld {
 public:
  Store& store() override { return store_; }
  WallTime now() const override { return clock_.wall(); }
  void advance(std::chrono::microseconds by) override { clock_.advance(by); }
  void kill_and_reopen() override { store_.crash(); }

 private:
  fakes::ManualClock clock_;
  fakes::MemoryStore store_{clock_};
};

INSTANTIATE_TEST_SUITE_P(memory, StoreSuite,
                         ::testing::Values(StoreFactory{
                             "memory", [] { return std::make_unique<MemoryWorld>(); }}),
                         store_factory_name);

}  // namespace
}  // namespace dispatcher::conformance
