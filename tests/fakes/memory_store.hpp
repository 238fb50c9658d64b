// A whole Store in memory, held to the same conformance suite as the real ones. What a real one
// keeps on disk outlives `crash`; the engine's claims do not. Faults come from a plan: each call
// may take time and fail before it is applied, and take time after.
#pragma once

#include "ports/clock.hpp"
#include "ports/store.hpp"

#include <chrono>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace dispatcher::fakes {

enum class StoreOperation {
  append,
  configure,
  claim,
  settle,
  give_back,
  consume,
  release,
  read,
  maintain
};

class StoreFaults {
 public:
  virtual ~StoreFaults() = default;
  // May wait. An error is the call's answer, and nothing is applied.
  [[nodiscard]] virtual boost::asio::awaitable<Result<void>> before(StoreOperation operation) = 0;
  // It is applied, and durable; the answer is on its way.
  [[nodiscard]] virtual boost::asio::awaitable<void> after(StoreOperation operation) = 0;
};

// -- what is durable

struct MemoryEndpoint {
  Endpoint endpoint;  // its state is the one that is shown
  // Empty where only a consumer has spoken of it, or the API has made it.
  std::optional<Sha256Digest> url_hash;
  bool wants_backlog = false;  // what matched nothing so far; routed by `maintain`

  // Another URL took its place: what is in review of the events numbered up to here is to be due
  // again; made so by `maintain`.
  std::optional<std::int64_t> releases_review_to;
  std::uint64_t replaced_at = 0;  // the first claim that knew its present URL

  EndpointState chosen_state = EndpointState::active;  // by a person: it is this when it comes back
  bool is_gone = false;                                // its URL left the secret

  bool is_removed = false;
  std::optional<ReleaseNote> discard_note;  // removed, and what waits for it goes too
  std::optional<std::string> state_reason;
  std::string target;
  std::string settings;
  std::string sealed;
  WallTime created_at{};
  WallTime updated_at{};
  std::int64_t revision = 0;

  std::int64_t delivered = 0;
  std::int64_t failed = 0;
  std::optional<WallTime> failing_since;

  // One that takes nothing now keeps its backlog until it does again.
  [[nodiscard]] bool gets_backlog() const {
    return wants_backlog && endpoint.state != EndpointState::disabled;
  }

  // Deliveries are made for it: it is more than a name.
  [[nodiscard]] bool is_routed() const {
    return !is_removed && (url_hash || endpoint.origin == EndpointOrigin::api);
  }
};

// In flight is not a durable state: it is waiting, and claimed.
struct MemoryDelivery {
  DeliveryState state = DeliveryState::waiting;
  DeliveryProgress progress;
  WallTime due{};
  std::optional<ReviewReason> reason;
  std::optional<int> last_status;
  std::optional<std::string> last_error;
  std::optional<WallTime> last_attempt;
  std::optional<WallTime> delivered_at;
};

struct MemoryEvent {
  std::shared_ptr<const Event> event;
  std::int64_t sequence = 0;  // of ingest
  EventStatus status = EventStatus::pending;
  WallTime updated_at{};
  std::optional<std::int64_t> latency_ms;  // when a consumer acknowledged it
  // By endpoint; kNoEndpoint stands for a later one, where none has matched.
  std::map<EndpointNumber, MemoryDelivery> deliveries;
  std::vector<Attempt> attempts;
  std::vector<Release> releases;
  std::string lease_token;
  WallTime lease_until{};

  [[nodiscard]] bool is_leased(WallTime now) const {
    return !lease_token.empty() && lease_until > now;
  }
};

// Of an idempotency key.
inline constexpr std::chrono::hours kMemoryKeyLifetime{24};

struct MemoryKey {
  Sha256Digest body_hash{};
  AppendAnswer answer;
  WallTime made_at{};
};

struct MemoryDisk {
  std::deque<MemoryEndpoint> endpoints;
  std::map<EventId, MemoryEvent> events;
  std::map<std::int64_t, EventId> by_sequence;
  std::map<std::string, MemoryKey> keys;
  std::vector<WebhookLogEntry> webhook_log;
  std::int64_t next_sequence = 1;
  EndpointNumber next_endpoint = 1;
  std::uint64_t next_token = 1;
};

class MemoryStore : public Store {
 public:
  // Both outlive it. Without faults every call is done at once.
  explicit MemoryStore(const Clock& clock, StoreFaults* faults = nullptr)
      : clock_(clock), faults_(faults) {}

  // The process that used it has died: claims and its listener are gone, what is durable stays.
  void crash();

  // What a test may know of it, at rest.
  [[nodiscard]] const MemoryDisk& disk() const { return disk_; }

