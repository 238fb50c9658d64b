// Promises: `run` takes no more than it can deliver now, acknowledges each event as soon as every
// endpoint took it, keeps short waits to itself and tells the API of everything else; an API
// without leases is worked with as it is.
#include "adapters/http_inbox/http_inbox.hpp"

#include "http_inbox/fake_api.hpp"

#include <gtest/gtest.h>

namespace dispatcher {
namespace {

using namespace test;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::size_t kMegabyte = 1024 * 1024;

Endpoint endpoint(EndpointNumber number) {
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
    inbox.emplace(api, clock, log, std::move(endpoints), options);
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
    return await(inbox->settle(settlement));
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

// -- fetching

TEST_F(HttpInboxTest, takes_no_more_than_there_are_free_slots) {
  for (int i = 0; i < 10; ++i) {
    api.add();
  }
  const auto answer = claim(4);
  EXPECT_EQ(answer.deliveries.size(), 4U);
  ASSERT_EQ(api.calls.size(), 1U);
  EXPECT_EQ(api.calls[0].path, "/inbox?limit=4&lease_seconds=45&consumer=host%20name%3A1");
  ASSERT_TRUE(answer.lanes[0].next_due);
}

TEST_F(HttpInboxTest, fetches_made_while_deliveries_run_are_a_moment_apart) {
  for (int i = 0; i < 10; ++i) {
    api.add();
  }
  (void)claim(4);
  const auto soon = claim(4);
  EXPECT_TRUE(soon.deliveries.empty());
  EXPECT_EQ(*soon.lanes[0].next_due, clock.wall() + HttpInbox::kFetchPause);
  clock.advance(HttpInbox::kFetchPause);
  EXPECT_EQ(claim(4).deliveries.size(), 4U);
}

TEST_F(HttpInboxTest, the_run_takes_no_more_than_its_budget) {
  restart({endpoint(1)}, 3);
  for (int i = 0; i < 10; ++i) {
    api.add();
  }
  const auto first = claim(2);
  EXPECT_EQ(first.deliveries.size(), 2U);
  clock.advance(seconds{1});
  const auto second = claim(10);
  EXPECT_EQ(second.deliveries.size(), 1U);
  EXPECT_FALSE(second.lanes[0].next_due);
  EXPECT_EQ(api.calls.size(), 2U);
  EXPECT_EQ(inbox->stats().events, 3);
}

TEST_F(HttpInboxTest, an_empty_answer_ends_the_run) {
  const auto answer = claim(10);
  EXPECT_TRUE(answer.deliveries.empty());
  EXPECT_FALSE(answer.lanes[0].next_due);
  api.add();
  (void)claim(10);
  EXPECT_EQ(api.calls.size(), 1U);
}

TEST_F(HttpInboxTest, the_payload_is_the_raw_text_of_the_answer) {
  const std::string payload = R"({ "b":1.0,"a":12345678901234567890 , "u":"\u00e9"})";
  api.add(payload);
  const auto answer = claim(1);
  ASSERT_EQ(answer.deliveries.size(), 1U);
  EXPECT_EQ(answer.deliveries[0].event->payload, payload);
  EXPECT_EQ(answer.deliveries[0].event->type, "t");
}

TEST_F(HttpInboxTest, an_entry_that_is_no_event_holds_up_no_other) {
  api.add("[1]");
  api.add();
  const auto answer = claim(10);
  EXPECT_EQ(answer.deliveries.size(), 1U);
  EXPECT_EQ(std::count_if(lines.begin(), lines.end(),
                          [](const std::string& line) {
                            return line.find("are no events") != std::string::npos;
                          }),
            1);
}

TEST_F(HttpInboxTest, an_inbox_that_keeps_failing_ends_the_run_with_the_reason) {
  api.faults["inbox"] = {503, 0, 500, 429, 503};
  for (int i = 1; i <= HttpInbox::kMaxFetchFailures; ++i) {
    const auto answer = await(inbox->claim({{1, 1}}, kMegabyte));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().kind,
              i < HttpInbox::kMaxFetchFailures ? ErrorKind::retry_later : ErrorKind::refused);
    EXPECT_EQ(inbox->failure().has_value(), i == HttpInbox::kMaxFetchFailures);
  }
}

TEST_F(HttpInboxTest, a_refusal_ends_the_run_at_once) {
  api.faults["inbox"] = {403};
  EXPECT_FALSE(await(inbox->claim({{1, 1}}, kMegabyte)));
  ASSERT_TRUE(inbox->failure());
  EXPECT_NE(inbox->failure()->message.find("403"), std::string::npos);
}

// -- settling

TEST_F(HttpInboxTest, a_delivered_event_is_acknowledged_at_once_under_its_lease) {
  const auto id = api.add();
  EXPECT_TRUE(deliver(claim(1).deliveries.at(0)));
  const auto acks = api.calls_to("/ack");
  ASSERT_EQ(acks.size(), 1U);
  EXPECT_EQ(acks[0].path, "/inbox/" + to_string(id) + "/ack");
  EXPECT_EQ(acks[0].lease, "lease-1");
  EXPECT_EQ(inbox->stats().acknowledged, 1);
}

TEST_F(HttpInboxTest, an_acknowledgement_that_fails_is_made_again_and_counted_once) {
  api.add();
  const auto claimed = claim(1).deliveries.at(0);
  api.faults["ack"] = {503, 0};
  EXPECT_EQ(deliver(claimed).error().kind, ErrorKind::retry_later);
  EXPECT_EQ(deliver(claimed).error().kind, ErrorKind::retry_later);
  EXPECT_TRUE(deliver(claimed));
  EXPECT_EQ(inbox->stats().acknowledged, 1);
  EXPECT_EQ(deliver(claimed).error().kind, ErrorKind::conflict);
}

TEST_F(HttpInboxTest, recording_is_not_tried_for_ever) {
  api.add();
  const auto claimed = claim(1).deliveries.at(0);
  api.faults["ack"] = {0, 0};
  EXPECT_EQ(deliver(claimed).error().kind, ErrorKind::retry_later);
  clock.advance(HttpInbox::kSettlePatience);
  EXPECT_EQ(deliver(claimed).error().kind, ErrorKind::refused);
}

TEST_F(HttpInboxTest, an_event_deleted_meanwhile_is_no_error_and_one_leased_elsewhere_is_said) {
  api.add();
  api.add();
  const auto claimed = claim(2).deliveries;
  api.faults["ack"] = {404, 409};
  EXPECT_TRUE(deliver(claimed.at(0)));
  EXPECT_EQ(deliver(claimed.at(1)).error().kind, ErrorKind::conflict);
  EXPECT_EQ(inbox->stats().acknowledged, 0);
  EXPECT_NE(lines.back().find("leased by another"), std::string::npos);
}

TEST_F(HttpInboxTest, a_short_wait_stays_here_and_wakes_the_engine) {
  api.add();
  auto claimed = claim(1).deliveries.at(0);
  EXPECT_TRUE(fail_for(claimed, seconds{2}));
  EXPECT_TRUE(api.calls_to("/nack").empty());
  ASSERT_EQ(hints.size(), 1U);
  EXPECT_EQ(hints[0].next_due, clock.wall() + seconds{2});
  EXPECT_TRUE(claim(1).deliveries.empty());
  clock.advance(seconds{2});
  const auto again = claim(1);
  ASSERT_EQ(again.deliveries.size(), 1U);
  EXPECT_EQ(again.deliveries[0].progress.attempts, 1);
  EXPECT_EQ(again.deliveries[0].progress.retries_used, 1);
  EXPECT_TRUE(deliver(again.deliveries[0]));
  EXPECT_EQ(inbox->stats().acknowledged, 1);
}

TEST_F(HttpInboxTest, attempts_of_earlier_runs_are_counted_on) {
  api.at(api.add()).attempts = 7;
  EXPECT_EQ(claim(1).deliveries.at(0).progress.attempts, 7);
}

TEST_F(HttpInboxTest, a_round_that_ended_goes_back_to_the_apis_own_schedule) {
  api.add();
  auto claimed = claim(1).deliveries.at(0);
  EXPECT_TRUE(fail_round(claimed, std::chrono::minutes{5}));
  const auto nacks = api.calls_to("/nack");
  ASSERT_EQ(nacks.size(), 1U);
  EXPECT_EQ(nacks[0].lease, "lease-1");
  EXPECT_NE(nacks[0].body.find(R"({"error":"status: 500","attempts":[{"number":1,)"),
            std::string::npos)
      << nacks[0].body;
  EXPECT_EQ(nacks[0].body.find("retry_after"), std::string::npos);
  EXPECT_EQ(nacks[0].body.find("reason"), std::string::npos);
}

TEST_F(HttpInboxTest, the_waits_of_a_round_are_not_told_when_it_has_ended) {
  api.add();
  EXPECT_TRUE(fail_for(claim(1).deliveries.at(0), seconds{1}));
  clock.advance(seconds{1});
  EXPECT_TRUE(fail_round(claim(1).deliveries.at(0), std::chrono::minutes{5}));
  const auto nacks = api.calls_to("/nack");
  ASSERT_EQ(nacks.size(), 1U);
  EXPECT_EQ(nacks[0].body.find("retry_after"), std::string::npos) << nacks[0].body;
}

TEST_F(HttpInboxTest, a_longer_wait_that_the_receiver_asked_for_is_told) {
  api.add();
  api.add();
  const auto claimed = claim(2).deliveries;
  EXPECT_TRUE(fail_for(claimed.at(0), seconds{61}));
  EXPECT_TRUE(fail_round(claimed.at(1), std::chrono::hours{2}));
  const auto nacks = api.calls_to("/nack");
  ASSERT_EQ(nacks.size(), 2U);
  EXPECT_NE(nacks[0].body.find(R"("retry_after_seconds":61)"), std::string::npos);
  EXPECT_NE(nacks[1].body.find(R"("retry_after_seconds":7200)"), std::string::npos);
}

TEST_F(HttpInboxTest, a_refused_delivery_goes_to_review) {
  api.add();
  EXPECT_TRUE(reject(claim(1).deliveries.at(0)));
  const auto nacks = api.calls_to("/nack");
  ASSERT_EQ(nacks.size(), 1U);
  EXPECT_NE(nacks[0].body.find(R"("error":"status: 404","reason":"rejected","attempts":[)"),
            std::string::npos)
      << nacks[0].body;
}

// -- several endpoints

TEST_F(TwoEndpoints, an_event_is_acknowledged_when_both_took_it) {
  api.add();
  const auto claimed = claim_both();
  ASSERT_EQ(claimed.size(), 2U);
  EXPECT_EQ(claimed[0].event, claimed[1].event);
  EXPECT_TRUE(deliver(claimed[0]));
  EXPECT_TRUE(api.calls_to("/ack").empty());
  EXPECT_TRUE(deliver(claimed[1]));
  EXPECT_EQ(api.calls_to("/ack").size(), 1U);
  EXPECT_EQ(inbox->stats().events, 1);
  EXPECT_EQ(inbox->stats().deliveries, 2);
}

TEST_F(TwoEndpoints, a_report_says_who_took_it_and_review_waits_for_the_other) {
  api.add();
  api.add();
  const auto claimed = claim_both();
  ASSERT_EQ(claimed.size(), 4U);
  EXPECT_TRUE(deliver(claimed[0]));  // the first event: taken, and refused
  EXPECT_TRUE(reject(claimed[2]));
  EXPECT_TRUE(reject(claimed[1]));  // the second: refused, and later
  EXPECT_TRUE(fail_round(claimed[3], std::chrono::minutes{5}));
  const auto nacks = api.calls_to("/nack");
  ASSERT_EQ(nacks.size(), 2U);
  EXPECT_NE(nacks[0].body.find(R"("reason":"rejected")"), std::string::npos);
  EXPECT_NE(nacks[0].body.find(R"("delivered":["secret-1"])"), std::string::npos);
  EXPECT_EQ(nacks[1].body.find("reason"), std::string::npos) << nacks[1].body;
}

TEST_F(TwoEndpoints, an_endpoint_that_took_the_event_in_an_earlier_run_is_left_out) {
  FakeEvent& event = api.at(api.add());
  event.attempts = 3;
  event.deliveries = R"([{"endpoint_id":"secret-1","state":"delivered","attempts":1},
                         {"endpoint_id":"secret-2","state":"waiting","attempts":2}])";
  const auto claimed = claim_both();
  ASSERT_EQ(claimed.size(), 1U);
  EXPECT_EQ(claimed[0].endpoint, 2U);
  EXPECT_EQ(claimed[0].progress.attempts, 2);
  EXPECT_TRUE(deliver(claimed[0]));
  EXPECT_EQ(api.calls_to("/ack").size(), 1U);
}

