// What an operation of the writer thread works on: the open transaction, and what the store knows
// by heart. An operation reads and changes both; whether the changes stay is decided by the commit.
#pragma once

#include "adapters/sqlite/claims.hpp"
#include "adapters/sqlite/connection.hpp"
#include "adapters/sqlite/routes.hpp"
#include "adapters/sqlite/tallies.hpp"
#include "base/log.hpp"
#include "ports/random.hpp"

#include <chrono>
#include <cstdint>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace dispatcher::sqlite {

// By endpoint, the events that have come into review since another URL took its place, while what
// was in review before that is being released: they are the new URL's. A kill or a
// write that fails may have them forgotten; then such a one is tried once more.
using FreshReview = std::unordered_map<EndpointNumber, std::unordered_set<std::int64_t>>;

// What the webhook log holds, so that its bounds are kept without counting.
struct WebhookLogTotals {
  std::int64_t next_number = 1;
  std::int64_t entries = 0;
  std::int64_t bytes = 0;
};

// Known by heart, on the writer thread. What can be read again is read again after a rollback.
struct WriterState {
  explicit WriterState(std::uint64_t first_token) : claims(first_token) {}

  Claims claims;
  Lanes lanes;
  Tallies tallies;
  Routes routes;
  FreshReview fresh_review;
  // Of an endpoint whose URL was replaced the first claim that knew the new one.
  std::unordered_map<EndpointNumber, ClaimToken> replaced_at;
  std::int64_t next_seq = 1;
  WebhookLogTotals webhook_log;
  // Where retention goes on; it starts over when it has met nothing old enough.
  std::int64_t retention_after_seq = 0;
  // A person has erased something since the writer last said so.
  bool has_erased = false;
};

// Reads what of the state is in the file.
void load_state(Connection& db, WriterState& state);

struct Transaction {
  Connection& db;
  WriterState& state;
  Random& random;
  // When a consumer's report names no time: the steps between rounds.
  const std::vector<std::chrono::seconds>& consumer_schedule;
  std::int64_t now_us = 0;
};

}  // namespace dispatcher::sqlite
