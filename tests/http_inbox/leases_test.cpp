// Promises: an event for several endpoints is acknowledged when all took it; a lease covers every
// attempt made under it; what is not finished is given back; an API without leases is worked with
// as it is.
#include "http_inbox/inbox_fixture.hpp"

namespace dispatcher {
namespace {

using namespace test;
using std::chrono::seconds;

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

TEST_F(TwoEndpoints, an_endpoint_whose_delivery_is_in_review_is_left_out_and_nothing_acknowledged) {
  FakeEvent& event = api.at(api.add());
  event.attempts = 2;
  event.deliveries = R"([{"endpoint_id":"secret-1","state":"review","attempts":1},
                         {"endpoint_id":"secret-2","state":"waiting","attempts":1}])";
  const auto claimed = claim_both();
  ASSERT_EQ(claimed.size(), 1U);
  EXPECT_EQ(claimed[0].endpoint, 2U);
  EXPECT_TRUE(deliver(claimed[0]));
  EXPECT_TRUE(api.calls_to("/ack").empty());
  const auto nacks = api.calls_to("/nack");
  ASSERT_EQ(nacks.size(), 1U);
  EXPECT_NE(nacks[0].body.find(R"("reason":"rejected")"), std::string::npos);
  EXPECT_NE(nacks[0].body.find(R"("delivered":["secret-2"])"), std::string::npos);
}

TEST_F(TwoEndpoints,
       what_one_rejected_while_the_other_failed_is_tried_by_the_next_run_there_alone) {
  const auto id = api.add();
  const auto first = claim_both();
  ASSERT_EQ(first.size(), 2U);
  EXPECT_TRUE(reject(first[0]));
  EXPECT_TRUE(fail_round(first[1], std::chrono::minutes{5}));
  FakeEvent& event = api.at(id);
  const auto due_again = [&](std::string_view releases) {
    event.is_pending = true;
    event.attempts = 2;
    event.deliveries = R"([{"endpoint_id":"secret-1","state":"waiting","attempts":1},
                           {"endpoint_id":"secret-2","state":"waiting","attempts":1}])";
    event.deliveries += releases;
    restart({endpoint(1), endpoint(2)}, 100);
  };
  due_again("");
  const auto second = claim_both();
  ASSERT_EQ(second.size(), 1U);
  EXPECT_EQ(second[0].endpoint, 2U);
  EXPECT_TRUE(fail_round(second[0], std::chrono::minutes{5}));
  // A person has looked at it: both are tried.
  due_again(R"(,"releases":[{"endpoint_id":"","action":"replay"}])");
  EXPECT_EQ(claim_both().size(), 2U);
}

TEST_F(TwoEndpoints, a_replayed_event_is_tried_where_it_is_shown_in_review_still) {
  for (const std::string_view releases :
       {R"(,"releases":[{"endpoint_id":"","action":"replay"}])", ""}) {
    FakeEvent& event = api.at(api.add());
    event.attempts = 2;
    event.deliveries = R"([{"endpoint_id":"secret-1","state":"review","attempts":1},
                           {"endpoint_id":"secret-2","state":"review","attempts":1}])";
    event.deliveries += releases;
  }
  EXPECT_EQ(claim_both().size(), 4U);
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