TEST_F(TwoEndpoints, what_both_took_in_an_earlier_run_is_acknowledged_without_an_attempt) {
  FakeEvent& event = api.at(api.add());
  event.attempts = 2;
  event.deliveries = R"([{"endpoint_id":"secret-1","state":"delivered","attempts":1},
                         {"endpoint_id":"secret-2","state":"delivered","attempts":1}])";
  EXPECT_TRUE(claim_both().empty());
  EXPECT_EQ(inbox->stats().acknowledged, 1);
}

TEST_F(TwoEndpoints, one_that_is_busy_keeps_its_share_for_later) {
  api.add();
  EXPECT_EQ(claim(1, 1).deliveries.size(), 1U);
  const auto second = claim(1, 2);
  EXPECT_EQ(second.deliveries.size(), 1U);
  EXPECT_EQ(api.calls_to("/inbox").size(), 1U);
}

// -- leases

TEST_F(TwoEndpoints, a_lease_that_would_run_out_is_renewed_before_the_attempt) {
  api.add();
  (void)claim(1, 1);
  clock.advance(seconds{20});  // 25 s of the lease are left, an attempt takes 30
  EXPECT_EQ(claim(1, 2).deliveries.size(), 1U);
  const auto renewals = api.calls_to("/renew");
  ASSERT_EQ(renewals.size(), 1U);
  EXPECT_EQ(renewals[0].lease, "lease-1");
  EXPECT_NE(renewals[0].body.find(R"("lease_seconds":45)"), std::string::npos);
}

