// The durable home of events and deliveries: what the Triggers API and the engine need of it. Every
// store passes tests/conformance.
//
// Threads: every function may be called from any executor, and completes on the caller's. Errors
// common to all: `retry_later` (disk full, I/O error; nothing was changed), `overloaded` (its queue
// is full: shed), `stopped`.
#pragma once

#include "base/bytes.hpp"
#include "model/delivery.hpp"
#include "ports/endpoint_records.hpp"
#include "ports/inbox.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <string>

namespace dispatcher {

// -- ingest

struct Idempotency {
  std::string key;         // 1–255 visible characters
  Sha256Digest body_hash;  // of the request's body
};

struct AppendRequest {
  std::vector<Event> events;  // ids and created_at are the caller's
  std::optional<Idempotency> idempotency;
};

struct Appended {
  EventId id;
  WallTime created_at{};
};

struct AppendAnswer {
  std::vector<Appended> events;
  bool is_replay = false;  // an earlier request with this key made them
};

// -- reading

struct DeliveryView {
  std::string endpoint_id;
  DeliveryState state = DeliveryState::waiting;
  std::int64_t attempts = 0;
  std::optional<WallTime> next_attempt_at;
  std::optional<ReviewReason> review_reason;
  std::optional<int> last_status;
  std::optional<std::string> last_error;
  std::optional<WallTime> delivered_at;
};

struct EventView {
  Event event;
  EventProgress progress;
  std::vector<DeliveryView> deliveries;  // filled where the call says so
  // Likewise, of an event that is open and has matched no endpoint: what consumers' reports made of
  // it, with no endpoint's id. Empty: there were none.
  std::optional<DeliveryView> unmatched;
};

// `GET /events`, and the export. What is absent does not narrow.
struct EventQuery {
  std::optional<EventStatus> status;
  std::optional<DeliveryState> state;
  std::optional<std::string> endpoint_id;
  std::optional<std::string> type;
  std::optional<std::string> source;
  std::optional<ReviewReason> reason;
  std::optional<WallTime> from;  // created_at, inclusive
  std::optional<WallTime> to;    // inclusive
  bool newest_first = true;
};

// A position in a list: opaque to clients, an event's sequence number to the store.
struct EventPage {
  std::vector<EventView> events;
  // Where the next page starts. Empty: the list has ended. A page may be short, even empty, and
  // still have one: a read is short whatever it finds.
  std::optional<std::int64_t> next;
};

// -- consumers over HTTP

struct LeaseRequest {
  std::size_t limit = 100;  // at most 1,000
  std::chrono::seconds duration{60};
  std::string consumer;  // a label
};

struct LeasedEvents {
  std::string token;  // names this lease; not guessable
  std::vector<EventView> events;
};

struct AckAnswer {
  EventId id;
  EventStatus status = EventStatus::delivered;
  WallTime updated_at{};
  std::int64_t delivery_latency_ms = 0;
};

// A consumer's report of what it tried. With `reason`: review. With `error` or `attempts` alone:
// the next step of the schedule, or `retry_after`. Nothing at all: given back, nothing counted.
struct NackRequest {
  std::optional<std::string> error;
  std::optional<ReviewReason> reason;
  std::optional<std::chrono::microseconds> retry_after;
  std::vector<Attempt> attempts;
  std::vector<std::string> delivered;  // ids of endpoints that took the event
};

// -- figures

struct Summary {
  std::int64_t total = 0;
  std::int64_t pending = 0;  // with a delivery waiting or in flight, or none at all
  std::int64_t delivered = 0;
  std::int64_t failed = 0;  // in review and nothing otherwise open, or status `failed`
};

struct LatencyFigures {  // seconds from ingest to delivery, last 24 h
  double p50 = 0;
  double p95 = 0;
  double p99 = 0;
  std::int64_t sample_size = 0;
};

struct StoreFigures {
  Summary events;
  std::int64_t ingested_last_24h = 0;
  std::int64_t in_review = 0;  // events: pending, a delivery in review and none otherwise open
  // created_at of the oldest event that is pending and not in review. Behind a thousand that are in
  // review, one that a consumer has leased and nobody has tried may be passed over.
  std::optional<WallTime> oldest_pending;
  std::int64_t in_flight = 0;
  std::int64_t queued_writes = 0;
  std::int64_t commits = 0;
  std::int64_t file_bytes = 0;
};

// -- the webhook receiver's log

struct WebhookLogEntry {
  Uuid id;
  std::string event_id;  // the sender's, shown as the entry's id; empty: `id` is shown
  std::string event_type;
  std::string payload;  // raw JSON
  std::string source_ip;
  WallTime timestamp{};
  std::string request_id;
};

struct WebhookLogQuery {
  std::optional<std::string> event_type;
  std::optional<WallTime> from;
  std::optional<WallTime> to;
  std::optional<std::string> search;  // in type and payload, any case
  std::size_t limit = 100;            // at most 1,000
};

// -- maintenance

struct RetentionPolicy {
  std::chrono::seconds keep_done = std::chrono::days{90};
  std::int64_t max_done = 10'000'000;  // events that are done, oldest go first
};

class Store : public Inbox {
 public:
  // Makes the events durable together with their deliveries (routing is in the same commit), and
  // returns after it. `conflict`: the idempotency key was used with another body within 24 h.
  [[nodiscard]] virtual boost::asio::awaitable<Result<AppendAnswer>> append(
      AppendRequest request) = 0;