  // -- Inbox
  boost::asio::awaitable<Result<ClaimAnswer>> claim(std::vector<ClaimRequest> requests,
                                                    std::size_t max_bytes) override;
  boost::asio::awaitable<Result<SettleAnswer>> settle(Settlement settlement) override;
  boost::asio::awaitable<Result<void>> give_back(std::vector<ClaimToken> tokens) override;
  void on_due(DueHint hint) override;

  // -- Store
  boost::asio::awaitable<Result<AppendAnswer>> append(AppendRequest request) override;
  boost::asio::awaitable<Result<std::vector<Endpoint>>> configure_endpoints(
      std::vector<Endpoint> endpoints, std::vector<Sha256Digest> url_hashes) override;
  boost::asio::awaitable<Result<std::vector<EndpointRecord>>> endpoints() override;
  boost::asio::awaitable<Result<EndpointRecord>> create_endpoint(EndpointRecord record,
                                                                 EndpointStart start) override;
  boost::asio::awaitable<Result<EndpointRecord>> save_endpoint(EndpointRecord record) override;
  boost::asio::awaitable<Result<void>> remove_endpoint(std::string id, bool discards_waiting,
                                                       ReleaseNote note) override;
  boost::asio::awaitable<Result<std::vector<EndpointCounts>>> endpoint_counts(
      std::vector<EndpointNumber> numbers) override;
  boost::asio::awaitable<Result<std::int64_t>> release(EventId id,
                                                       std::optional<std::string> endpoint_id,
                                                       ReleaseAction action,
                                                       ReleaseNote note) override;
  boost::asio::awaitable<Result<ReleaseStep>> release_step(EventQuery query,
                                                           std::optional<std::int64_t> after,
                                                           std::size_t max_events,
                                                           ReleaseAction action,
                                                           ReleaseNote note) override;
  boost::asio::awaitable<Result<ReleaseStep>> try_release_step(EventQuery query,
                                                               std::optional<std::int64_t> after,
                                                               std::size_t max_events,
                                                               ReleaseAction action) override;
  boost::asio::awaitable<Result<std::vector<Release>>> releases(EventId id) override;
  boost::asio::awaitable<Result<EventView>> event(EventId id) override;
  boost::asio::awaitable<Result<std::vector<Attempt>>> attempts(EventId id) override;
  boost::asio::awaitable<Result<EventPage>> list(EventQuery query,
                                                 std::optional<std::int64_t> after,
                                                 std::size_t limit, std::size_t max_bytes) override;
  boost::asio::awaitable<Result<std::int64_t>> count(EventQuery query) override;
  boost::asio::awaitable<Result<std::vector<EventView>>> pending(std::size_t limit,
                                                                 std::size_t max_bytes) override;
  boost::asio::awaitable<Result<LeasedEvents>> lease(LeaseRequest request) override;
  boost::asio::awaitable<Result<std::vector<bool>>> renew(std::string token,
                                                          std::vector<EventId> ids,
                                                          std::chrono::seconds duration) override;
  boost::asio::awaitable<Result<std::vector<Result<AckAnswer>>>> ack(
      std::vector<EventId> ids, std::optional<std::string> token) override;
  boost::asio::awaitable<Result<EventView>> nack(EventId id, std::string token,
                                                 NackRequest request) override;
  boost::asio::awaitable<Result<void>> erase(EventId id) override;
  boost::asio::awaitable<Result<StoreFigures>> figures() override;
  boost::asio::awaitable<Result<LatencyFigures>> latency() override;
  boost::asio::awaitable<Result<void>> append_webhook_log(WebhookLogEntry entry) override;
  boost::asio::awaitable<Result<std::vector<WebhookLogEntry>>> webhook_log(
      WebhookLogQuery query) override;
  boost::asio::awaitable<Result<bool>> maintain(RetentionPolicy policy) override;

 protected:
  using DeliveryKey = std::pair<EventId, EndpointNumber>;

  // What each call does once it is applied: whole, and at one moment. A test that breaks the store
  // on purpose overrides one of them.
  virtual Result<AppendAnswer> append_now(AppendRequest request);
  virtual Result<ClaimAnswer> claim_now(std::vector<ClaimRequest> requests, std::size_t max_bytes);
  virtual Result<void> settle_now(Settlement settlement);
  virtual Result<AckAnswer> ack_now(const EventId& id, const std::optional<std::string>& token);
  virtual Result<void> erase_now(const EventId& id);
  virtual Result<void> remove_now(const std::string& id, bool discards_waiting,
                                  const ReleaseNote& note);
  virtual void disable(EndpointNumber endpoint, const std::string& reason);
  // Of a release, those of one event's deliveries that have what the query asks of deliveries.
  virtual std::int64_t release_deliveries(MemoryEvent& row, const EventQuery& query,
                                          ReleaseAction action, const ReleaseNote& note);

