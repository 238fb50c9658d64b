#include "model/outcome.hpp"

#include "model/webhook_url.hpp"

#include <algorithm>
#include <charconv>

namespace dispatcher {
namespace {

constexpr std::chrono::seconds kMaxRetryAfter = std::chrono::hours{24};

Verdict classify_failure(const Failure& failure) {
  Verdict verdict;
  verdict.error = failure.text();
  switch (failure.kind) {
    case FailureKind::blocked:
      verdict.outcome = Outcome::blocked;
      verdict.review_reason = ReviewReason::blocked;
      break;
    case FailureKind::aborted:
      verdict.outcome = Outcome::abandoned;
      // Of the words that an error may begin with: the connection ended, though by us.
      verdict.error = Failure{FailureKind::reset, failure.message}.text();
      break;
    default: verdict.outcome = Outcome::retryable;
  }
  return verdict;
}

// ` to https://host`, without the path, which may be a secret. RFC 3986, section 4.2: a reference
// that names no scheme and no host stays on the same one.
std::string where_to(std::string_view location, bool is_https) {
  const auto scheme_end = location.find(':');
  const bool is_relative =
      scheme_end == std::string_view::npos || location.find_first_of("/?#") < scheme_end;
  if (is_relative && !location.empty() && !location.starts_with("//")) {
    return " within the same host";
  }
  const std::string scheme = is_relative ? (is_https ? "https:" : "http:") : "";
  const auto target = parse_webhook_url(scheme + std::string{location});
  return " to " + (target ? target->display() : "what is no web address");
}

std::string redirect_message(const Answer& answer, bool is_https) {
  std::string message = "status: " + std::to_string(answer.status) + " redirects";
  if (const auto location = answer.header("location")) {
    message += where_to(*location, is_https);
  }
  return message + "; redirects are not followed";
}

}  // namespace

bool StatusPolicy::is_retryable(int status) const {
  const auto contains = [status](const std::vector<int>& list) {
    return std::find(list.begin(), list.end(), status) != list.end();
  };
  if (contains(never_retryable)) {
    return false;
  }
  return status == 429 || (status >= 500 && status <= 599) || contains(also_retryable);
}

Verdict classify(const Exchange& exchange, const StatusPolicy& policy, WallTime now,
                 bool is_https) {
  if (const auto* failure = std::get_if<Failure>(&exchange.result)) {
    return classify_failure(*failure);
  }
  const Answer& answer = std::get<Answer>(exchange.result);
  Verdict verdict;
  verdict.status = answer.status;
  if (answer.status >= 200 && answer.status <= 299) {
    verdict.outcome = Outcome::delivered;
    return verdict;
  }
  verdict.error = "status: " + std::to_string(answer.status);
  if (answer.status >= 300 && answer.status <= 399) {
    verdict.outcome = Outcome::refused;
    verdict.review_reason = ReviewReason::redirected;
    verdict.error = redirect_message(answer, is_https);
    return verdict;
  }
  if (!policy.is_retryable(answer.status)) {
    verdict.outcome = Outcome::refused;
    verdict.review_reason = ReviewReason::rejected;
    return verdict;
  }
  verdict.outcome = Outcome::retryable;
  if (answer.status == 429 || answer.status == 503) {
    if (const auto value = answer.header("retry-after")) {
      verdict.retry_after = parse_retry_after(*value, now);
      verdict.pauses_endpoint = answer.status == 429 && verdict.retry_after.has_value();
    }
  }
  return verdict;
}

std::optional<std::chrono::seconds> parse_retry_after(std::string_view value, WallTime now) {
  using std::chrono::seconds;
  while (value.starts_with(' ') || value.starts_with('\t')) {
    value.remove_prefix(1);
  }
  while (value.ends_with(' ') || value.ends_with('\t')) {
    value.remove_suffix(1);
  }
  if (value.empty()) {
    return std::nullopt;
  }
  const bool is_number =
      std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (is_number) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    // More digits than an integer holds is more than a day in any case.
    const bool is_huge = error == std::errc::result_out_of_range;
    return is_huge ? kMaxRetryAfter : std::min(seconds{number}, kMaxRetryAfter);
  }
  const auto date = parse_http_date(value);
  if (!date) {
    return std::nullopt;
  }
  const auto wait = std::chrono::ceil<seconds>(*date - now);
  return std::clamp(wait, seconds{0}, kMaxRetryAfter);
}

}  // namespace dispatcher
