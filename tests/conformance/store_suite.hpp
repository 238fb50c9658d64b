// The promises of ports/store.hpp as tests that run against every store. A store joins with one
// file of its own:
//
//     INSTANTIATE_TEST_SUITE_P(memory, StoreSuite, ::testing::Values(StoreFactory{"memory", make}),
//                              store_factory_name);
#pragma once

#include "ports/store.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <gtest/gtest.h>

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace dispatcher::conformance {

// A store with the clock it runs on, which stands still unless it is advanced.
class StoreWorld {
 public:
  virtual ~StoreWorld() = default;

  [[nodiscard]] virtual Store& store() = 0;
  [[nodiscard]] virtual WallTime now() const = 0;
  virtual void advance(std::chrono::microseconds by) = 0;

  // What a kill and a new start leave: everything durable, and none of the engine's leases. The
  // store before is gone.
  virtual void kill_and_reopen() = 0;
};

struct StoreFactory {
  std::string name;
  std::function<std::unique_ptr<StoreWorld>()> make;
};

inline std::ostream& operator<<(std::ostream& out, const StoreFactory& factory) {
  return out << factory.name;
}

inline std::string store_factory_name(const ::testing::TestParamInfo<StoreFactory>& info) {
  return info.param.name;
}

// The loop of `run` and `run_together`. It outlives every store: the thread that answered may still
// be waking it when the answer has been taken.
inline boost::asio::io_context& test_loop() {
  static boost::asio::io_context loop{1};
  return loop;
}

// Runs all of these calls of a store to their ends, at the same time.
template <class T>
std::vector<T> run_together(std::vector<boost::asio::awaitable<T>> calls) {
  boost::asio::io_context& loop = test_loop();
  std::vector<std::optional<T>> answers(calls.size());
  for (std::size_t i = 0; i < calls.size(); ++i) {
    boost::asio::co_spawn(loop, std::move(calls[i]),
                          [&slot = answers[i]](const std::exception_ptr& bug, T value) {
                            if (bug) {
                              std::rethrow_exception(bug);
                            }
                            slot.emplace(std::move(value));
                          });
  }
  loop.restart();
  loop.run();
  std::vector<T> values;
  values.reserve(answers.size());
  for (auto& answer : answers) {
    if (!answer) {
      throw std::logic_error("the store let the loop run out of work before it answered");
    }
    values.push_back(std::move(*answer));
  }
  return values;
}

template <class T>
T run(boost::asio::awaitable<T> call) {
  std::vector<boost::asio::awaitable<T>> calls;
  calls.push_back(std::move(call));
  return std::move(run_together(std::move(calls)).front());
}

class StoreSuite : public ::testing::TestWithParam<StoreFactory> {
 protected:
  void SetUp() override { world_ = GetParam().make(); }

  [[nodiscard]] Store& store() { return world_->store(); }
  [[nodiscard]] WallTime now() const { return world_->now(); }
  void advance(std::chrono::microseconds by) { world_->advance(by); }
  void kill_and_reopen() { world_->kill_and_reopen(); }

  // -- making

  // A new event, created now, not yet appended.
  [[nodiscard]] Event make_event(std::string type = "order.created", std::string source = "shop",
                                 std::string payload = R"({"n":1})");
  // Appends one and returns it.
  Event append_event(std::string type = "order.created", std::string source = "shop",
                     std::string payload = R"({"n":1})");
  std::vector<Event> append_events(std::size_t count);

  // Configures exactly these URLs as endpoints that take everything, as the secret would.
  std::vector<Endpoint> configure(const std::vector<std::string>& urls);
  // The same with a filter for each.
  std::vector<Endpoint> configure(const std::vector<std::string>& urls,
                                  const std::vector<EventFilter>& filters);

  // As `POST /endpoints` would; takes everything unless told otherwise.
  EndpointRecord create(const std::string& id, EventFilter filter = {},
                        EndpointStart start = EndpointStart::now);
  // Reads the endpoint of that id, changes it, and saves it.
  EndpointRecord change(const std::string& id, const std::function<void(EndpointRecord&)>& edit);

  // Calls `maintain` until it says that there is nothing more to do at once.
  void maintain_all(RetentionPolicy policy = {});

  // -- doing

  [[nodiscard]] ClaimAnswer claim(EndpointNumber endpoint, std::size_t max);
  [[nodiscard]] std::vector<ClaimedDelivery> claimed(EndpointNumber endpoint, std::size_t max) {
    return claim(endpoint, max).deliveries;
  }
  // An attempt at the claimed delivery that ends as `decision` says.
  [[nodiscard]] Settlement settlement(const ClaimedDelivery& claimed, Decision decision) const;
  Result<void> settle(const ClaimedDelivery& claimed, Decision decision);
  // A settlement whose answer is needed.
  Result<SettleAnswer> settle_and_claim(const ClaimedDelivery& claimed, Decision decision,
                                        std::size_t next);
  Result<std::int64_t> release(const EventId& id, ReleaseAction action,
                               std::optional<std::string> endpoint_id = {});
  // All steps of a release by filter, `step` events at a time; adds up what they answer, which is
  // what a trial of it has answered.
  ReleaseStep release_all(const EventQuery& query, ReleaseAction action, std::size_t step = 100);
  ReleaseStep add_up_release(
      const std::function<Result<ReleaseStep>(std::optional<std::int64_t>)>& take_step,
      std::size_t step);
  Result<void> give_back(const std::vector<ClaimedDelivery>& claims);
  [[nodiscard]] LeasedEvents lease(std::size_t limit, std::chrono::seconds duration);
  Result<AckAnswer> ack(const EventId& id, std::optional<std::string> token = {});
  Result<EventView> nack(const EventId& id, std::string token, NackRequest request);

  // -- looking

  [[nodiscard]] EventView view(const EventId& id);
  [[nodiscard]] std::vector<Attempt> attempts(const EventId& id);
  [[nodiscard]] std::vector<EndpointRecord> endpoints();
  // Of that id; the test fails where there is none.
  [[nodiscard]] EndpointRecord endpoint(const std::string& id);
  [[nodiscard]] EndpointCounts counts(EndpointNumber number);
  [[nodiscard]] std::vector<Release> releases(const EventId& id);
  [[nodiscard]] Summary summary();
  [[nodiscard]] std::vector<EventId> pending_ids(std::size_t limit = 100);
  // All pages of a list, `page` at a time.
  [[nodiscard]] std::vector<EventView> list_all(const EventQuery& query, std::size_t page = 100);

 private:
  std::unique_ptr<StoreWorld> world_;
  std::uint64_t events_made_ = 0;
};

// Who releases in these tests, and why.
[[nodiscard]] ReleaseNote tester_note();

[[nodiscard]] std::vector<EventId> ids_of(const std::vector<Event>& events);
[[nodiscard]] std::vector<EventId> ids_of(const std::vector<EventView>& views);
[[nodiscard]] std::vector<EventId> ids_of(const std::vector<ClaimedDelivery>& claims);

}  // namespace dispatcher::conformance
