// What the embedded store costs: ingest, and claiming and settling against the size of the backlog.
//
//     claim_cost [LARGEST_BACKLOG] [DIRECTORY]
//
// Times of the writer thread are CPU times, which other work on the machine moves little; what to
// look at are the ratios.
#include "adapters/sqlite/store.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

namespace dispatcher {
namespace {

namespace fs = std::filesystem;
using boost::asio::awaitable;

constexpr std::size_t kGroup = 64;
constexpr std::int64_t kRounds = 100;
constexpr int kRepeats = 8;
constexpr std::size_t kPayloadBytes = 418;

class SeededRandom : public Random {
 public:
  std::uint64_t next() override { return engine_(); }

 private:
  std::mt19937_64 engine_{7};
};

class RealClock : public Clock {
 public:
  WallTime wall() const override {
    return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
  }
  MonoTime monotonic() const override { return std::chrono::steady_clock::now(); }
};

// CPU time of the thread of this process that has this name.
double cpu_seconds(std::string_view thread_name) {
  for (const auto& task : fs::directory_iterator{"/proc/self/task"}) {
    std::string name;
    std::getline(std::ifstream{task.path() / "comm"}, name);
    if (name == thread_name) {
      std::uint64_t nanoseconds = 0;
      std::ifstream{task.path() / "schedstat"} >> nanoseconds;
      return static_cast<double>(nanoseconds) / 1e9;
    }
  }
  return 0;
}

struct Cost {
  double wall_us = 0;
  double writer_us = 0;
};

template <class Work>
Cost measure(std::int64_t units, Work work) {
  const double cpu = cpu_seconds("store-writer");
  const auto start = std::chrono::steady_clock::now();
  work();
  const std::chrono::duration<double, std::micro> wall = std::chrono::steady_clock::now() - start;
  const auto count = static_cast<double>(units);
  return {wall.count() / count, (cpu_seconds("store-writer") - cpu) * 1e6 / count};
}

class Bench {
 public:
  explicit Bench(fs::path directory) : directory_(std::move(directory)) {
    fs::remove_all(directory_);
    SqliteStoreOptions options;
    options.directory = directory_;
    store_ = std::move(SqliteStore::open(options, clock_, random_, log_).value());
  }
  ~Bench() {
    store_.reset();
    fs::remove_all(directory_);
  }
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;

  EndpointNumber add_endpoint(const std::string& url, const std::string& type) {
    Endpoint endpoint;
    endpoint.id = secret_endpoint_id(url);
    endpoint.filter.types = {type};
    endpoints_.push_back(endpoint);
    hashes_.push_back(sha256(url));
    return run(store_->configure_endpoints(endpoints_, hashes_)).back().number;
  }

  // `senders` coroutines that append `batch` events at a time, `count` in all.
  void append(std::int64_t count, const std::string& type, int senders, std::int64_t batch) {
    boost::asio::io_context loop{1};
    std::int64_t left = count;
    for (int i = 0; i < senders; ++i) {
      boost::asio::co_spawn(loop, send(left, type, batch), rethrow);
    }
    loop.run();
  }

  std::vector<ClaimedDelivery> claim(EndpointNumber endpoint, std::size_t max) {
    std::vector<ClaimRequest> requests{{endpoint, max}};
    return run(store_->claim(std::move(requests), 16 * 1024 * 1024)).deliveries;
  }

  void give_back(const std::vector<ClaimedDelivery>& claims) {
    std::vector<ClaimToken> tokens;
    for (const ClaimedDelivery& claim : claims) {
      tokens.push_back(claim.token);
    }
    boost::asio::io_context loop{1};
    boost::asio::co_spawn(loop, give_back_all(std::move(tokens)), rethrow);
    loop.run();
  }

  // Settles all of them at the same time.
  void settle(std::vector<ClaimedDelivery> claims) {
    boost::asio::io_context loop{1};
    for (ClaimedDelivery& claim : claims) {
      boost::asio::co_spawn(loop, settle_one(std::move(claim)), rethrow);
    }
    loop.run();
  }

