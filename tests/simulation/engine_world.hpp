// The real engine in simulated time, for tests that say what happens: receivers that answer as
// told, and an inbox that keeps what it was asked.
#pragma once

#include "base/log.hpp"
#include "engine/runtime.hpp"
#include "fakes/memory_store.hpp"
#include "fakes/recording_metrics.hpp"
#include "fakes/sim_random.hpp"
#include "fakes/sim_world.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace dispatcher::simulation {

// Answers each request after a moment, as its host is told to.
class ToldReceivers : public HttpClient {
 public:
  explicit ToldReceivers(fakes::SimWorld& world) : world_(world) {}

  boost::asio::awaitable<Exchange> send(HttpRequest request) override {
    sent.emplace_back(request.url.host, world_.clock().monotonic());
    last = request;
    fakes::SimTimer timer{world_};
    const auto& host = request.url.host;
    const bool fails = failures[host] > 0;
    failures[host] -= fails ? 1 : 0;
    const auto time = takes_at.contains(host) ? takes_at.at(host) : takes;
    co_await timer.wait_until(world_.clock().monotonic() + time);
    Exchange exchange;
    exchange.result = fails                    ? Answer{503, {}, ""}
                      : answers.contains(host) ? answers.at(host)
                                               : Answer{200, {{"X-Seen", "yes"}}, "ok"};
    co_return exchange;
  }
  void abort() override {}
  [[nodiscard]] std::uint64_t connections_opened() const override { return 0; }

  [[nodiscard]] std::size_t sent_to(const std::string& host) const {
    return static_cast<std::size_t>(
        std::ranges::count(sent, host, &std::pair<std::string, MonoTime>::first));
  }

  std::chrono::microseconds takes = std::chrono::milliseconds{10};
  std::map<std::string, std::chrono::microseconds> takes_at;  // by host; instead of `takes`
  std::map<std::string, int> failures;  // by host: so many requests are answered 503 first
  std::map<std::string, Answer> answers;
  std::vector<std::pair<std::string, MonoTime>> sent;
  HttpRequest last;

 private:
  fakes::SimWorld& world_;
};

// The store's, which keeps what it was asked.
class RecordingInbox : public Inbox {
 public:
  explicit RecordingInbox(fakes::MemoryStore& store) : store_(store) {}

  boost::asio::awaitable<Result<ClaimAnswer>> claim(std::vector<ClaimRequest> requests,
                                                    std::size_t max_bytes) override {
    ++claims;
    for (const ClaimRequest& request : requests) {
      ++claims_of[request.endpoint];
    }
    return store_.claim(std::move(requests), max_bytes);
  }
  boost::asio::awaitable<Result<SettleAnswer>> settle(Settlement settlement) override {
    settled.push_back(settlement);
    return store_.settle(std::move(settlement));
  }
  boost::asio::awaitable<Result<void>> give_back(std::vector<ClaimToken> tokens) override {
    given_back += tokens.size();
    return store_.give_back(std::move(tokens));
  }
  void on_due(DueHint hint) override { store_.on_due(std::move(hint)); }

  std::size_t claims = 0;
  std::map<EndpointNumber, std::size_t> claims_of;
  std::size_t given_back = 0;
  std::vector<Settlement> settled;

 private:
  fakes::MemoryStore& store_;
};

class EngineWorld {
 public:
  // `faults`, if there are any, outlive it.
  explicit EngineWorld(std::size_t max_in_flight = 64, fakes::StoreFaults* faults = nullptr)
      : store(world.clock(), faults) {
    options.max_in_flight = max_in_flight;
  }
  ~EngineWorld() { world.forget_all(); }
  EngineWorld(const EngineWorld&) = delete;
  EngineWorld& operator=(const EngineWorld&) = delete;

  // `host.example`, which takes only events of the type `host`.
  Endpoint& add(const std::string& host, int concurrency = 4) {
    Endpoint endpoint;
    endpoint.id = "ep_" + host;
    endpoint.origin = EndpointOrigin::api;
    endpoint.url = *parse_webhook_url("https://" + host + ".example/secret-path");
    endpoint.filter.types = {host};
    endpoint.concurrency = concurrency;
    endpoints.push_back(std::move(endpoint));
    return endpoints.back();
  }

  void start() {
    std::vector<Sha256Digest> hashes;
    for (const Endpoint& endpoint : endpoints) {
      hashes.push_back(sha256(endpoint.id));
    }
    await(store.configure_endpoints(endpoints, std::move(hashes)),
          [this](auto configured) { endpoints = *configured; });
    engine = std::make_unique<Engine>(
        loop.get_executor(), EnginePorts{inbox, http, world.clock(), timers, random, metrics, log},
        endpoints, options);
    runtime = std::make_unique<EngineRuntime>(loop.get_executor(), *engine);
    boost::asio::co_spawn(loop, engine->run(), [this](const std::exception_ptr& bug) {
      has_ended = true;
      if (bug) {
        std::rethrow_exception(bug);
      }
    });
  }

  void ingest(const std::string& type, int count) {
    AppendRequest request;
    for (int i = 0; i < count; ++i) {
      Event event;
      event.created_at = world.clock().wall();
      event.id = make_uuid_v7(event.created_at, random.next(), random.next());
      event.type = type;
      event.payload = "{}";
      request.events.push_back(std::move(event));
    }
    await(store.append(std::move(request)), [](const auto&) {});
  }

  // Until nothing is left to do, or so much time has passed.
  void run_for(std::chrono::microseconds duration) {
    const MonoTime end = world.clock().monotonic() + duration;
    bool is_over = false;
    world.schedule(end, [&is_over](bool) { is_over = true; });
    poll();
    while (!is_over && world.advance()) {
      poll();
    }
  }

  template <class T, class Take>
  void await(boost::asio::awaitable<T> call, Take take) {
    bool is_done = false;
    boost::asio::co_spawn(loop, std::move(call), [&](const std::exception_ptr& bug, T answer) {
      if (bug) {
        std::rethrow_exception(bug);
      }
      is_done = true;
      take(std::move(answer));
    });
    poll();
    while (!is_done && world.advance()) {
      poll();
    }
  }

  [[nodiscard]] std::size_t lines_with(std::string_view words) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        lines, [words](const std::string& line) { return line.find(words) != std::string::npos; }));
  }

  fakes::SimWorld world;
  fakes::SimTimers timers{world};
  fakes::SimRandom random{1};
  fakes::MemoryStore store;
  RecordingInbox inbox{store};
  ToldReceivers http{world};
  fakes::RecordingMetrics metrics;
  std::vector<std::string> lines;
  Log log{LogLevel::info, LogFormat::text,
          [this](std::string_view line) { lines.emplace_back(line); }};
  EngineOptions options;
  std::vector<Endpoint> endpoints;
  std::unique_ptr<Engine> engine;
  std::unique_ptr<EngineRuntime> runtime;
  bool has_ended = false;
  // Destroyed first: what waits in it refers to all of the above.
  boost::asio::io_context loop{1};

 private:
  void poll() {
    while (loop.poll() > 0) {
    }
    loop.restart();
  }
};

}  // namespace dispatcher::simulation
