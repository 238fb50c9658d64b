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

// maintain.cpp
[[nodiscard]] Result<bool> maintain(Transaction& transaction, const RetentionPolicy& policy);

// webhook_log.cpp
[[nodiscard]] Result<void> append_webhook_log(Transaction& transaction,
                                              const WebhookLogEntry& entry);

[[nodiscard]] Error event_not_found(const EventId& id);
[[nodiscard]] Error held_by_another(const EventId& id);

}  // namespace dispatcher::sqlite
