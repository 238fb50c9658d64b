#include "simulation/simulation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <deque>

namespace dispatcher::simulation {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::size_t kTraceLines = 120;
// Far beyond what any scenario needs: past these something hangs or spins.
constexpr std::uint64_t kMostSteps = 20'000'000;
constexpr std::uint64_t kMostStepsAtOneTime = 100'000;
constexpr std::chrono::hours kLongestLife{24 * 3};
// What an attempt under way has left after SIGTERM.
constexpr seconds kGrace{25};
// The grace, and what recording what was aborted may take.
constexpr seconds kLongestStop{30};
constexpr seconds kLongestStopAtOnce{5};

// Calls of the store that take their time, and fail before anything is applied.
class StoreFaultPlan : public fakes::StoreFaults {
 public:
  StoreFaultPlan(fakes::SimWorld& world, fakes::SimRandom random, const StoreFaultOdds& odds)
      : world_(world), random_(random), odds_(odds) {}

  void heal() { odds_ = {}; }

  boost::asio::awaitable<Result<void>> before(fakes::StoreOperation operation) override {
    co_await pause();
    if (random_.chance(odds_of(operation))) {
      co_return make_error(random_.chance(0.8) ? ErrorKind::retry_later : ErrorKind::overloaded,
                           "simulated");
    }
    co_return Result<void>{};
  }
  boost::asio::awaitable<void> after(fakes::StoreOperation /*operation*/) override {
    return pause();
  }

 private:
  boost::asio::awaitable<void> pause() {
    if (odds_.longest_latency.count() > 0) {
      fakes::SimTimer timer{world_};
      co_await timer.wait_until(world_.clock().monotonic() +
                                random_.between(microseconds{0}, odds_.longest_latency));
    }
  }
  [[nodiscard]] double odds_of(fakes::StoreOperation operation) const {
    using enum fakes::StoreOperation;
    switch (operation) {
      case append: return odds_.append_fails;
      case claim: return odds_.claim_fails;
      case settle: return odds_.settle_fails;
      case give_back: return odds_.give_back_fails;
      case configure: return odds_.configure_fails;
      case consume: return odds_.consume_fails;
      case release: return odds_.release_fails;
      case read: return odds_.read_fails;
      case maintain: return odds_.maintain_fails;
    }
    return 0;
  }