  void forget_claims_of(const EventId& id);
  [[nodiscard]] MemoryDisk& disk_to_change() { return disk_; }

 private:
  // Waits and fails as the plan says, applies, tells the listener, waits again.
  template <class T, class Apply>
  boost::asio::awaitable<Result<T>> perform(StoreOperation operation, Apply apply);
  void tell_what_became_due();

  Result<std::vector<Endpoint>> configure_now(std::vector<Endpoint> endpoints,
                                              std::vector<Sha256Digest> url_hashes);
  Result<EndpointRecord> create_now(const EndpointRecord& record, EndpointStart start);
  Result<EndpointRecord> save_now(const EndpointRecord& record);
  [[nodiscard]] EndpointCounts counts_of(EndpointNumber number) const;
  void note_attempt(MemoryEvent& row, EndpointNumber endpoint, Attempt attempt);
  void note_delivered(EndpointNumber endpoint);

  Result<std::int64_t> release_now(const EventId& id, const std::optional<std::string>& endpoint_id,
                                   ReleaseAction action, const ReleaseNote& note);
  // `release` answers how many deliveries of an event are released.
  template <class Apply>
  Result<ReleaseStep> release_step_now(const EventQuery& query, std::optional<std::int64_t> after,
                                       std::size_t max_events, const Apply& release);
  // Whether a release would touch this delivery.
  [[nodiscard]] bool is_releasable(const MemoryEvent& row, EndpointNumber endpoint,
                                   const EventQuery& query, ReleaseAction action) const;
  [[nodiscard]] bool is_replayable(const MemoryEvent& row, EndpointNumber endpoint) const;
  void discard(MemoryEvent& row, EndpointNumber endpoint, const ReleaseNote& note);
  bool discard_removed();

  Result<LeasedEvents> lease_now(const LeaseRequest& request);
  Result<EventView> nack_now(const EventId& id, const std::string& token,
                             const NackRequest& request);
  void apply_nack(MemoryEvent& row, const NackRequest& request);
  void record_reported(MemoryEvent& row, Attempt attempt);
  // Of an endpoint that a consumer names; made where it is new.
  MemoryDelivery& named_delivery(MemoryEvent& row, const std::string& endpoint_id);
  Result<bool> maintain_now(const RetentionPolicy& policy);
  bool route_backlog();
  bool route_backlog_of(MemoryEvent& row);
  // Of an endpoint whose place another URL took.
  bool release_replaced();
  void send_to_review(MemoryEvent& row, EndpointNumber endpoint, ReviewReason reason);
  bool expire_done(const RetentionPolicy& policy);

  [[nodiscard]] MemoryEndpoint& endpoint_for(Endpoint& endpoint, const Sha256Digest& url_hash,
                                             MemoryEndpoint* replaced);
  void take_over(MemoryEndpoint& row, const Endpoint& endpoint, const Sha256Digest& url_hash);
  void route(MemoryEvent& row);
  void became_due(EndpointNumber endpoint, WallTime due);
  void became_due(const MemoryEvent& row);
  // After its deliveries changed.
  void update_status(MemoryEvent& row);
  [[nodiscard]] bool is_in_flight(const MemoryEvent& row) const;
  [[nodiscard]] bool is_claimed(const MemoryEvent& row, EndpointNumber endpoint) const;
  // A lease that lives, or a claim of the engine.
  [[nodiscard]] bool is_held_by_another(const MemoryEvent& row, const std::string& token) const;
  [[nodiscard]] MemoryEvent* find(const EventId& id);
  [[nodiscard]] const MemoryEndpoint* find_endpoint(EndpointNumber number) const;
  [[nodiscard]] MemoryEndpoint* find_endpoint(EndpointNumber number);
  [[nodiscard]] MemoryEndpoint* find_endpoint(const std::string& id);
  [[nodiscard]] bool has_delivery(const EventQuery& query, const MemoryEvent& row,
                                  EndpointNumber endpoint) const;
  [[nodiscard]] bool matches(const EventQuery& query, const MemoryEvent& row) const;
  [[nodiscard]] EventView view_of(const MemoryEvent& row, bool with_deliveries) const;
  [[nodiscard]] std::optional<WallTime> next_due(EndpointNumber endpoint) const;

  const Clock& clock_;
  StoreFaults* faults_;
  std::mutex mutex_;
  MemoryDisk disk_;
  // Gone in a crash.
  std::map<std::uint64_t, DeliveryKey> claims_;
  std::set<DeliveryKey> claimed_;
  std::set<DeliveryKey> fresh_review_;  // come into review since `releases_review_to` was set
  DueHint hint_;
  std::map<EndpointNumber, WallTime> due_to_tell_;
};

}  // namespace dispatcher::fakes