TEST_F(HttpInboxTest, a_wait_past_the_leases_end_renews_it_for_that_long) {
  api.add();
  auto claimed = claim(1).deliveries.at(0);
  EXPECT_TRUE(fail_for(claimed, seconds{60}, 7));
  const auto renewals = api.calls_to("/renew");
  ASSERT_EQ(renewals.size(), 1U);
  EXPECT_NE(renewals[0].body.find(R"("lease_seconds":105)"), std::string::npos);
}

TEST_F(TwoEndpoints, an_event_whose_lease_is_lost_is_not_delivered) {
  api.add();
  const auto first = claim(1, 1).deliveries.at(0);
  api.renews = false;
  clock.advance(seconds{50});
  EXPECT_TRUE(claim(1, 2).deliveries.empty());
  EXPECT_TRUE(deliver(first));
  EXPECT_TRUE(api.calls_to("/ack").empty());
  EXPECT_TRUE(api.calls_to("/nack").empty());
}

TEST_F(TwoEndpoints, without_an_answer_to_the_renewal_an_ended_lease_is_not_used) {
  api.add();
  (void)claim(1, 1);
  api.faults["renew"] = {0};
  clock.advance(seconds{50});
  EXPECT_TRUE(claim(1, 2).deliveries.empty());
  clock.advance(seconds{1});
  EXPECT_EQ(claim(1, 2).deliveries.size(), 1U);
}