  fakes::SimWorld& world_;
  fakes::SimRandom random_;
  StoreFaultOdds odds_;
};

class Simulation {
 public:
  Simulation(const Scenario& scenario, const Breakage& breakage, bool with_trace)
      : scenario_(scenario),
        random_(scenario.seed ^ 0x5EED'0F'A11'1F3ULL),
        log_(with_trace ? LogLevel::debug : LogLevel::error, LogFormat::text,
             [this, with_trace](std::string_view line) {
               if (with_trace) {
                 trace(line.substr(std::min<std::size_t>(27, line.size())));
               }
             }),
        store_faults_(world_, random_.split(), scenario.store),
        store_(breakage.store
                   ? breakage.store(world_.clock(), &store_faults_)
                   : std::make_unique<fakes::MemoryStore>(world_.clock(), &store_faults_)),
        receivers_(world_, random_.split(), scenario.network),
        checker_(scenario, world_, *store_, receivers_),
        around_{scenario,
                breakage,
                world_,
                *store_,
                receivers_,
                checker_,
                log_,
                random_,
                world_.clock().monotonic(),
                std::vector<bool>(scenario.events.size()),
                false} {
    receivers_.observe(&checker_);
    for (const std::string& host : scenario.blocked_hosts) {
      receivers_.block(host);
    }
    for (const auto& dead : scenario.dead_hosts) {
      receivers_.take_down(dead.host, around_.started + dead.until);
    }
  }

  Report run() {
    for (std::size_t i = 0; i < scenario_.lives.size() && !checker_.violation(); ++i) {
      live(scenario_.lives[i], static_cast<int>(i));
    }
    if (!checker_.violation()) {
      checker_.check_end();
    }
    report_.violation = checker_.violation();
    report_.visits = receivers_.visits().size();
    report_.simulated = std::chrono::floor<seconds>(world_.clock().monotonic() - around_.started);
    for (const std::string& line : trace_) {
      report_.trace += line + "\n";
    }
    return report_;
  }

 private:
  void live(const Life& life, int number) {
    world_.pass(down_after_);
    const bool is_last = number + 1 == static_cast<int>(scenario_.lives.size());
    trace(fmt::format("life {} begins", number));
    if (is_last && life.steps == 0) {
      heal();
    }
    MonoTime born = world_.clock().monotonic();
    std::uint64_t steps = 0;
    std::uint64_t steps_since_time_moved = 0;
    std::optional<MonoTime> end_by;  // once a stop was asked for
    std::uint64_t crash_at = 0;
    bool has_crashed = false;
    Process process{around_, life, number};
    while (!process.has_ended() && !checker_.violation()) {
      if (process.step()) {
        ++report_.steps;
        ++steps;
        if (is_last && steps == life.steps) {
          heal();
          born = world_.clock().monotonic();
        } else if (steps == life.steps && !end_by) {
          end_by = end(process, life);
          crash_at = end_by && life.steps_to_stop > 0 ? steps + life.steps_to_stop : 0;
          has_crashed = !end_by;
        }
        has_crashed = has_crashed || steps == crash_at;
        if (has_crashed) {
          break;
        }
        if (++steps_since_time_moved > kMostStepsAtOneTime || report_.steps > kMostSteps) {
          checker_.fail("it spins: handlers run on and on");
        }
        continue;
      }
      const bool is_done = process.is_left_alone() && checker_.is_settled();
      if (around_.is_healed && !end_by && is_done && process.stop()) {
        // What was deleted may still be under way.
        checker_.on_stopping(world_.clock().monotonic() + kGrace);
        end_by = world_.clock().monotonic() + kLongestStop;
        continue;
      }
      move_on(process, end_by);
      steps_since_time_moved = 0;
      if (world_.clock().monotonic() > born + kLongestLife) {
        checker_.fail("it hangs: what should have been done long ago is not");
      }
    }
    trace(fmt::format("life {} {} after {} steps, {} in flight", number,
                      has_crashed ? "crashes" : "ends", steps, process.in_flight()));
    check_deadline(process, has_crashed);
    report_.crashes += has_crashed ? 1 : 0;
    checker_.on_life_ends(process.in_flight(), end_by.has_value() || life.deadline.count() > 0);
    store_->crash();
    down_after_ = life.down_after;
  }

  // Until when it must have ended; empty when it is dead already.
  std::optional<MonoTime> end(Process& process, const Life& life) {
    const MonoTime now = world_.clock().monotonic();
    switch (life.end) {
      case LifeEnd::crash: return std::nullopt;
      case LifeEnd::stop:
        trace("SIGTERM");
        checker_.on_stopping(process.deadline() ? now : now + kGrace);
        return process.stop() ? std::optional{now + kLongestStop} : std::nullopt;
      case LifeEnd::stop_at_once:
        trace("SIGTERM twice");
        checker_.on_stopping(now);
        return process.stop_at_once() ? std::optional{now + kLongestStopAtOnce} : std::nullopt;
    }
    return std::nullopt;
  }

  void move_on(const Process& process, std::optional<MonoTime> end_by) {
    if (random_.chance(around_.is_healed ? 0 : scenario_.clock.wall_jumps)) {
      const auto distance =
          random_.between(-scenario_.clock.furthest_jump, scenario_.clock.furthest_jump);
      trace(fmt::format("the wall clock jumps by {} us", distance.count()));
      world_.jump_wall(distance);
    }
    if (!world_.advance()) {
      checker_.fail("it hangs: nothing will ever happen again");
    }
    // A call of the store that was under way may still take its time.
    if (end_by && !process.has_ended() &&
        world_.clock().monotonic() > *end_by + 4 * scenario_.store.longest_latency) {
      checker_.fail("a stop takes longer than it may");
    }
  }

  void check_deadline(const Process& process, bool has_crashed) {
    if (!has_crashed && process.deadline() &&
        world_.clock().monotonic() > *process.deadline() + 4 * scenario_.store.longest_latency) {
      checker_.fail("a run went on past its deadline");
    }
  }

  void heal() {
    trace("all is well from now on");
    around_.is_healed = true;
    store_faults_.heal();
    receivers_.heal();
  }

  void trace(std::string_view what) {
    const auto at = std::chrono::floor<microseconds>(world_.clock().monotonic() - around_.started);
    trace_.push_back(fmt::format("{:>14} us  {}", at.count(), what));
    if (trace_.size() > kTraceLines) {
      trace_.pop_front();
    }
  }

  const Scenario& scenario_;
  fakes::SimRandom random_;
  std::deque<std::string> trace_;
  Log log_;
  fakes::SimWorld world_;
  StoreFaultPlan store_faults_;
  std::unique_ptr<fakes::MemoryStore> store_;
  fakes::SimReceivers receivers_;
  Checker checker_;
  Surroundings around_;
  microseconds down_after_{};
  Report report_;
};

}  // namespace

Report simulate(const Scenario& scenario, const Breakage& breakage, bool with_trace) {
  Simulation simulation{scenario, breakage, with_trace};
  return simulation.run();
}

}  // namespace dispatcher::simulation