  // Registers what `zapier_webhook_url` gives, in order, and returns it with the numbers filled in.
  // Idempotent. When one URL left and one came, the newcomer takes over number, id and backlog, and
  // what of it was in review is due again, in the background (`maintain`), but what comes into
  // review from then on; one that left otherwise becomes disabled and keeps its events, and is as
  // before when it comes back: one that a person paused stays paused through all of this. A new one
  // gets what matched nothing so far, in the background (`maintain`). `url_hashes` are the SHA-256
  // of the URLs, in the order of `endpoints`.
  [[nodiscard]] virtual boost::asio::awaitable<Result<std::vector<Endpoint>>> configure_endpoints(
      std::vector<Endpoint> endpoints, std::vector<Sha256Digest> url_hashes) = 0;

  // All that are not removed, in the order of their numbers; those that the secret gives, or once
  // gave, are among them.
  [[nodiscard]] virtual boost::asio::awaitable<Result<std::vector<EndpointRecord>>> endpoints() = 0;
  // The record with its number, revision and times. With `pending` it gets what matched nothing so
  // far, in the background (`maintain`). `conflict`: the id is taken, if only by one that was
  // removed; `refused`: there are kMaxEndpoints.
  [[nodiscard]] virtual boost::asio::awaitable<Result<EndpointRecord>> create_endpoint(
      EndpointRecord record, EndpointStart start) = 0;
  // Replaces state, filter, target, settings and what is sealed; the record with its new revision.
  // Events routed before keep their deliveries. `not_found`; `conflict`: another revision. Of one
  // whose URL left the secret, a state other than `disabled` is for when it comes back.
  [[nodiscard]] virtual boost::asio::awaitable<Result<EndpointRecord>> save_endpoint(
      EndpointRecord record) = 0;
  // It gets nothing more; its attempts stay on record. With `discards_waiting` what waits or is in
  // review is discarded, in the background (`maintain`); what is in flight is when it has failed.
  // `not_found`; `conflict`: without it, while there is any; `refused`: it is the secret's.
  [[nodiscard]] virtual boost::asio::awaitable<Result<void>> remove_endpoint(std::string id,
                                                                             bool discards_waiting,
                                                                             ReleaseNote note) = 0;
  // One for each number, in that order; of one that is not known all is zero.
  [[nodiscard]] virtual boost::asio::awaitable<Result<std::vector<EndpointCounts>>> endpoint_counts(
      std::vector<EndpointNumber> numbers) = 0;

