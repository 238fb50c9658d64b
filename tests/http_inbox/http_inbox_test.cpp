// Promises: `run` takes no more than it can deliver now, acknowledges each event as soon as it is
// delivered, keeps short waits to itself and tells the API of everything else.
#include "http_inbox/inbox_fixture.hpp"

namespace dispatcher {
namespace {

using namespace test;
using std::chrono::seconds;

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
  EXPECT_NE(inbox->failure()->error.message.find("403"), std::string::npos);
}

// -- settling

TEST_F(HttpInboxTest, a_run_whose_last_fetch_failed_says_so_unless_it_was_stopped) {
  const auto fetch_fails = [&] {
    restart({endpoint(1)}, 100);
    api.faults["inbox"] = {0};
    EXPECT_FALSE(await(inbox->claim({{1, 1}}, kMegabyte)));
  };
  fetch_fails();
  await(inbox->finish());
  ASSERT_TRUE(inbox->failure());
  EXPECT_EQ(inbox->failure()->error.kind, ErrorKind::retry_later);
  fetch_fails();
  claim(1);
  await(inbox->finish());
  EXPECT_FALSE(inbox->failure());
  fetch_fails();
  inbox->stop();
  await(inbox->finish());
  EXPECT_FALSE(inbox->failure());
}

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

}  // namespace
}  // namespace dispatcher