// -- giving back

TEST_F(HttpInboxTest, what_was_not_attempted_is_given_back_as_it_was) {
  const auto id = api.add();
  const auto claimed = claim(1).deliveries.at(0);
  EXPECT_TRUE(await(inbox->give_back({claimed.token})));
  ASSERT_EQ(api.calls_to("/nack").size(), 1U);
  EXPECT_EQ(api.calls_to("/nack")[0].body, "{}");
  EXPECT_FALSE(api.at(id).is_leased);
}

TEST_F(HttpInboxTest, the_end_gives_back_what_waits_and_tells_what_was_tried) {
  api.add();
  auto claimed = claim(1).deliveries.at(0);
  EXPECT_TRUE(fail_for(claimed, seconds{4}));
  await(inbox->finish());
  const auto nacks = api.calls_to("/nack");
  ASSERT_EQ(nacks.size(), 1U);
  EXPECT_NE(nacks[0].body.find(R"("error":"status: 500","retry_after_seconds":4,"attempts":[)"),
            std::string::npos)
      << nacks[0].body;
  EXPECT_TRUE(claim(1).deliveries.empty());
}

TEST_F(TwoEndpoints, the_end_puts_nothing_in_review_that_was_not_tried_everywhere) {
  api.add();
  EXPECT_TRUE(reject(claim(1, 1).deliveries.at(0)));
  await(inbox->finish());
  const auto nacks = api.calls_to("/nack");
  ASSERT_EQ(nacks.size(), 1U);
  EXPECT_EQ(nacks[0].body.find("reason"), std::string::npos) << nacks[0].body;
}

