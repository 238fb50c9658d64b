// Ingest: the event, its payload, its deliveries and its idempotency key, in one commit.
#include "adapters/sqlite/operations.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace dispatcher::sqlite {
namespace {

constexpr std::int64_t kKeepKeysUs = kDayUs;

constexpr const char* kInsertEvent =
    "INSERT INTO events(seq, id, status, type, source, created_us, updated_us) "
    "VALUES(?, ?, 0, ?, ?, ?, ?)";
constexpr const char* kInsertPayload = "INSERT INTO payloads(seq, body) VALUES(?, ?)";
constexpr const char* kInsertDelivery =
    "INSERT INTO deliveries(place, endpoint, state, due_us, attempts, retries_used, step) "
    "VALUES(?, ?, 0, ?, 0, 0, 0)";
constexpr const char* kFindKey =
    "SELECT created_us, body_hash, answer FROM idempotency WHERE key = ?";
constexpr const char* kSaveKey =
    "INSERT OR REPLACE INTO idempotency(key, created_us, body_hash, answer) VALUES(?, ?, ?, ?)";

// An answer as it is kept with its key: for each event 16 bytes of id, 8 of time, big-endian.
constexpr std::size_t kPackedBytes = 24;

std::string pack(const std::vector<Appended>& events) {
  std::string packed;
  packed.reserve(events.size() * kPackedBytes);
  for (const Appended& event : events) {
    packed.append(event.id.bytes.begin(), event.id.bytes.end());
    const auto micros = static_cast<std::uint64_t>(micros_since_epoch(event.created_at));
    for (int shift = 56; shift >= 0; shift -= 8) {
      packed.push_back(static_cast<char>(micros >> static_cast<unsigned>(shift)));
    }
  }
  return packed;
}

std::vector<Appended> unpack(std::string_view packed) {
  std::vector<Appended> events;
  for (; packed.size() >= kPackedBytes; packed.remove_prefix(kPackedBytes)) {
    Appended& event = events.emplace_back();
    std::copy_n(packed.begin(), event.id.bytes.size(), event.id.bytes.begin());
    std::uint64_t micros = 0;
    for (const char byte : packed.substr(event.id.bytes.size(), 8)) {
      micros = micros << 8U | static_cast<std::uint8_t>(byte);
    }
    event.created_at = wall_from_micros(static_cast<std::int64_t>(micros));
  }
  return events;
}

// The answer to an earlier request with this key, if it still counts.
Result<std::optional<AppendAnswer>> find_answer(Transaction& transaction,
                                                const Idempotency& idempotency) {
  Query found = transaction.db.query(kFindKey);
  found.bind(idempotency.key);
  if (!found.step() || found.integer(0) <= transaction.now_us - kKeepKeysUs) {
    return std::optional<AppendAnswer>{};
  }
  if (found.bytes(1) != as_text(idempotency.body_hash)) {
    return make_error(ErrorKind::conflict,
                      "this idempotency key was used with another body within 24 hours");
  }
  AppendAnswer answer;
  answer.events = unpack(found.bytes(2));
  answer.is_replay = true;
  return std::optional{std::move(answer)};
}

void insert_delivery(Transaction& transaction, std::int64_t seq, EndpointNumber endpoint) {
  transaction.db.query(kInsertDelivery)
      .bind(place_of(seq, endpoint), endpoint, transaction.now_us)
      .run();
  transaction.state.tallies.move(endpoint, std::nullopt, RowState::waiting);
  transaction.state.lanes.note_waiting(endpoint, transaction.now_us, seq);
}

void route(Transaction& transaction, std::int64_t seq, const Event& event) {
  const auto& takers = transaction.state.routes.takers(event.type, event.source);
  for (const EndpointNumber endpoint : takers) {
    insert_delivery(transaction, seq, endpoint);
  }
  if (takers.empty()) {
    // It waits for consumers, and for a later endpoint.
    insert_delivery(transaction, seq, kNoEndpoint);
  }
}

void insert_event(Transaction& transaction, const Event& event) {
  const std::int64_t seq = transaction.state.next_seq++;
  const std::int64_t created_us = micros_since_epoch(event.created_at);
  transaction.db.query(kInsertEvent)
      .bind(seq, event.id, event.type, event.source, created_us, created_us)
      .run();
  transaction.db.query(kInsertPayload).bind(seq, event.payload).run();
  route(transaction, seq, event);
  transaction.state.tallies.move(created_us, std::nullopt, EventClass::open);
  transaction.state.tallies.note_ingest(created_us);
}

}  // namespace

Result<AppendAnswer> append(Transaction& transaction, const AppendRequest& request) {
  if (request.idempotency) {
    auto earlier = find_answer(transaction, *request.idempotency);
    if (!earlier) {
      return earlier.error();
    }
    if (*earlier) {
      return std::move(**earlier);
    }
  }
  AppendAnswer answer;
  answer.events.reserve(request.events.size());
  for (const Event& event : request.events) {
    insert_event(transaction, event);
    answer.events.push_back({event.id, event.created_at});
  }
  if (request.idempotency) {
    transaction.db.query(kSaveKey)
        .bind(request.idempotency->key, transaction.now_us,
              std::span{request.idempotency->body_hash}, pack(answer.events))
        .run();
  }
  return answer;
}

}  // namespace dispatcher::sqlite