  // As an engine with so many slots: what is settled makes room for what is claimed.
  void drain(EndpointNumber endpoint, std::int64_t count, std::size_t slots) {
    boost::asio::io_context loop{1};
    std::int64_t in_flight = 0;
    boost::asio::co_spawn(loop, drain_all(loop, endpoint, count, slots, in_flight), rethrow);
    loop.run();
  }

  [[nodiscard]] std::int64_t resident_kib() const {
    std::ifstream status{"/proc/self/status"};
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with("VmRSS:")) {
        return std::atoll(line.c_str() + 6);
      }
    }
    return 0;
  }

 private:
  static void rethrow(const std::exception_ptr& bug) {
    if (bug) {
      std::rethrow_exception(bug);
    }
  }

  template <class T>
  T run(awaitable<Result<T>> call) {
    boost::asio::io_context loop{1};
    std::optional<Result<T>> answer;
    boost::asio::co_spawn(loop, std::move(call), [&](const std::exception_ptr& bug, Result<T> got) {
      rethrow(bug);
      answer.emplace(std::move(got));
    });
    loop.run();
    return std::move(*answer).value();
  }

  awaitable<void> send(std::int64_t& left, std::string type, std::int64_t batch) {
    while (left > 0) {
      AppendRequest request;
      for (std::int64_t i = 0; i < batch && left > 0; ++i, --left) {
        Event event;
        event.created_at = clock_.wall();
        event.id = make_uuid_v7(event.created_at, ids_.next(), ids_.next());
        event.type = type;
        event.source = "bench";
        event.payload = payload_;
        request.events.push_back(std::move(event));
      }
      const auto answer = co_await store_->append(std::move(request));
      answer.value();
    }
  }

  awaitable<void> give_back_all(std::vector<ClaimToken> tokens) {
    (co_await store_->give_back(std::move(tokens))).value();
  }

  awaitable<void> settle_one(ClaimedDelivery claim) {
    Settlement settlement;
    settlement.token = claim.token;
    settlement.event_id = claim.event->id;
    settlement.endpoint = claim.endpoint;
    settlement.attempt.started_at = clock_.wall();
    settlement.attempt.outcome = Outcome::delivered;
    settlement.attempt.status = 200;
    settlement.attempt.remote_address = "127.0.0.1:8443";
    settlement.decision = Delivered{};
    (co_await store_->settle(std::move(settlement))).value();
  }

  awaitable<void> settle_and_free(ClaimedDelivery claim, std::int64_t& in_flight) {
    co_await settle_one(std::move(claim));
    --in_flight;
  }

  awaitable<void> drain_all(boost::asio::io_context& loop, EndpointNumber endpoint,
                            std::int64_t count, std::size_t slots, std::int64_t& in_flight) {
    while (count > 0) {
      const auto free = static_cast<std::int64_t>(slots) - in_flight;
      if (free == 0) {
        co_await boost::asio::post(loop, boost::asio::use_awaitable);
        continue;
      }
      std::vector<ClaimRequest> requests{
          {endpoint, static_cast<std::size_t>(std::min(free, count))}};
      auto answer = co_await store_->claim(std::move(requests), 16 * 1024 * 1024);
      for (ClaimedDelivery& claim : answer.value().deliveries) {
        ++in_flight;
        --count;
        boost::asio::co_spawn(loop, settle_and_free(std::move(claim), in_flight), rethrow);
      }
    }
    while (in_flight > 0) {
      co_await boost::asio::post(loop, boost::asio::use_awaitable);
    }
  }

  fs::path directory_;
  RealClock clock_;
  SeededRandom random_;  // the store's alone: its thread uses it
  SeededRandom ids_;
  Log log_{LogLevel::warning, LogFormat::text, Log::stderr_sink()};
  std::string payload_ = "{\"data\":\"" + std::string(kPayloadBytes - 11, 'x') + "\"}";
  std::vector<Endpoint> endpoints_;
  std::vector<Sha256Digest> hashes_;
  std::unique_ptr<SqliteStore> store_;
};

