// What the writer thread does, one function for each call of the port that changes something. They
// run inside the transaction of a group; one may be run again after a rollback, so they leave
// their requests as they are.
#pragma once

#include "adapters/sqlite/event_rows.hpp"
#include "adapters/sqlite/transaction.hpp"
#include "ports/store.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace dispatcher::sqlite {

// append.cpp
[[nodiscard]] Result<AppendAnswer> append(Transaction& transaction, const AppendRequest& request);

// claim.cpp
[[nodiscard]] Result<ClaimAnswer> claim(Transaction& transaction,
                                        const std::vector<ClaimRequest>& requests,
                                        std::size_t max_bytes);
[[nodiscard]] Result<void> give_back(Transaction& transaction,
                                     const std::vector<ClaimToken>& tokens);

// settle.cpp
[[nodiscard]] Result<SettleAnswer> settle(Transaction& transaction, const Settlement& settlement);

// lease.cpp
[[nodiscard]] Result<LeasedEvents> lease(Transaction& transaction, const LeaseRequest& request);
[[nodiscard]] Result<std::vector<bool>> renew(Transaction& transaction, const std::string& token,
                                              const std::vector<EventId>& ids,
                                              std::chrono::seconds duration);

// consumers.cpp
[[nodiscard]] Result<std::vector<Result<AckAnswer>>> acknowledge_events(
    Transaction& transaction, const std::vector<EventId>& ids,
    const std::optional<std::string>& token);
[[nodiscard]] Result<EventView> nack(Transaction& transaction, const EventId& id,
                                     const std::string& token, const NackRequest& request);

// erase.cpp
[[nodiscard]] Result<void> erase(Transaction& transaction, const EventId& id);
// Everything of an event, and its place in the figures.
void erase_event(Transaction& transaction, const EventRow& event);

// configure.cpp
[[nodiscard]] Result<std::vector<Endpoint>> configure_endpoints(
    Transaction& transaction, const std::vector<Endpoint>& endpoints,
    const std::vector<Sha256Digest>& url_hashes);
// Why it is in the state that it shows.
[[nodiscard]] std::optional<std::string> shown_reason(const KnownEndpoint& endpoint);

// replaced.cpp
// Another URL has taken the endpoint's place: all that it has in review now is due again, in steps.
void begin_release_of_review(Transaction& transaction, KnownEndpoint& endpoint);
// Such a step; true when there is more to do at once.
[[nodiscard]] bool release_replaced(Transaction& transaction);
// Whether a claim was made while the endpoint had the URL before.
[[nodiscard]] bool was_of_replaced(const Transaction& transaction, EndpointNumber endpoint,
                                   ClaimToken token);

// endpoints.cpp
[[nodiscard]] Result<EndpointRecord> create_endpoint(Transaction& transaction,
                                                     const EndpointRecord& record,
                                                     EndpointStart start);
[[nodiscard]] Result<EndpointRecord> save_endpoint(Transaction& transaction,
                                                   const EndpointRecord& record);
[[nodiscard]] Result<void> remove_endpoint(Transaction& transaction, const std::string& id,
                                           bool discards_waiting, const ReleaseNote& note);
// By what it answered; one that the secret configures is left as it is.
// The revision of its record since it is so; 0 where it is not the API's.
std::int64_t disable_endpoint(Transaction& transaction, EndpointNumber number,
                              const std::string& reason);
[[nodiscard]] Error no_number_left();

// endpoint_rows.cpp
[[nodiscard]] EndpointRecord find_endpoint(Connection& db, EndpointNumber number);

// releases.cpp
[[nodiscard]] Result<std::int64_t> release(Transaction& transaction, const EventId& id,
                                           const std::optional<std::string>& endpoint_id,
                                           ReleaseAction action, const ReleaseNote& note);
// Of events that a reader has found; of each what the query asks for when it is its turn.
[[nodiscard]] Result<std::int64_t> release_events(Transaction& transaction, const EventQuery& query,
                                                  const std::vector<std::int64_t>& seqs,
                                                  ReleaseAction action, const ReleaseNote& note);
// A step of what removed endpoints leave; true when there may be more to do at once.
[[nodiscard]] bool discard_removed(Transaction& transaction);
// One that was in flight when its endpoint was removed, and failed.
void discard_for_removal(Transaction& transaction, const EventRow& event, DeliveryRow& row);

// maintain.cpp
[[nodiscard]] Result<bool> maintain(Transaction& transaction, const RetentionPolicy& policy);

// webhook_log.cpp
[[nodiscard]] Result<void> append_webhook_log(Transaction& transaction,
                                              const WebhookLogEntry& entry);

[[nodiscard]] Error event_not_found(const EventId& id);
[[nodiscard]] Error delivery_not_found(const EventId& id);
[[nodiscard]] Error held_by_another(const EventId& id);

}  // namespace dispatcher::sqlite
