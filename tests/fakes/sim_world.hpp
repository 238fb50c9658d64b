// Simulated time: two clocks, and all that happens later. The loop of a simulated process is a real
// io_context that is polled on one thread; when nothing in it is ready, time moves on to the next
// thing that happens. Everything follows from the seed: no thread, no real clock.
#pragma once

#include "fakes/manual_clock.hpp"
#include "ports/clock.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace dispatcher::fakes {

// A coroutine that waits. Calling it lets the coroutine go on from its loop; dropping the last copy
// uncalled destroys the coroutine, as the end of its process would. Whoever holds it must not be
// owned by that coroutine: the two would keep each other alive.
class Resumption {
 public:
  template <class Handler>
  explicit Resumption(Handler handler)
      : waiter_(std::make_shared<Waiter<Handler>>(std::move(handler))) {}

  void operator()(bool value) const { waiter_->resume(value); }

 private:
  struct WaiterBase {
    virtual ~WaiterBase() = default;
    virtual void resume(bool value) = 0;
  };
  template <class Handler>
  struct Waiter : WaiterBase {
    explicit Waiter(Handler given) : handler(std::move(given)) {}
    void resume(bool value) override {
      auto executor = boost::asio::get_associated_executor(*handler);
      auto taken = std::move(*handler);
      handler.reset();
      boost::asio::post(executor, [taken = std::move(taken), value]() mutable { taken(value); });
    }
    std::optional<Handler> handler;
  };
  std::shared_ptr<WaiterBase> waiter_;
};

class SimWorld {
 public:
  using Key = std::pair<MonoTime, std::uint64_t>;
  // Told whether its time was reached; false when it was called off.
  using Happening = std::function<void(bool reached)>;

  [[nodiscard]] const Clock& clock() const { return clock_; }

  // Happens once nothing is ready and the clock is there; in the order of time, then of asking.
  Key schedule(MonoTime when, Happening happening);
  // Makes it happen now, not reached. Nothing when it has happened already.
  void call_off(const Key& key);
  // As if it had never been asked for.
  void forget(const Key& key);
  // The process has died: nothing that waits goes on.
  void forget_all();

  // Moves time to the next happening and lets it happen. False when there is none.
  bool advance();

  // Time goes by in which nothing happens.
  void pass(std::chrono::microseconds duration) { clock_.advance(duration); }

  // Lets the wall clock jump.
  void jump_wall(std::chrono::microseconds distance);

  // How often it has jumped.
  [[nodiscard]] std::size_t jumps() const { return jumps_; }

  // The latest wall time shown at or after `since`: a jump back does not make undone what was due.
  [[nodiscard]] WallTime latest_wall_since(MonoTime since) const;

 private:
  struct Jump {
    MonoTime at;
    WallTime before;
  };

  ManualClock clock_;
  std::map<Key, Happening> happenings_;
  std::uint64_t next_number_ = 0;
  std::size_t jumps_ = 0;
  std::vector<Jump> jumps_back_;
};

// Timers in simulated time.
class SimTimers : public Timers {
 public:
  explicit SimTimers(SimWorld& world) : world_(world) {}
  [[nodiscard]] std::unique_ptr<Timer> make() override;

 private:
  SimWorld& world_;
};

// For fakes that need a timer as a value.
class SimTimer : public Timer {
 public:
  explicit SimTimer(SimWorld& world) : world_(world) {}
  ~SimTimer() override;
  SimTimer(const SimTimer&) = delete;
  SimTimer& operator=(const SimTimer&) = delete;

  [[nodiscard]] boost::asio::awaitable<bool> wait_until(MonoTime when) override;
  void cancel() override;

 private:
  SimWorld& world_;
  std::optional<SimWorld::Key> key_;
};

}  // namespace dispatcher::fakes
