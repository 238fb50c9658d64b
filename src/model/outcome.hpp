// The outcome table: what an exchange means. Pure.
#pragma once

#include "model/delivery.hpp"
#include "model/exchange.hpp"

#include <optional>
#include <string>
#include <vector>

namespace dispatcher {

// Which statuses are worth another attempt. The default is the table of
// docs/delivery-semantics: 429 and every 5xx.
struct StatusPolicy {
  std::vector<int> also_retryable;   // 4xx that shall be retried
  std::vector<int> never_retryable;  // 429 or 5xx that shall not

  [[nodiscard]] bool is_retryable(int status) const;
};

struct Verdict {
  Outcome outcome = Outcome::retryable;
  std::optional<int> status;
  std::optional<std::string> error;                 // absent when delivered
  std::optional<ReviewReason> review_reason;        // present when refused or blocked
  std::optional<std::chrono::seconds> retry_after;  // of a 429 or 503, capped at 24 h
  bool pauses_endpoint = false;                     // a 429's Retry-After is the endpoint's
};

// `now` is what an HTTP date in Retry-After counts from.
// `is_https` is the request's scheme: what a redirect that names none leads to.
[[nodiscard]] Verdict classify(const Exchange& exchange, const StatusPolicy& policy, WallTime now,
                               bool is_https = true);

// Seconds or an HTTP date (RFC 9110, section 10.2.3), never negative, capped at 24 h. Empty when it
// is neither.
[[nodiscard]] std::optional<std::chrono::seconds> parse_retry_after(std::string_view value,
                                                                    WallTime now);

}  // namespace dispatcher
