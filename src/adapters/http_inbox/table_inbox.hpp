// The inbox of a Triggers API without leases and of the table behind it: who works on an event, and
// what came of it, is kept on the event's own item.
//
//     claim: what waits here ► else find by the index ► claim each item
//     settle: delivered everywhere ► ack at the API │ else ► the item
//
// docs/design/table.md
#pragma once

#include "adapters/http_inbox/inbox_calls.hpp"
#include "adapters/http_inbox/table_scan.hpp"
#include "adapters/http_inbox/taken_events.hpp"
#include "base/log.hpp"
#include "base/turns.hpp"
#include "ports/clock.hpp"
#include "ports/event_table.hpp"
#include "ports/run_inbox.hpp"
#include "ports/triggers_api.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace dispatcher {

struct TableInboxOptions {
  std::int64_t max_events = 100;  // taken in this run
  // How long an attempt may take: a lease covers it and kLeaseReserve.
  std::chrono::microseconds attempt_timeout = std::chrono::seconds{30};
  std::string lease_token;           // this run's alone
  std::optional<MonoTime> deadline;  // by when every call of the API has ended; empty: none
  // Of a stream's records: these, one attempt each, instead of what the index shows.
  std::optional<std::vector<EventKey>> only;
};

// All outlive the inbox.
struct TableInboxParts {
  TriggersApi& api;
  std::unique_ptr<EventTable> table;
  const Clock& clock;
  const Log& log;
  TableMemory& memory;  // of all runs of this process
};

// Belongs to one loop.
class TableInbox final : public RunInbox {
 public:
  static constexpr std::chrono::seconds kLeaseReserve{15};
  // How long before a lease's end it is extended for what still waits here.
  static constexpr std::chrono::seconds kSettleReserve{5};
  // Claims under way at once.
  static constexpr std::size_t kMaxCalls = 16;
  // Tries to claim, or to read the index, that fail in a row before the run is given up.
  static constexpr int kMaxFailures = 5;
  // Claims of one event that fail before it is left to a later run.
  static constexpr int kMaxClaims = 3;
  // Of the time that there is, kept behind the last call of the API for what the item must say: so
  // much, or this part of it if that is less.
  static constexpr std::chrono::milliseconds kItemTime{1500};
  static constexpr int kItemPart = 16;
  // How long an acknowledgement is tried once the item has what was delivered, and how long
  // anything else is.
  static constexpr std::chrono::seconds kAckPatience{5};
  static constexpr std::chrono::seconds kSettlePatience{60};
  // For giving back what is held at the end; what is not given back in time, its lease frees.
  static constexpr std::chrono::seconds kFinishTime{4};

  // `endpoints` have numbers, from 1 on, and the ids of `secret_endpoint_id`.
  TableInbox(TableInboxParts parts, std::vector<Endpoint> endpoints, TableInboxOptions options);

  // Where the index may not be read: what the API shows. Before the first claim.
  void use_if_unreadable(const std::vector<InboxEvent>& shown);

  [[nodiscard]] boost::asio::awaitable<Result<ClaimAnswer>> claim(
      std::vector<ClaimRequest> requests, std::size_t max_bytes) override;
  [[nodiscard]] boost::asio::awaitable<Result<SettleAnswer>> settle(Settlement settlement) override;
  [[nodiscard]] boost::asio::awaitable<Result<void>> give_back(
      std::vector<ClaimToken> tokens) override;
  void on_due(DueHint hint) override { hint_ = std::move(hint); }

  [[nodiscard]] boost::asio::awaitable<void> finish() override;
  void stop() override { is_stopped_ = true; }
  [[nodiscard]] const RunStats& stats() const override { return stats_; }
  [[nodiscard]] InboxFigures figures() const override;
  [[nodiscard]] const std::optional<RunFailure>& failure() const override { return failure_; }

  [[nodiscard]] std::set<EventKey> unresolved() const override { return unresolved_; }

 private:
  // -- taking (table_inbox_taking.cpp)
  boost::asio::awaitable<Result<void>> take(const std::vector<ClaimRequest>& requests,
                                            std::size_t wanted);
  boost::asio::awaitable<Result<void>> find(std::size_t wanted, std::span<const TableLane> asked);
  [[nodiscard]] std::vector<FoundEvent> take_found(std::size_t wanted,
                                                   std::span<const TableLane> asked);
  boost::asio::awaitable<std::optional<Error>> take_one(EventKey key);
  void put_back(FoundEvent found, const Error& error);
  boost::asio::awaitable<void> hold(EventKey key, TableEvent found, MonoTime until);
  boost::asio::awaitable<void> acknowledge_delivered(EventId id);
  boost::asio::awaitable<void> put_aside(EventKey key, TableEvent found);
  Error note_failure(Error error);
  [[nodiscard]] std::vector<TableLane> lanes_of(const std::vector<ClaimRequest>& requests) const;
  [[nodiscard]] bool may_take(std::span<const TableLane> asked) const;

  // -- settling
  boost::asio::awaitable<Result<SettleAnswer>> settle_in_turn(Settlement settlement);
  boost::asio::awaitable<Result<void>> acknowledge(EventId id, const Settlement& settlement);
  boost::asio::awaitable<Result<void>> record(EventId id, const Settlement& settlement);
  boost::asio::awaitable<Result<void>> record_delivered(TableRecord record);
  [[nodiscard]] Result<void> patience(const EventId& id, Error error,
                                      std::chrono::seconds patience);
  boost::asio::awaitable<void> give_event_back(EventId id);
  boost::asio::awaitable<void> give_key_back(EventKey key);
  void forget(const EventId& id);

  // -- leases (table_inbox_leases.cpp)
  boost::asio::awaitable<void> renew_expiring();
  boost::asio::awaitable<void> renew(EventId id);
  [[nodiscard]] std::chrono::microseconds lease_time() const;
  [[nodiscard]] WallTime lease_end(const TakenEvent& taken) const;
  [[nodiscard]] const std::string& endpoint_id(EndpointNumber number) const;

  std::unique_ptr<EventTable> table_;
  InboxCalls calls_;
  const Clock& clock_;
  const Log& log_;
  std::vector<Endpoint> endpoints_;
  TableInboxOptions options_;
  DueHint hint_;
  TableScan scan_;
  bool is_scan_used_ = true;
  std::deque<FoundEvent> listed_;    // instead of the scan, whatever they wait for
  std::deque<FoundEvent> fallback_;  // what the API has shown
  TakenEvents taken_;
  Turns<EventId> turns_;
  std::unordered_map<EventId, EventKey> keys_;  // of what is taken
  std::int64_t budget_;                         // events that may still be taken
  bool is_stopped_ = false;
  int failures_ = 0;  // in a row
  std::optional<RunFailure> failure_;
  std::unordered_map<EventId, MonoTime> failing_since_;
  bool is_ack_refused_ = false;  // of an event that lacked nothing else
  std::set<EventKey> unresolved_;
  RunStats stats_;
};

}  // namespace dispatcher
