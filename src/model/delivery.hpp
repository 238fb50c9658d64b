// A delivery: one event on its way to one endpoint. Its states and what is known of its attempts.
#pragma once

#include "base/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace dispatcher {

enum class DeliveryState : std::uint8_t {
  waiting = 0,
  in_flight = 1,
  delivered = 2,
  review = 3,
  discarded = 4,
};

enum class ReviewReason : std::uint8_t { rejected = 1, redirected = 2, blocked = 3, exhausted = 4 };

enum class Outcome : std::uint8_t {
  delivered = 1,
  retryable = 2,
  refused = 3,    // not retryable
  blocked = 4,    // by policy, before any byte left
  abandoned = 5,  // stopped in mid-request
};

[[nodiscard]] std::string_view to_string(DeliveryState state);
[[nodiscard]] std::string_view to_string(ReviewReason reason);
[[nodiscard]] std::string_view to_string(Outcome outcome);
[[nodiscard]] std::optional<DeliveryState> parse_delivery_state(std::string_view text);
[[nodiscard]] std::optional<ReviewReason> parse_review_reason(std::string_view text);
[[nodiscard]] std::optional<Outcome> parse_outcome(std::string_view text);

// One HTTP request of a delivery, as it is kept and shown.
struct Attempt {
  static constexpr std::size_t kMaxKeptBodyBytes = 4096;

  std::int64_t number = 0;  // 1 for the delivery's first; goes on after a replay
  std::string endpoint_id;
  WallTime started_at{};
  std::chrono::milliseconds duration{};
  Outcome outcome = Outcome::retryable;
  std::optional<int> status;
  std::optional<std::string> error;  // begins with a FailureKind's name, or `status`
  std::string response_body;         // at most kMaxKeptBodyBytes
  std::string remote_address;
};

// How far a delivery is through its retries.
struct DeliveryProgress {
  std::int64_t attempts = 0;  // made so far, in all
  int retries_used = 0;       // of the current round (the first attempt is none)
  int step = 0;               // of the long schedule: rounds that ended without success
};

// What an attempt means for its delivery: the only ways in which one changes.
struct Delivered {};
struct Again {
  WallTime at{};
  int retries_used = 0;
  int step = 0;
};
struct SentToReview {
  ReviewReason reason = ReviewReason::rejected;
};
using Decision = std::variant<Delivered, Again, SentToReview>;

}  // namespace dispatcher
