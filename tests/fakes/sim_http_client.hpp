// Simulated receivers, and an HttpClient whose requests go to them. What a receiver saw outlives
// the dispatcher's crashes; a request under way does not.
#pragma once

#include "base/bytes.hpp"
#include "fakes/sim_random.hpp"
#include "fakes/sim_world.hpp"
#include "ports/http_client.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace dispatcher::fakes {

// Probabilities, each for one request.
struct NetworkFaults {
  // Before the receiver has it.
  double unresolved = 0;
  double refused = 0;
  double untrusted = 0;  // the TLS handshake fails
  double reset_before = 0;
  // The receiver has processed it, and its answer is not read.
  double reset_after = 0;
  double garbled = 0;
  double never_answers = 0;
  double slow = 0;  // takes up to twice the deadline
  // Answers that are no success.
  double server_error = 0;
  double too_many = 0;     // 429
  double retry_after = 0;  // of those 429 and 503: says when
  double rejected = 0;     // 4xx
  double redirected = 0;
  // From now on nothing is accepted, for up to `longest_outage`.
  double outage = 0;
  std::chrono::seconds longest_outage{60};
  std::chrono::microseconds longest_latency = std::chrono::milliseconds{50};
  std::chrono::seconds longest_retry_after{20};
};

// One request, as its receiver and the wire know it.
struct Visit {
  std::string host;
  std::string webhook_id;
  std::string timestamp;   // `webhook-timestamp`
  std::string signatures;  // `webhook-signature`
  std::string body;
  int process = 0;  // which of the dispatcher's lives sent it
  MonoTime sent_at{};
  WallTime sent_wall{};
  MonoTime deadline{};
  bool is_processed = false;  // the receiver has it
  int status = 0;             // what it answers, once processed
  // What a Retry-After asked for, as seconds or as a date.
  std::optional<std::chrono::seconds> retry_after;
  std::optional<WallTime> retry_date;
  // Once the client knows how it ended. Without: still under way, or its process died.
  std::optional<MonoTime> ended_at;
  WallTime ended_wall{};
  std::optional<FailureKind> failure;

  // What its Retry-After means; empty when there was none, or nobody read it.
  [[nodiscard]] std::optional<WallTime> retry_not_before() const {
    if (!is_read() || (!retry_after && !retry_date)) {
      return std::nullopt;
    }
    return retry_date ? *retry_date : ended_wall + *retry_after;
  }
  [[nodiscard]] bool is_read() const { return ended_at && !failure; }
  [[nodiscard]] bool is_read_success() const { return is_read() && status >= 200 && status < 300; }
};

class SimReceivers {
 public:
  // Told of each request as it starts and as it ends.
  struct Observer {
    virtual ~Observer() = default;
    virtual void on_sent(std::size_t visit) = 0;
    virtual void on_ended(std::size_t visit) = 0;
  };

  // Both outlive it.
  SimReceivers(SimWorld& world, SimRandom random, NetworkFaults faults)
      : world_(world), random_(random), faults_(faults) {}

  void observe(Observer* observer) { observer_ = observer; }
  // Requests to this host are refused by policy.
  void block(const std::string& host) { blocked_.insert(host); }
  // Nothing is accepted by this host until then, or until all heals.
  void take_down(const std::string& host, MonoTime until) { down_until_[host] = until; }
  // From now on every request is taken and answered at once.
  void heal();

  [[nodiscard]] const std::vector<Visit>& visits() const { return visits_; }

 private:
  friend class SimHttpClient;

  // How one request will go.
  struct Script {
    std::optional<FailureKind> failure_before;  // of the receiver having it
    std::optional<FailureKind> failure_after;
    std::chrono::microseconds to_arrive{};
    std::chrono::microseconds to_answer{};
    Answer answer;
    std::optional<std::chrono::seconds> retry_after;
    std::optional<WallTime> retry_date;
  };
  Script script_for(const HttpRequest& request);
  void script_answer(Script& script);
  void script_retry_after(Script& script);
  std::size_t begin(const HttpRequest& request, int process);
  void process(std::size_t visit, const Script& script);
  void end(std::size_t visit, const Exchange& exchange);

  SimWorld& world_;
  SimRandom random_;
  NetworkFaults faults_;
  Observer* observer_ = nullptr;
  std::set<std::string> blocked_;
  std::map<std::string, MonoTime> down_until_;
  std::vector<Visit> visits_;
};

class SimHttpClient : public HttpClient {
 public:
  // `process` names the life of the dispatcher that this client belongs to.
  SimHttpClient(SimWorld& world, SimReceivers& receivers, int process)
      : world_(world), receivers_(receivers), process_(process) {}

  [[nodiscard]] boost::asio::awaitable<Exchange> send(HttpRequest request) override;
  void abort() override;
  [[nodiscard]] std::uint64_t connections_opened() const override { return connections_opened_; }

 private:
  boost::asio::awaitable<Exchange> play(SimReceivers::Script script, std::size_t visit,
                                        MonoTime deadline);
  // Empty when that much later is reached; what ended it otherwise: the deadline or `abort`.
  boost::asio::awaitable<std::optional<FailureKind>> wait(std::chrono::microseconds duration,
                                                          MonoTime deadline);

  SimWorld& world_;
  SimReceivers& receivers_;
  int process_;
  bool is_aborted_ = false;
  std::uint64_t connections_opened_ = 0;
  std::vector<SimTimer*> waiting_;  // in the order of their requests
};

}  // namespace dispatcher::fakes
