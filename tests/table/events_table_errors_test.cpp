// Promises: what a call of AWS's comes to is what the port says of it, for each of its functions; a
// call whose answer was lost but that was done is a success.
#include "table/events_table_fixture.hpp"

namespace dispatcher {
namespace {

using namespace test;

TEST_F(EventsTableTest, what_may_pass_is_tried_again_later) {
  for (const Named& one : each_call()) {
    aws.answers.push_back(
        FakeAws::bad(ErrorKind::retry_later, "ProvisionedThroughputExceededException", "too fast"));
    const auto error = one.call();
    ASSERT_TRUE(error) << one.name;
    EXPECT_EQ(error->kind, ErrorKind::retry_later) << one.name;
    EXPECT_NE(error->message.find("on the table events: too fast"), std::string::npos)
        << error->message;
  }
}

TEST_F(EventsTableTest, a_table_that_is_not_there_names_the_setting) {
  for (const Named& one : each_call()) {
    aws.answers.push_back(
        FakeAws::bad(ErrorKind::not_found, "ResourceNotFoundException", "not found"));
    const auto error = one.call();
    ASSERT_TRUE(error) << one.name;
    EXPECT_EQ(error->kind, ErrorKind::not_found) << one.name;
    EXPECT_EQ(error->message,
              "DYNAMODB_TABLE_NAME: there is no table events with an index status-index in this "
              "region and account");
  }
}

TEST_F(EventsTableTest, what_is_forbidden_or_wrong_and_a_stop_are_told_apart) {
  for (const auto& [given, expected] : {std::pair{ErrorKind::refused, ErrorKind::refused},
                                        std::pair{ErrorKind::invalid, ErrorKind::invalid},
                                        std::pair{ErrorKind::stopped, ErrorKind::stopped}}) {
    for (const Named& one : each_call()) {
      if (given == ErrorKind::invalid && one.name == "query") {
        continue;  // a table of another shape: below
      }
      aws.answers.push_back(FakeAws::bad(given, "X", "because"));
      const auto error = one.call();
      ASSERT_TRUE(error) << one.name;
      EXPECT_EQ(error->kind, expected) << one.name;
      const std::string_view action = one.name == "query" ? "Query" : "UpdateItem";
      EXPECT_EQ(error->message, fmt::format("{} on the table events: because", action));
    }
  }
}

TEST_F(EventsTableTest, a_table_without_the_index_is_no_events_table) {
  for (const Named& one : each_call()) {
    if (one.name == "query") {
      aws.answers.push_back(FakeAws::bad(ErrorKind::invalid, "ValidationException", "no index"));
      const auto error = one.call();
      ASSERT_TRUE(error);
      EXPECT_EQ(error->kind, ErrorKind::not_found);
      EXPECT_NE(error->message.find("DYNAMODB_TABLE_NAME"), std::string::npos);
      EXPECT_NE(error->message.find("status-index"), std::string::npos);
    }
  }
}

TEST_F(EventsTableTest, an_unmet_condition_is_a_conflict_where_the_caller_needs_to_know) {
  for (const std::string_view item : {R"({"id":{"S":"x"},"status":{"S":"pending"}})", ""}) {
    for (const Named& one : each_call()) {
      if (one.name == "query") {
        continue;  // it has no condition
      }
      answer_conflict(item);
      const auto error = one.call();
      if (one.name == "give_back" || one.name == "release") {
        EXPECT_FALSE(error) << one.name;
        continue;
      }
      ASSERT_TRUE(error) << one.name;
      EXPECT_EQ(error->kind, ErrorKind::conflict) << one.name;
    }
  }
}

TEST_F(EventsTableTest, a_release_says_whether_there_was_anything_of_it) {
  EXPECT_TRUE(await(release()).value());
  answer_conflict();
  EXPECT_FALSE(await(release()).value());
}

TEST_F(EventsTableTest, a_release_of_what_is_not_in_review_for_it_asks_nothing) {
  EXPECT_FALSE(
      await(table.release(entry_in_review(), EventStatus::pending, ReviewReason::blocked)).value());
  EXPECT_FALSE(
      await(table.release(entry_in_review(), EventStatus::pending, ReviewReason::exhausted))
          .value());
  EXPECT_TRUE(aws.calls.empty());
}

TEST_F(EventsTableTest, what_was_recorded_although_its_answer_was_lost_is_recorded) {
  const std::string_view item =
      R"({{"deliveries":{{"M":{{"{}":{{"M":{{"state":{{"S":"{}"}},"attempts":{{"N":"{}"}}}}}}}}}}}})";
  struct Case {
    std::string_view endpoint;
    std::string_view state;
    int attempts;
    bool is_recorded;
  };
  for (const Case& one : {Case{"ep-1", "waiting", 2, true}, Case{"ep-1", "waiting", 1, false},
                          Case{"ep-1", "waiting", 3, false}, Case{"ep-1", "delivered", 2, false},
                          Case{"ep-2", "waiting", 2, false}}) {
    answer_conflict(fmt::format(fmt::runtime(item), one.endpoint, one.state, one.attempts));
    const auto recorded = await(table.record(record()));
    EXPECT_EQ(recorded.has_value(), one.is_recorded) << one.endpoint << one.state << one.attempts;
  }
}

// Whose record it is, the lease says: another run's may look the same.
TEST_F(EventsTableTest, a_record_that_keeps_the_lease_is_ours_only_under_our_token) {
  for (const std::string_view token : {"token", "another's"}) {
    answer_conflict(fmt::format(
        R"({{"lease_token":{{"S":"{}"}},"status":{{"S":"pending"}},)"
        R"("deliveries":{{"M":{{"ep-1":{{"M":{{"state":{{"S":"waiting"}},"attempts":{{"N":"2"}}}}}}}}}}}})",
        token));
    TableRecord made = record();
    made.lease_until = clock.wall() + seconds{60};
    EXPECT_EQ(await(table.record(made)).has_value(), token == "token") << token;
  }
}

TEST_F(EventsTableTest,
       of_an_event_that_somebody_ended_meanwhile_the_attempt_is_recorded_and_the_lease_ends) {
  answer_conflict(R"({"lease_token":{"S":"token"},"status":{"S":"delivered"}})");
  answer_good("{}");
  TableRecord made = record();
  made.lease_until = clock.wall() + seconds{60};
  const auto recorded = await(table.record(made));
  ASSERT_FALSE(recorded);
  EXPECT_EQ(recorded.error().kind, ErrorKind::conflict);
  ASSERT_EQ(aws.calls.size(), 2U);
  EXPECT_NE(named("UpdateExpression").find("REMOVE #lease_until, #lease_token"), std::string::npos);
  EXPECT_EQ(named("ConditionExpression").find("#status"), std::string::npos);
}

TEST_F(EventsTableTest, an_answer_that_says_nothing_is_asked_for_again) {
  for (const std::string_view body :
       {"{}", "", "[]", "<html>", R"({"Items":{}})", R"({"Attributes":[]})"}) {
    answer_good(body);
    answer_good(body);
    EXPECT_EQ(await(table.query({})).error().kind, ErrorKind::retry_later) << body;
    EXPECT_EQ(await(table.claim(kKey, lease(clock.wall()))).error().kind, ErrorKind::retry_later)
        << body;
  }
}

TEST_F(EventsTableTest, an_item_that_cannot_be_sent_is_claimed_and_says_why) {
  answer_good(fmt::format(R"({{"Attributes":{{"id":{{"S":"{}"}}}}}})", kId));
  const auto claimed = await(table.claim(kKey, lease(clock.wall())));
  ASSERT_TRUE(claimed);
  EXPECT_EQ(claimed->event, nullptr);
  EXPECT_EQ(claimed->unsendable, "the item has no type that can be sent");
}

}  // namespace
}  // namespace dispatcher