// -- an API without leases

class PlainApi : public HttpInboxTest {
 protected:
  PlainApi() { api.has_leases = false; }
};

TEST_F(PlainApi, is_seen_by_its_answer_and_warned_of_once) {
  api.add();
  EXPECT_TRUE(deliver(claim(1).deliveries.at(0)));
  (void)claim(1);
  EXPECT_EQ(std::count_if(lines.begin(), lines.end(),
                          [](const std::string& line) {
                            return line.find("has no leases") != std::string::npos;
                          }),
            1);
}

TEST_F(PlainApi, a_whole_answer_is_kept_and_worked_off_oldest_first) {
  for (int i = 0; i < 5; ++i) {
    api.add(fmt::format(R"({{"n":{}}})", i));
  }
  EXPECT_EQ(claim(2).deliveries.at(0).event->payload, R"({"n":0})");
  const auto rest = claim(10);
  ASSERT_EQ(rest.deliveries.size(), 3U);
  EXPECT_EQ(rest.deliveries[2].event->payload, R"({"n":4})");
  EXPECT_FALSE(rest.lanes[0].next_due);
  EXPECT_EQ(api.calls_to("/inbox").size(), 1U);
}

TEST_F(PlainApi, the_next_answer_is_fetched_when_all_of_this_one_is_settled) {
  for (int i = 0; i < 101; ++i) {
    api.add();
  }
  restart({endpoint(1)}, 1000);
  auto claimed = claim(200).deliveries;
  ASSERT_EQ(claimed.size(), 100U);
  for (std::size_t i = 0; i + 1 < claimed.size(); ++i) {
    EXPECT_TRUE(deliver(claimed[i]));
  }
  EXPECT_TRUE(hints.empty());
  EXPECT_TRUE(reject(claimed.back()));
  EXPECT_FALSE(hints.empty());
  EXPECT_EQ(claim(200).deliveries.size(), 1U);  // and not the rejected one again
}

TEST_F(PlainApi, ends_when_it_shows_nothing_new_and_is_never_told_of_failures) {
  api.add();
  EXPECT_TRUE(fail_round(claim(1).deliveries.at(0), std::chrono::minutes{5}));
  const auto answer = claim(1);
  EXPECT_TRUE(answer.deliveries.empty());
  EXPECT_FALSE(answer.lanes[0].next_due);
  await(inbox->finish());
  EXPECT_TRUE(api.calls_to("/nack").empty());
  EXPECT_EQ(api.calls_to("/inbox").size(), 2U);
}

}  // namespace
}  // namespace dispatcher
