// The inbox of any Triggers API, over HTTP: what `run` delivers.
//
//     claim: what waits here ► else fetch under a lease ► one delivery for each endpoint
//     settle: delivered everywhere ► ack at once │ a short wait ► kept here │ else ► nack
//
// An API without leases is seen by its answer: then the table behind it is used, where it can be.
// Where it cannot, whole answers are kept, nothing is given back,
// what is not acknowledged stays pending there, and the process remembers what has been tried. Of
// an API with leases it remembers what one endpoint of several has rejected.
#pragma once

#include "adapters/http_inbox/inbox_calls.hpp"
#include "adapters/http_inbox/inbox_memory.hpp"
#include "adapters/http_inbox/taken_events.hpp"
#include "base/log.hpp"
#include "ports/clock.hpp"
#include "ports/run_inbox.hpp"
#include "ports/triggers_api.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

namespace dispatcher {

struct HttpInboxOptions {
  std::int64_t max_events = 100;  // taken in this run
  // How long an attempt may take: a lease covers it and kLeaseReserve.
  std::chrono::microseconds attempt_timeout = std::chrono::seconds{30};
  std::string consumer;              // a label, such as `host:pid`
  std::optional<MonoTime> deadline;  // by when every call has ended; empty: none
  // Where the API has no leases, and its table can be reached: the inbox that works from there on,
  // with the events that the API has shown. Empty: there is no table.
  std::function<std::unique_ptr<RunInbox>(const std::vector<InboxEvent>& shown)> beside_table;
};

// Belongs to one loop, like everything that it is made of, all of which outlives it.
class HttpInbox final : public RunInbox {
 public:
  static constexpr std::chrono::seconds kLeaseReserve{15};
  static constexpr std::chrono::seconds kLongestLease{3600};  // the contract's
  // Between two fetches while deliveries are under way: so that one brings several events.
  static constexpr std::chrono::milliseconds kFetchPause{20};
  // Fetches that fail in a row before the run is given up.
  static constexpr int kMaxFetchFailures = 5;
  // How long recording one event is tried.
  static constexpr std::chrono::seconds kSettlePatience{60};
  // For giving back what is held at the end; what is not given back in time, its lease frees.
  static constexpr std::chrono::seconds kFinishTime{4};
  // Calls at a time where many are made at once.
  static constexpr std::size_t kMaxCalls = 32;

  // `endpoints` have numbers, from 1 on, and the ids of `secret_endpoint_id`. `memory` is that of
  // all runs of this process.
  HttpInbox(TriggersApi& api, const Clock& clock, const Log& log, std::vector<Endpoint> endpoints,
            InboxMemory& memory, HttpInboxOptions options);

  [[nodiscard]] boost::asio::awaitable<Result<ClaimAnswer>> claim(
      std::vector<ClaimRequest> requests, std::size_t max_bytes) override;
  [[nodiscard]] boost::asio::awaitable<Result<SettleAnswer>> settle(Settlement settlement) override;
  [[nodiscard]] boost::asio::awaitable<Result<void>> give_back(
      std::vector<ClaimToken> tokens) override;
  void on_due(DueHint hint) override;

  // What is given back tells what was tried.
  [[nodiscard]] boost::asio::awaitable<void> finish() override;
  void stop() override;
  [[nodiscard]] const RunStats& stats() const override {
    return beside_ ? beside_->stats() : stats_;
  }
  [[nodiscard]] InboxFigures figures() const override;
  [[nodiscard]] const std::optional<RunFailure>& failure() const override {
    return beside_ ? beside_->failure() : failure_;
  }

 private:
  enum class Mode : std::uint8_t { unknown, leases, plain };

  boost::asio::awaitable<Result<void>> fetch(std::size_t limit);
  boost::asio::awaitable<void> take_leased(std::vector<InboxEvent> events, EventLease lease);
  boost::asio::awaitable<void> take_plain(std::vector<InboxEvent> events);
  boost::asio::awaitable<void> acknowledge_delivered(std::vector<InboxEvent> events);
  void heed_figures(const std::vector<InboxEvent>& events);
  void try_one_at_least(std::vector<KnownDelivery>& known) const;
  [[nodiscard]] bool is_done_with(const EventId& id);
  void take(const InboxEvent& event, EventLease lease, const std::vector<KnownDelivery>& known);
  Error note_fetch_failure(Error error);
  [[nodiscard]] Error final_failure() const;

  void remember(const Settlement& settlement);
  boost::asio::awaitable<Result<SettleAnswer>> conclude(ClaimToken token, EventId id);
  boost::asio::awaitable<Result<void>> report(EventId id);
  boost::asio::awaitable<Result<void>> acknowledge(EventId id);
  boost::asio::awaitable<void> renew_expiring();
  boost::asio::awaitable<void> renew(std::string token, std::vector<EventId> ids,
                                     std::int64_t seconds);
  boost::asio::awaitable<void> give_back_event(EventId id);

  [[nodiscard]] std::optional<WallTime> lane_due(EndpointNumber endpoint) const;
  [[nodiscard]] bool may_fetch() const;
  [[nodiscard]] std::optional<MonoTime> fetch_pause_end() const;
  [[nodiscard]] std::size_t fetch_size(const std::vector<ClaimRequest>& requests) const;
  void forget(const EventId& id);
  void hint(EndpointNumber endpoint, WallTime due) const;
  void hint_all(WallTime due) const;
  [[nodiscard]] std::int64_t lease_seconds() const;

  InboxCalls calls_;
  const Clock& clock_;
  const Log& log_;
  InboxMemory& memory_;
  std::vector<Endpoint> endpoints_;
  HttpInboxOptions options_;
  DueHint hint_;
  TakenEvents taken_;
  Mode mode_ = Mode::unknown;
  bool is_exhausted_ = false;  // the inbox has nothing more for this run
  std::int64_t budget_;        // events that may still be taken
  std::optional<MonoTime> last_fetch_;
  int fetch_failures_ = 0;
  std::optional<Error> last_fetch_error_;  // empty after a fetch that went well
  std::optional<RunFailure> failure_;
  std::unordered_set<EventId> seen_;
  // Since when recording an event has failed.
  std::unordered_map<EventId, MonoTime> failing_since_;
  RunStats stats_;
  InboxFigures figures_;
  std::unique_ptr<RunInbox> beside_;  // works in its place
};

}  // namespace dispatcher
