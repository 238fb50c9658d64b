// Promises checked: the outcome table and Retry-After, as docs of the delivery semantics have them.
#include "model/outcome.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace dispatcher {
namespace {

using namespace std::chrono_literals;

const WallTime kNow = *parse_timestamp("2026-01-01T00:00:00Z");

Exchange answered(int status, std::vector<HttpHeader> headers = {}) {
  Exchange exchange;
  exchange.result = Answer{status, std::move(headers), "body"};
  return exchange;
}

Exchange failed(FailureKind kind) {
  Exchange exchange;
  exchange.result = Failure{kind, "words"};
  return exchange;
}

TEST(Outcome, an_answer_means_what_its_status_says) {
  struct Case {
    int status;
    Outcome outcome;
    std::optional<ReviewReason> reason;
    std::optional<std::string> error;
  };
  const auto rejected = ReviewReason::rejected;
  const auto redirected = ReviewReason::redirected;
  const std::vector<Case> cases{
      {200, Outcome::delivered, {}, {}},
      {201, Outcome::delivered, {}, {}},
      {202, Outcome::delivered, {}, {}},
      {204, Outcome::delivered, {}, {}},
      {226, Outcome::delivered, {}, {}},
      {299, Outcome::delivered, {}, {}},
      {300, Outcome::refused, redirected, "status: 300 redirects; redirects are not followed"},
      {304, Outcome::refused, redirected, "status: 304 redirects; redirects are not followed"},
      {399, Outcome::refused, redirected, "status: 399 redirects; redirects are not followed"},
      {400, Outcome::refused, rejected, "status: 400"},
      {401, Outcome::refused, rejected, "status: 401"},
      {403, Outcome::refused, rejected, "status: 403"},
      {404, Outcome::refused, rejected, "status: 404"},
      {408, Outcome::refused, rejected, "status: 408"},
      {409, Outcome::refused, rejected, "status: 409"},
      {410, Outcome::refused, rejected, "status: 410"},
      {413, Outcome::refused, rejected, "status: 413"},
      {422, Outcome::refused, rejected, "status: 422"},
      {425, Outcome::refused, rejected, "status: 425"},
      {428, Outcome::refused, rejected, "status: 428"},
      {429, Outcome::retryable, {}, "status: 429"},
      {430, Outcome::refused, rejected, "status: 430"},
      {451, Outcome::refused, rejected, "status: 451"},
      {499, Outcome::refused, rejected, "status: 499"},
      {500, Outcome::retryable, {}, "status: 500"},
      {501, Outcome::retryable, {}, "status: 501"},
      {502, Outcome::retryable, {}, "status: 502"},
      {503, Outcome::retryable, {}, "status: 503"},
      {504, Outcome::retryable, {}, "status: 504"},
      {505, Outcome::retryable, {}, "status: 505"},
      {511, Outcome::retryable, {}, "status: 511"},
      {599, Outcome::retryable, {}, "status: 599"},
  };
  for (const Case& c : cases) {
    const Verdict verdict = classify(answered(c.status), {}, kNow);
    EXPECT_EQ(verdict.outcome, c.outcome) << c.status;
    EXPECT_EQ(verdict.review_reason, c.reason) << c.status;
    EXPECT_EQ(verdict.error, c.error) << c.status;
    EXPECT_EQ(verdict.status, c.status);
    EXPECT_FALSE(verdict.retry_after) << c.status;
    EXPECT_FALSE(verdict.pauses_endpoint) << c.status;
  }
}

TEST(Outcome, without_an_answer_it_means_where_it_broke) {
  struct Case {
    FailureKind kind;
    Outcome outcome;
    std::optional<ReviewReason> reason;
    std::string_view error;
  };
  const std::vector<Case> cases{
      {FailureKind::timeout, Outcome::retryable, {}, "timeout: words"},
      {FailureKind::connect, Outcome::retryable, {}, "connect: words"},
      {FailureKind::dns, Outcome::retryable, {}, "dns: words"},
      {FailureKind::tls, Outcome::retryable, {}, "tls: words"},
      {FailureKind::reset, Outcome::retryable, {}, "reset: words"},
      {FailureKind::protocol, Outcome::retryable, {}, "protocol: words"},
      {FailureKind::blocked, Outcome::blocked, ReviewReason::blocked, "blocked: words"},
      {FailureKind::aborted, Outcome::abandoned, {}, "reset: words"},
  };
  for (const Case& c : cases) {
    const Verdict verdict = classify(failed(c.kind), {}, kNow);
    EXPECT_EQ(verdict.outcome, c.outcome) << c.error;
    EXPECT_EQ(verdict.review_reason, c.reason) << c.error;
    EXPECT_EQ(verdict.error, c.error);
    EXPECT_FALSE(verdict.status);
    EXPECT_FALSE(verdict.retry_after);
  }
}

TEST(Outcome, which_statuses_are_retried_can_be_configured) {
  const StatusPolicy policy{{404, 408}, {429, 501}};
  struct Case {
    int status;
    Outcome outcome;
  };
  for (const Case& c : std::vector<Case>{{404, Outcome::retryable},
                                         {408, Outcome::retryable},
                                         {409, Outcome::refused},
                                         {429, Outcome::refused},
                                         {500, Outcome::retryable},
                                         {501, Outcome::refused},
                                         {200, Outcome::delivered},
                                         {302, Outcome::refused}}) {
    EXPECT_EQ(classify(answered(c.status), policy, kNow).outcome, c.outcome) << c.status;
  }
}

TEST(Outcome, a_redirect_names_the_host_it_leads_to_and_nothing_more) {
  struct Case {
    std::string location;
    std::string_view error;
  };
  const std::vector<Case> cases{
      {"https://other.example/secret/path?key=1",
       "status: 302 redirects to https://other.example; redirects are not followed"},
      {"http://other.example:8080/secret",
       "status: 302 redirects to http://other.example:8080; redirects are not followed"},
      {"https://user:word@other.example/",
       "status: 302 redirects to https://other.example; redirects are not followed"},
      {"//other.example/secret",
       "status: 302 redirects to https://other.example; redirects are not followed"},
      {"/secret/path", "status: 302 redirects within the same host; redirects are not followed"},
      {"secret", "status: 302 redirects within the same host; redirects are not followed"},
      {"?secret", "status: 302 redirects within the same host; redirects are not followed"},
      {"ftp://other.example/secret",
       "status: 302 redirects to what is no web address; redirects are not followed"},
      {"https://[secret",
       "status: 302 redirects to what is no web address; redirects are not followed"},
      {"", "status: 302 redirects to what is no web address; redirects are not followed"},
  };
  for (const Case& c : cases) {
    const Verdict verdict = classify(answered(302, {{"LOCATION", c.location}}), {}, kNow);
    EXPECT_EQ(verdict.error, c.error) << c.location;
  }
  EXPECT_EQ(
      classify(answered(302, {{"Location", "//other.example/secret"}}), {}, kNow, false).error,
      "status: 302 redirects to http://other.example; redirects are not followed");
}

TEST(Outcome, retry_after_is_read_from_429_and_503_and_pauses_the_endpoint_of_a_429) {
  struct Case {
    int status;
    std::string value;
    std::optional<std::chrono::seconds> wait;
    bool pauses;
  };
  const std::vector<Case> cases{{429, "7", 7s, true},     {503, "7", 7s, false},
                                {500, "7", {}, false},    {502, "7", {}, false},
                                {404, "7", {}, false},    {200, "7", {}, false},
                                {429, "soon", {}, false}, {503, "soon", {}, false}};
  for (const Case& c : cases) {
    const Verdict verdict = classify(answered(c.status, {{"retry-After", c.value}}), {}, kNow);
    EXPECT_EQ(verdict.retry_after, c.wait) << c.status << " " << c.value;
    EXPECT_EQ(verdict.pauses_endpoint, c.pauses) << c.status << " " << c.value;
  }
}

TEST(Outcome, retry_after_is_seconds_or_a_date_capped_at_a_day) {
  struct Case {
    std::string_view value;
    std::optional<std::chrono::seconds> wait;
  };
  const std::vector<Case> cases{
      {"0", 0s},
      {"1", 1s},
      {"120", 120s},
      {"007", 7s},
      {"  5\t", 5s},
      {"86400", 24h},
      {"86401", 24h},
      {"9223372036854775807", 24h},
      {"9223372036854775808", 24h},
      {"99999999999999999999999999999", 24h},
      {"Thu, 01 Jan 2026 00:00:10 GMT", 10s},
      {"Thu, 01 Jan 2026 00:00:00 GMT", 0s},
      {"Wed, 31 Dec 2025 23:59:59 GMT", 0s},
      {"Fri, 01 Jan 1971 00:00:00 GMT", 0s},
      {"Fri, 02 Jan 2026 00:00:00 GMT", 24h},
      {"Fri, 02 Jan 2026 00:00:01 GMT", 24h},
      {"Fri, 31 Dec 9999 23:59:59 GMT", 24h},
      {"Thursday, 01-Jan-26 00:01:00 GMT", 60s},
      {"Thu Jan  1 00:02:00 2026", 120s},
      {"", {}},
      {" ", {}},
      {"-1", {}},
      {"+1", {}},
      {"1.5", {}},
      {"1s", {}},
      {"1, 2", {}},
      {"1e3", {}},
      {"0x10", {}},
      {"tomorrow", {}},
      {"Thu, 01 Jan 2026 00:00:10", {}},
      {"2026-01-01T00:00:10Z", {}},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(parse_retry_after(c.value, kNow), c.wait) << c.value;
  }
}

TEST(Outcome, a_date_between_two_seconds_is_waited_for_whole) {
  // Rounded up: never earlier than asked.
  EXPECT_EQ(parse_retry_after("Thu, 01 Jan 2026 00:00:10 GMT", kNow + 1us), 10s);
  EXPECT_EQ(parse_retry_after("Thu, 01 Jan 2026 00:00:10 GMT", kNow + 999'999us), 10s);
  EXPECT_EQ(parse_retry_after("Thu, 01 Jan 2026 00:00:10 GMT", kNow + 1s), 9s);
}

TEST(Outcome, names_are_those_of_the_wire_contract_and_read_back) {
  for (const auto outcome : {Outcome::delivered, Outcome::retryable, Outcome::refused,
                             Outcome::blocked, Outcome::abandoned}) {
    EXPECT_EQ(parse_outcome(to_string(outcome)), outcome);
  }
  for (const auto state :
       {DeliveryState::waiting, DeliveryState::in_flight, DeliveryState::delivered,
        DeliveryState::review, DeliveryState::discarded}) {
    EXPECT_EQ(parse_delivery_state(to_string(state)), state);
  }
  for (const auto reason : {ReviewReason::rejected, ReviewReason::redirected, ReviewReason::blocked,
                            ReviewReason::exhausted}) {
    EXPECT_EQ(parse_review_reason(to_string(reason)), reason);
  }
  EXPECT_FALSE(parse_outcome("Delivered"));
  EXPECT_FALSE(parse_delivery_state("unknown"));
  EXPECT_FALSE(parse_review_reason(""));
  EXPECT_EQ(to_string(DeliveryState::in_flight), "in_flight");
  EXPECT_EQ(to_string(Outcome::abandoned), "abandoned");
}

}  // namespace
}  // namespace dispatcher