void print_append(const fs::path& directory) {
  Bench bench{directory};
  (void)bench.add_endpoint("https://a.example/", "*");
  bench.append(20'000, "warm", 64, 1);
  constexpr std::int64_t kEvents = 200'000;
  const Cost cost = measure(kEvents, [&] { bench.append(kEvents, "t", 64, 1); });
  fmt::print("append, 64 at a time          {:8.0f} events/s  {:6.2f} us of the writer each\n",
             1e6 / cost.wall_us, cost.writer_us);
  const Cost batch = measure(kEvents, [&] { bench.append(kEvents, "t", 1, 1'000); });
  fmt::print("append, batches of 1,000      {:8.0f} events/s  {:6.2f} us of the writer each\n",
             1e6 / batch.wall_us, batch.writer_us);
}

// The best of several: other work on the machine only ever adds.
Cost claim_cost(Bench& bench, EndpointNumber endpoint) {
  Cost best{1e9, 1e9};
  for (int i = 0; i < kRepeats; ++i) {
    const Cost cost = measure(kRounds, [&] {
      for (std::int64_t round = 0; round < kRounds; ++round) {
        bench.give_back(bench.claim(endpoint, kGroup));
      }
    });
    best = {std::min(best.wall_us, cost.wall_us), std::min(best.writer_us, cost.writer_us)};
  }
  return best;
}

void print_claims(const char* name, const Cost& claim, const Cost& settle, const Cost& first) {
  fmt::print("{:<30}{:8.1f} us  {:8.1f} us  x{:<5.2f}  {:8.2f} us  {:8.0f} events/s\n", name,
             claim.wall_us, claim.writer_us, claim.writer_us / first.writer_us, settle.writer_us,
             1e6 / settle.wall_us);
}

Cost drain_cost(Bench& bench, EndpointNumber endpoint, std::int64_t count) {
  return measure(count, [&] { bench.drain(endpoint, count, 256); });
}

void print_backlogs(const fs::path& directory, std::int64_t largest) {
  fmt::print("{:<30}{:>11}  {:>11}  {:<6}  {:>11}  {:>17}\n", "waiting", "claim of 64", "CPU",
             "ratio", "drain CPU", "drain of 256 slots");
  std::optional<Cost> first;
  for (const std::int64_t waiting : {std::int64_t{1'000}, std::int64_t{100'000}, largest}) {
    Bench bench{directory};
    const auto endpoint = bench.add_endpoint("https://a.example/", "*");
    bench.append(waiting, "t", 4, 1'000);
    const Cost claim = claim_cost(bench, endpoint);
    const Cost drain = drain_cost(bench, endpoint, std::min<std::int64_t>(waiting, 50'000));
    first = first.value_or(claim);
    print_claims(fmt::format("{}", waiting).c_str(), claim, drain, *first);
    fmt::print("{:<30}{:8.1f} MB resident\n", "", bench.resident_kib() / 1024.0);
  }
  Bench bench{directory};
  (void)bench.add_endpoint("https://paused.example/", "paused");
  const auto endpoint = bench.add_endpoint("https://a.example/", "t");
  bench.append(largest, "paused", 4, 1'000);
  bench.append(1'000, "t", 4, 1'000);
  const Cost claim = claim_cost(bench, endpoint);
  const Cost drain = drain_cost(bench, endpoint, 1'000);
  print_claims(fmt::format("1000, {} of another", largest).c_str(), claim, drain, *first);
}

}  // namespace
}  // namespace dispatcher

int main(int argc, char** argv) {
  const std::int64_t largest = argc > 1 ? std::atoll(argv[1]) : 1'000'000;
  const auto parent =
      argc > 2 ? std::filesystem::path{argv[2]} : std::filesystem::temp_directory_path();
  std::string made = (parent / "claim-cost-XXXXXX").string();
  if (mkdtemp(made.data()) == nullptr) {
    fmt::print(stderr, "cannot make a directory in {}\n", parent.string());
    return 1;
  }
  const auto directory = std::filesystem::path{made} / "data";
  dispatcher::print_append(directory);
  dispatcher::print_backlogs(directory, largest);
  std::filesystem::remove_all(made);
  return 0;
}