  // How many deliveries of the event were released, of all its endpoints or of the one named; none
  // is no error. `not_found`: no such event, or no delivery to that endpoint, or a replay to one
  // that was removed.
  [[nodiscard]] virtual boost::asio::awaitable<Result<std::int64_t>> release(
      EventId id, std::optional<std::string> endpoint_id, ReleaseAction action,
      ReleaseNote note) = 0;
  // Releases what the query matches, oldest event first whatever its order, at most `max_events` of
  // them from position `after` on (empty: from the start). Where the query asks for a state, an
  // endpoint or a reason, only deliveries that have it are released. A step looks at a bounded
  // number of events, so it may match none and not be the last. The last is at the newest event
  // that there was at the first, or a little behind it: what comes meanwhile does not make it
  // endless.
  [[nodiscard]] virtual boost::asio::awaitable<Result<ReleaseStep>> release_step(
      EventQuery query, std::optional<std::int64_t> after, std::size_t max_events,
      ReleaseAction action, ReleaseNote note) = 0;
  // What that step would answer now; changes nothing.
  [[nodiscard]] virtual boost::asio::awaitable<Result<ReleaseStep>> try_release_step(
      EventQuery query, std::optional<std::int64_t> after, std::size_t max_events,
      ReleaseAction action) = 0;
  // Oldest first. `not_found`.
  [[nodiscard]] virtual boost::asio::awaitable<Result<std::vector<Release>>> releases(
      EventId id) = 0;

  [[nodiscard]] virtual boost::asio::awaitable<Result<EventView>> event(EventId id) = 0;
  [[nodiscard]] virtual boost::asio::awaitable<Result<std::vector<Attempt>>> attempts(
      EventId id) = 0;

  // One short read: at most `limit` events and about `max_bytes` of payloads, from position `after`
  // on (empty: from the start). With `with_deliveries` the views have them.
  [[nodiscard]] virtual boost::asio::awaitable<Result<EventPage>> list(
      EventQuery query, std::optional<std::int64_t> after, std::size_t limit,
      std::size_t max_bytes) = 0;

  // How many events the query matches; in short reads, so that nothing is pinned while it counts.
  [[nodiscard]] virtual boost::asio::awaitable<Result<std::int64_t>> count(EventQuery query) = 0;

  // Pending events, newest first; leased and in-flight ones left out. Takes no lease.
  [[nodiscard]] virtual boost::asio::awaitable<Result<std::vector<EventView>>> pending(
      std::size_t limit, std::size_t max_bytes) = 0;

  // Due events, oldest due first, as whole events: only those of which no delivery is in flight.
  [[nodiscard]] virtual boost::asio::awaitable<Result<LeasedEvents>> lease(
      LeaseRequest request) = 0;
  // One answer for each id: is it leased under this token now?
  [[nodiscard]] virtual boost::asio::awaitable<Result<std::vector<bool>>> renew(
      std::string token, std::vector<EventId> ids, std::chrono::seconds duration) = 0;
  // Ends events: open deliveries become discarded. One result for each id: `not_found`, or
  // `conflict` when a token is given and another lease lives. A delivered event: its first answer.
  [[nodiscard]] virtual boost::asio::awaitable<Result<std::vector<Result<AckAnswer>>>> ack(
      std::vector<EventId> ids, std::optional<std::string> token) = 0;
  // Of the last lease's holder alone, even when it has expired. `not_found`; `conflict` when
  // another lease lives; `refused` when none does and the token is not the last one's, or the event
  // is done.
  [[nodiscard]] virtual boost::asio::awaitable<Result<EventView>> nack(EventId id,
                                                                       std::string token,
                                                                       NackRequest request) = 0;

  // Erases the event, its deliveries, its attempts. `not_found`.
  [[nodiscard]] virtual boost::asio::awaitable<Result<void>> erase(EventId id) = 0;

  // Cost the same at a million events as at ten.
  [[nodiscard]] virtual boost::asio::awaitable<Result<StoreFigures>> figures() = 0;
  [[nodiscard]] virtual boost::asio::awaitable<Result<LatencyFigures>> latency() = 0;

  // Keeps the last 1,000 entries and at most 8 MiB.
  [[nodiscard]] virtual boost::asio::awaitable<Result<void>> append_webhook_log(
      WebhookLogEntry entry) = 0;
  // Newest first.
  [[nodiscard]] virtual boost::asio::awaitable<Result<std::vector<WebhookLogEntry>>> webhook_log(
      WebhookLogQuery query) = 0;

  // One small step of what can wait: retention, routing a backlog to a new endpoint, forgetting old
  // idempotency keys. True when there is more to do at once.
  [[nodiscard]] virtual boost::asio::awaitable<Result<bool>> maintain(RetentionPolicy policy) = 0;
};

}  // namespace dispatcher
