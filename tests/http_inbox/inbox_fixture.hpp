// A run's inbox over an API in memory, and what an engine does with it.
#pragma once

#include "adapters/http_inbox/http_inbox.hpp"

#include "http_inbox/fake_api.hpp"

#include <gtest/gtest.h>

namespace dispatcher::test {

using std::chrono::seconds;

inline constexpr std::size_t kMegabyte = 1024 * 1024;

inline Endpoint endpoint(EndpointNumber number) {
  Endpoint endpoint;
  endpoint.number = number;
  endpoint.id = fmt::format("secret-{}", number);
  return endpoint;
}

class HttpInboxTest : public testing::Test {
 protected:
  explicit HttpInboxTest(EndpointNumber endpoints = 1) : HttpInboxTest(endpoints, 100) {}
  HttpInboxTest(EndpointNumber endpoints, std::int64_t max_events) {
    std::vector<Endpoint> all;
    for (EndpointNumber number = 1; number <= endpoints; ++number) {
      all.push_back(endpoint(number));
    }
    restart(all, max_events);
  }

  void restart(std::vector<Endpoint> endpoints, std::int64_t max_events) {
    HttpInboxOptions options;
    options.max_events = max_events;
    options.consumer = "host name:1";
    inbox.emplace(api, clock, log, std::move(endpoints), memory, options);
    inbox->on_due([this](std::span<const LaneDue> lanes) {
      hints.insert(hints.end(), lanes.begin(), lanes.end());
    });
  }

  ClaimAnswer claim(std::size_t max, EndpointNumber number = 1) {
    auto answer = await(inbox->claim({{number, max}}, kMegabyte));
    EXPECT_TRUE(answer) << answer.error().message;
    return answer ? *answer : ClaimAnswer{};
  }

  Result<void> settle(const ClaimedDelivery& claimed, Decision decision, Outcome outcome,
                      std::optional<std::string> error = "status: 500") {
    Settlement settlement;
    settlement.token = claimed.token;
    settlement.event_id = claimed.event->id;
    settlement.endpoint = claimed.endpoint;
    settlement.attempt.number = claimed.progress.attempts + 1;
    settlement.attempt.endpoint_id = fmt::format("secret-{}", claimed.endpoint);
    settlement.attempt.started_at = clock.wall();
    settlement.attempt.outcome = outcome;
    settlement.attempt.error = outcome == Outcome::delivered ? std::nullopt : error;
    settlement.decision = decision;
    const auto settled = await(inbox->settle(settlement));
    return settled ? Result<void>{} : Result<void>{settled.error()};
  }
  Result<void> deliver(const ClaimedDelivery& claimed) {
    return settle(claimed, Delivered{}, Outcome::delivered);
  }
  Result<void> fail_for(const ClaimedDelivery& claimed, std::chrono::microseconds wait,
                        int retries_used = 1) {
    return settle(claimed, Again{clock.wall() + wait, retries_used, 0}, Outcome::retryable);
  }
  Result<void> fail_round(const ClaimedDelivery& claimed, std::chrono::microseconds wait) {
    return settle(claimed, Again{clock.wall() + wait, 0, 1}, Outcome::retryable);
  }
  Result<void> reject(const ClaimedDelivery& claimed) {
    return settle(claimed, SentToReview{ReviewReason::rejected}, Outcome::refused, "status: 404");
  }

  ManualClock clock;
  FakeApi api;
  std::vector<std::string> lines;
  Log log{LogLevel::info, LogFormat::text,
          [this](std::string_view line) { lines.emplace_back(line); }};
  InboxMemory memory;
  std::optional<HttpInbox> inbox;
  std::vector<LaneDue> hints;
};

class TwoEndpoints : public HttpInboxTest {
 protected:
  TwoEndpoints() : HttpInboxTest(2) {}

  std::vector<ClaimedDelivery> claim_both() {
    auto answer = await(inbox->claim({{1, 10}, {2, 10}}, kMegabyte));
    return answer ? answer->deliveries : std::vector<ClaimedDelivery>{};
  }
};

}  // namespace dispatcher::test
