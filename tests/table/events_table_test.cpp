// Promises: each function of the table is one call of AWS's, as DynamoDB's reference and the
// contract of the stored shape say; times are converted by AWS's clock in both directions.
#include "table/events_table_fixture.hpp"

namespace dispatcher {
namespace {

using namespace test;
using boost::json::object;

// -- calls

TEST_F(EventsTableTest, a_call_ends_in_time) {
  (void)await(table.give_back(kKey, "token"));
  EXPECT_EQ(aws.calls.back().deadline, clock.monotonic() + EventsTable::kTimeout);
  EXPECT_EQ(aws.calls.back().service, AwsService::dynamodb);
  for (const seconds left : {seconds{3}, seconds{300}}) {
    EventsTable limited{aws, clock, "events", clock.monotonic() + left};
    (void)await(limited.give_back(kKey, "token"));
    EXPECT_EQ(aws.calls.back().deadline,
              clock.monotonic() + std::min<seconds>(left, EventsTable::kTimeout));
  }
}

TEST_F(EventsTableTest, a_query_reads_the_index_page_by_page) {
  answer_good(fmt::format(
      R"({{"Items":[{{"id":{{"S":"{}"}},"created_at":{{"S":"2026-01-01T00:00:00Z"}}}},)"
      R"({{"id":{{"S":"user-7"}},"created_at":{{"S":"x"}}}},{{}},7],)"
      R"("LastEvaluatedKey":{{"id":{{"S":"b"}},"created_at":{{"S":"c"}},"status":{{"S":"d"}}}}}})",
      kId));
  TableQuery query;
  query.limit = 7;
  const auto page = await(table.query(query));
  ASSERT_TRUE(page);
  EXPECT_EQ(aws.calls.back().action, "Query");
  ASSERT_EQ(page->entries.size(), 1U);
  EXPECT_EQ(page->entries[0].key, kKey);
  EXPECT_EQ(page->unreadable, (std::vector<std::string>{"user-7", ""}));
  EXPECT_EQ(page->next, (EventKey{"b", "c"}));
  EXPECT_EQ(aws.calls.back().body,
            R"({"TableName":"events","IndexName":"status-index",)"
            R"("KeyConditionExpression":"#status = :status",)"
            R"("ProjectionExpression":"id, created_at, lease_until, deliveries, #ttl",)"
            R"("ExpressionAttributeNames":{"#status":"status","#ttl":"ttl"},)"
            R"("ExpressionAttributeValues":{":status":{"S":"pending"}},"Limit":7,)"
            R"("ScanIndexForward":true})");
  query.after = page->next;
  query.status = EventStatus::failed;
  query.is_oldest_first = false;
  answer_good(R"({"Items":[]})");
  EXPECT_EQ(await(table.query(query)).value().next, std::nullopt);
  const object said = input();
  EXPECT_EQ(said.at("ScanIndexForward"), false);
  EXPECT_EQ(boost::json::value(said.at("ExclusiveStartKey")),
            boost::json::value(
                parse_answer(R"({"id":{"S":"b"},"created_at":{"S":"c"},"status":{"S":"failed"}})")
                    .value()));
}

TEST_F(EventsTableTest, a_claim_is_what_the_contract_says) {
  (void)await(table.claim(kKey, lease(clock.wall() + seconds{45})));
  EXPECT_EQ(named("ConditionExpression"),
            fmt::format("attribute_exists(#id) AND #status = \"pending\" AND "
                        "(attribute_not_exists(#lease_until) OR #lease_until < {} OR "
                        "#lease_token = \"token\")",
                        kMidnight));
  EXPECT_EQ(named("UpdateExpression"),
            fmt::format("SET #lease_token = \"token\", #lease_until = {}, "
                        "#deliveries = if_not_exists(#deliveries, {{}})",
                        kMidnight + 45'000));
  EXPECT_EQ(input().at("ReturnValues"), "ALL_NEW");
}

TEST_F(EventsTableTest, a_failed_attempt_is_one_update_of_the_holder_s) {
  TableRecord made = record();
  made.delivery.due = clock.wall() + seconds{60};
  made.lease_until = clock.wall() + seconds{105};
  EXPECT_TRUE(await(table.record(made)));
  EXPECT_EQ(named("UpdateExpression"),
            fmt::format(R"(SET #deliveries.#ep-1 = {{"attempts":2,"due":{},"error":"status: 500",)"
                        R"("state":"waiting","step":0}}, #updated_at = )"
                        R"("2026-01-01T00:00:00.000000Z", )"
                        R"(#delivery_attempts = if_not_exists(#delivery_attempts, 0) + 1, )"
                        R"(#last_delivery_attempt = "2026-01-01T00:00:00.000000Z", )"
                        R"(#error_message = "status: 500", #lease_until = {})",
                        kMidnight + 60'000, kMidnight + 105'000));
  EXPECT_EQ(named("ConditionExpression"),
            "attribute_exists(#id) AND #lease_token = \"token\" AND "
            "(attribute_not_exists(#deliveries.#ep-1.#attempts) OR "
            "#deliveries.#ep-1.#attempts < 2) AND "
            "(attribute_not_exists(#deliveries.#ep-1.#state) OR "
            "#deliveries.#ep-1.#state <> \"delivered\") AND #status = \"pending\"");
}

TEST_F(EventsTableTest, the_retries_of_a_round_that_are_used_up_are_kept) {
  TableRecord made = record();
  made.delivery.retries = 3;
  EXPECT_TRUE(await(table.record(made)));
  EXPECT_NE(named("UpdateExpression").find(R"("retries":3)"), std::string::npos);
}

TEST_F(EventsTableTest, a_success_counts_no_failure_and_the_last_gives_the_lease_back) {
  TableRecord made = record();
  made.delivery.state = DeliveryState::delivered;
  made.delivery.error.clear();
  made.failed_at.reset();
  EXPECT_TRUE(await(table.record(made)));
  EXPECT_EQ(named("UpdateExpression"),
            R"(SET #deliveries.#ep-1 = {"attempts":2,"state":"delivered","step":0}, )"
            R"(#updated_at = "2026-01-01T00:00:00.000000Z" REMOVE #lease_until, #lease_token)");
  EXPECT_TRUE(await(table.record_success(kKey, made.delivery)));
  EXPECT_EQ(named("UpdateExpression"),
            R"(SET #deliveries.#ep-1 = {"attempts":2,"state":"delivered","step":0}, )"
            R"(#updated_at = "2026-01-01T00:00:00.000000Z")");
  EXPECT_EQ(named("ConditionExpression"),
            "attribute_exists(#id) AND attribute_exists(#deliveries)");
}

TEST_F(EventsTableTest, a_lease_is_extended_and_given_back_by_its_holder) {
  EXPECT_TRUE(await(table.extend(kKey, lease(clock.wall() + seconds{9}))));
  EXPECT_EQ(named("UpdateExpression"), fmt::format("SET #lease_until = {}", kMidnight + 9'000));
  EXPECT_EQ(named("ConditionExpression"), "#lease_token = \"token\" AND #status = \"pending\"");
  EXPECT_TRUE(await(table.give_back(kKey, "token")));
  EXPECT_EQ(named("UpdateExpression"), "REMOVE #lease_until, #lease_token");
  EXPECT_EQ(named("ConditionExpression"), "#lease_token = \"token\"");
}

TEST_F(EventsTableTest, a_release_makes_due_what_is_in_review_for_the_reason) {
  TableEntry entry = entry_in_review();
  entry.deliveries.push_back(entry.deliveries[0]);
  entry.deliveries[1].endpoint_id = "ep-2";
  entry.deliveries[1].reason = ReviewReason::blocked;
  entry.deliveries.push_back(entry.deliveries[0]);
  entry.deliveries[2].endpoint_id = "ep-3";
  entry.deliveries[2].state = DeliveryState::delivered;
  EXPECT_TRUE(await(table.release(entry, EventStatus::pending, ReviewReason::rejected)).value());
  EXPECT_EQ(named("UpdateExpression"),
            fmt::format("SET #deliveries.#ep-1.#state = \"waiting\", #deliveries.#ep-1.#due = {}, "
                        "#deliveries.#ep-1.#step = 0, "
                        "#updated_at = \"2026-01-01T00:00:00.000000Z\" "
                        "REMOVE #deliveries.#ep-1.#retries, #deliveries.#ep-1.#reason",
                        kMidnight));
  EXPECT_EQ(named("ConditionExpression"),
            "attribute_exists(#id) AND #status = \"pending\" AND "
            "#deliveries.#ep-1.#state = \"review\" AND #deliveries.#ep-1.#reason = \"rejected\"");
}

TEST_F(EventsTableTest, what_the_original_gave_up_is_pending_again) {
  TableEntry entry;
  entry.key = kKey;
  EXPECT_TRUE(await(table.release(entry, EventStatus::failed, ReviewReason::exhausted)).value());
  EXPECT_EQ(named("UpdateExpression"),
            "SET #status = \"pending\", #updated_at = \"2026-01-01T00:00:00.000000Z\"");
  EXPECT_EQ(named("ConditionExpression"), "attribute_exists(#id) AND #status = \"failed\"");
}

// -- clocks

TEST_F(EventsTableTest, times_written_are_of_aws_s_clock) {
  for (const int ahead : {90, -90}) {
    aws.ahead = seconds{ahead};
    const std::int64_t now = kMidnight - ahead * 1'000;
    const std::string shown = format_timestamp(WallTime{milliseconds{now}});
    (void)await(table.claim(kKey, lease(clock.wall() + seconds{45})));
    EXPECT_NE(named("ConditionExpression").find(fmt::format("#lease_until < {} ", now)),
              std::string::npos);
    EXPECT_NE(named("UpdateExpression").find(fmt::format("#lease_until = {},", now + 45'000)),
              std::string::npos);
    TableRecord made = record();
    made.delivery.due = clock.wall() + seconds{60};
    made.lease_until = clock.wall() + seconds{105};
    EXPECT_TRUE(await(table.record(made)));
    const std::string said = named("UpdateExpression");
    EXPECT_NE(said.find(fmt::format("\"due\":{},", now + 60'000)), std::string::npos) << said;
    EXPECT_NE(said.find(fmt::format("#lease_until = {}", now + 105'000)), std::string::npos);
    EXPECT_NE(said.find("#updated_at = \"" + shown), std::string::npos) << said;
    EXPECT_NE(said.find("#last_delivery_attempt = \"" + shown), std::string::npos) << said;
    EXPECT_TRUE(await(table.extend(kKey, lease(clock.wall() + seconds{9}))));
    EXPECT_EQ(named("UpdateExpression"), fmt::format("SET #lease_until = {}", now + 9'000));
    EXPECT_TRUE(await(release()).value());
    EXPECT_NE(named("UpdateExpression").find(fmt::format("#due = {}", now)), std::string::npos);
  }
}

TEST_F(EventsTableTest, times_read_are_of_our_clock) {
  const std::string item = fmt::format(
      R"({{"id":{{"S":"{}"}},"created_at":{{"S":"2026-01-01T00:00:00Z"}},"type":{{"S":"t"}},)"
      R"("source":{{"S":"s"}},"payload":{{"M":{{}}}},"lease_until":{{"N":"{}"}},)"
      R"("ttl":{{"N":"{}"}},"deliveries":{{"M":{{"ep-1":{{"M":{{"due":{{"N":"{}"}}}}}}}}}}}})",
      kId, kMidnight, kMidnight / 1'000, kMidnight);
  for (const int ahead : {90, -90}) {
    aws.ahead = seconds{ahead};
    const WallTime expected = clock.wall() + seconds{ahead};
    answer_good(R"({"Items":[)" + item + "]}");
    const auto page = await(table.query({}));
    ASSERT_EQ(page.value().entries.size(), 1U);
    EXPECT_EQ(page->entries[0].lease_until, expected);
    EXPECT_EQ(page->entries[0].expires_at, expected);
    EXPECT_EQ(page->entries[0].deliveries.at(0).due, expected);
    answer_good(R"({"Attributes":)" + item + "}");
    const auto claimed = await(table.claim(kKey, lease(clock.wall())));
    EXPECT_EQ(claimed.value().deliveries.at(0).due, expected);
    EXPECT_EQ(claimed->event->created_at, clock.wall());
  }
}

}  // namespace
}  // namespace dispatcher
