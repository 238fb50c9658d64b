// The calls of a Triggers API that a run makes, each with what its answers mean.
#pragma once

#include "adapters/http_inbox/inbox_messages.hpp"
#include "base/deadline.hpp"
#include "ports/clock.hpp"
#include "ports/triggers_api.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace dispatcher {

struct FetchedInbox {
  InboxPage page;
  std::optional<std::string> lease_token;  // none: an API without leases
};

// Errors common to all calls: `retry_later`, the same may succeed later; `refused`, it will not;
// `stopped`. `api` and `clock` outlive it.
class InboxCalls {
 public:
  // Of one call.
  static constexpr std::chrono::seconds kTimeout{15};

  InboxCalls(TriggersApi& api, const Clock& clock, std::optional<MonoTime> deadline)
      : api_(api), clock_(clock), deadline_(deadline) {}

  // From now on every call has ended by `deadline`.
  void end_by(MonoTime deadline) { deadline_ = earlier(deadline, deadline_); }
  [[nodiscard]] bool is_past_deadline() const {
    return deadline_ && clock_.monotonic() >= *deadline_;
  }

  [[nodiscard]] boost::asio::awaitable<Result<FetchedInbox>> fetch(std::size_t limit,
                                                                   std::int64_t lease_seconds,
                                                                   std::string consumer);

  // What is known of an event's deliveries; nothing when it cannot be had.
  [[nodiscard]] boost::asio::awaitable<std::vector<KnownDelivery>> deliveries(EventId id);

  // `not_found`: the event has been deleted; `conflict`: another consumer holds its lease.
  [[nodiscard]] boost::asio::awaitable<Result<void>> acknowledge(EventId id,
                                                                 std::string lease_token);
  [[nodiscard]] boost::asio::awaitable<Result<void>> give_back(EventId id, std::string lease_token,
                                                               NackRequest report);

  // The ids that are leased now.
  [[nodiscard]] boost::asio::awaitable<Result<std::vector<EventId>>> renew(
      std::string lease_token, std::vector<EventId> ids, std::int64_t lease_seconds);

 private:
  [[nodiscard]] MonoTime call_deadline() const;
  [[nodiscard]] TriggersRequest post(std::string path, std::string body,
                                     std::string lease_token) const;
  [[nodiscard]] boost::asio::awaitable<Result<void>> settle(TriggersRequest request,
                                                            std::string name);

  TriggersApi& api_;
  const Clock& clock_;
  std::optional<MonoTime> deadline_;
};

}  // namespace dispatcher
