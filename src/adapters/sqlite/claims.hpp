// The engine's leases. The store has one owner, so they live in its memory: a restart has none.
#pragma once

#include "adapters/sqlite/due_walk.hpp"
#include "base/time.hpp"
#include "model/endpoint.hpp"
#include "ports/inbox.hpp"

#include <compare>
#include <cstdint>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

namespace dispatcher::sqlite {

struct DeliveryKey {
  std::int64_t seq = 0;
  EndpointNumber endpoint = kNoEndpoint;
  friend auto operator<=>(const DeliveryKey&, const DeliveryKey&) = default;
};

struct DeliveryKeyHash {
  std::size_t operator()(const DeliveryKey& key) const noexcept {
    const auto mixed = static_cast<std::uint64_t>(key.seq) * 0x9E3779B97F4A7C15ULL + key.endpoint;
    return static_cast<std::size_t>(mixed ^ (mixed >> 32U));
  }
};

// What is in flight, as a reader saw it at one moment. Most reads never ask, so it is put in order
// by the first question.
class InFlight {
 public:
  InFlight() = default;
  explicit InFlight(std::vector<DeliveryKey> deliveries) : deliveries_(std::move(deliveries)) {}

  [[nodiscard]] bool has(const DeliveryKey& key) const;
  [[nodiscard]] bool has_event(std::int64_t seq) const;
  // The events' numbers, in order, each once.
  [[nodiscard]] std::vector<std::int64_t> events() const;

 private:
  void put_in_order() const;

  mutable std::vector<DeliveryKey> deliveries_;
  mutable bool is_in_order_ = false;
};

// Changed by the writer thread alone; `in_flight` may be asked by any. Changes are undone by
// `roll_back` until `commit`.
class Claims {
 public:
  // Tokens count up from `first_token`, which is random: a token of an earlier process names none.
  explicit Claims(std::uint64_t first_token) : next_token_(first_token) {}

  // On the writer thread.
  [[nodiscard]] bool has(const DeliveryKey& key) const { return by_delivery_.contains(key); }
  [[nodiscard]] bool has_event(std::int64_t seq) const { return by_event_.contains(seq); }
  [[nodiscard]] std::optional<DeliveryKey> find(ClaimToken token) const;
  ClaimToken add(const DeliveryKey& key);
  // What every claim from now on has, or one above it.
  [[nodiscard]] ClaimToken next() const { return ClaimToken{next_token_}; }
  void remove(ClaimToken token);
  // Ends what claims there are of a deleted event.
  void remove_event(std::int64_t seq);
  void commit() { changes_.clear(); }
  void roll_back();

  // Any thread.
  [[nodiscard]] InFlight in_flight() const;
  [[nodiscard]] std::size_t size() const;

 private:
  struct Change {
    bool is_added = false;
    ClaimToken token;
    DeliveryKey key;
  };
  void insert(ClaimToken token, const DeliveryKey& key);
  void erase(ClaimToken token, const DeliveryKey& key);

  mutable std::mutex mutex_;  // held to change, and to read from another thread
  std::uint64_t next_token_;
  std::unordered_map<std::uint64_t, DeliveryKey> by_token_;
  std::unordered_map<DeliveryKey, ClaimToken, DeliveryKeyHash> by_delivery_;
  std::unordered_map<std::int64_t, int> by_event_;  // how many of the event's are in flight
  std::vector<Change> changes_;
};

// How far claiming has walked through an endpoint's due index. All that waits before `from` is
// claimed, so that what is in flight is not walked over again by every claim.
struct Lane {
  DueRow from = kBeforeAllDue;
  // What the last claim said of the next due time. Empty: that nothing waits.
  std::optional<std::int64_t> said_due_us;
};

// The lanes that the engine has claimed from. Only the writer thread's.
class Lanes {
 public:
  [[nodiscard]] Lane& at(EndpointNumber endpoint) { return lanes_[endpoint]; }
  // The delivery of this event waits from now on.
  void note_waiting(EndpointNumber endpoint, std::int64_t due_us, std::int64_t seq);
  // A claim, which sees all that was noted so far, tells the engine of the next due time.
  void note_said(EndpointNumber endpoint, std::optional<std::int64_t> due_us);
  // What became due sooner than the engine was told, since the last call; tells it once.
  [[nodiscard]] std::vector<LaneDue> take_hints();
  // After a rollback nothing that was noted holds.
  void forget();

 private:
  std::unordered_map<EndpointNumber, Lane> lanes_;
  std::unordered_map<EndpointNumber, std::int64_t> hints_;
};

}  // namespace dispatcher::sqlite
