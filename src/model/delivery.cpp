#include "model/delivery.hpp"

#include "model/parse_enum.hpp"

#include <array>

namespace dispatcher {

std::string_view to_string(DeliveryState state) {
  switch (state) {
    case DeliveryState::waiting: return "waiting";
    case DeliveryState::in_flight: return "in_flight";
    case DeliveryState::delivered: return "delivered";
    case DeliveryState::review: return "review";
    case DeliveryState::discarded: return "discarded";
  }
  return "unknown";
}

std::string_view to_string(ReviewReason reason) {
  switch (reason) {
    case ReviewReason::rejected: return "rejected";
    case ReviewReason::redirected: return "redirected";
    case ReviewReason::blocked: return "blocked";
    case ReviewReason::exhausted: return "exhausted";
  }
  return "unknown";
}

std::string_view to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::delivered: return "delivered";
    case Outcome::retryable: return "retryable";
    case Outcome::refused: return "refused";
    case Outcome::blocked: return "blocked";
    case Outcome::abandoned: return "abandoned";
  }
  return "unknown";
}

std::optional<DeliveryState> parse_delivery_state(std::string_view text) {
  using enum DeliveryState;
  return parse_one_of(std::array{waiting, in_flight, delivered, review, discarded}, text);
}

std::optional<ReviewReason> parse_review_reason(std::string_view text) {
  using enum ReviewReason;
  return parse_one_of(std::array{rejected, redirected, blocked, exhausted}, text);
}

std::optional<Outcome> parse_outcome(std::string_view text) {
  using enum Outcome;
  return parse_one_of(std::array{delivered, retryable, refused, blocked, abandoned}, text);
}

}  // namespace dispatcher
