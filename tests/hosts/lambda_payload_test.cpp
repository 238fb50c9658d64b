// Promises: any payload of the function starts a run but those that ask for something else; a
// member that asks for something impossible is named; the answer has the function's shape.
#include "hosts/lambda_payload.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace dispatcher {
namespace {

std::optional<RunOrder> run_order(std::string_view payload) {
  const auto order = read_order(payload);
  if (!order || !std::holds_alternative<RunOrder>(*order)) {
    return std::nullopt;
  }
  return std::get<RunOrder>(*order);
}

TEST(lambda_payload, anything_starts_a_run) {
  const std::vector<std::string_view> payloads = {
      "{}",
      "",
      "null",
      "[1]",
      "no JSON",
      R"({"source":"aws.events","detail":{}})",
      R"({"max_events":null,"dry_run":null,"release":null,"Records":null})",
      R"({"Records":[]})",
      R"({"Records":[{"eventSource":"aws:sqs"}]})",
      R"({"Records":[7]})"};
  for (const std::string_view payload : payloads) {
    const auto order = run_order(payload);
    ASSERT_TRUE(order) << payload;
    EXPECT_FALSE(order->max_events) << payload;
    EXPECT_FALSE(order->is_dry_run) << payload;
  }
}

TEST(lambda_payload, a_run_may_be_told_how_many_events_and_to_deliver_none) {
  const auto order = run_order(R"({ "max_events" : 500, "dry_run" : true })");
  ASSERT_TRUE(order);
  EXPECT_EQ(order->max_events, 500);
  EXPECT_TRUE(order->is_dry_run);
  EXPECT_FALSE(run_order(R"({"dry_run":false})")->is_dry_run);
}

TEST(lambda_payload, what_cannot_be_done_is_named) {
  struct Case {
    std::string_view payload;
    std::string_view name;
  };
  for (const Case& one :
       {Case{R"({"max_events":0})", "max_events"}, Case{R"({"max_events":10001})", "max_events"},
        Case{R"({"max_events":1.5})", "max_events"}, Case{R"({"max_events":"7"})", "max_events"},
        Case{R"({"dry_run":"yes"})", "dry_run"}, Case{R"({"release":true})", "release"},
        Case{R"({"release":{"reason":7}})", "release"},
        Case{R"({"release":{"reason":"bored"}})", "release"}}) {
    const auto order = read_order(one.payload);
    ASSERT_FALSE(order) << one.payload;
    EXPECT_EQ(order.error().kind, ErrorKind::invalid);
    EXPECT_NE(order.error().message.find(one.name), std::string::npos) << order.error().message;
  }
}

TEST(lambda_payload, a_release_names_its_reason) {
  const auto release = read_order(R"({"release":{"reason":"rejected"}})");
  ASSERT_TRUE(release && std::holds_alternative<ReleaseOrder>(*release));
  EXPECT_EQ(std::get<ReleaseOrder>(*release).reason, ReviewReason::rejected);
}

// Records of a stream: `event` is the name, `more` further members.
std::string record_of(std::string_view event, std::string_view id, std::string_view number,
                      std::string_view more = "") {
  std::string record = R"({"eventSource":"aws:dynamodb","eventName":")";
  record += event;
  record += R"(","dynamodb":{"Keys":{"id":{"S":")";
  record += id;
  record += R"("},"created_at":{"S":"2026-01-01T00:00:00.000000Z"}},"SequenceNumber":")";
  record += number;
  record += R"(","OldImage":{"status":{"S":"pending"}}})";
  record += more;
  return record + "}";
}

constexpr std::string_view kId = "0190a000-0000-7000-8000-000000000001";

TEST(lambda_payload, of_a_stream_s_records_the_insertions_are_taken) {
  const std::string batch = R"({"Records":[)" + record_of("INSERT", kId, "11") + "," +
                            record_of("MODIFY", kId, "12") + "," +
                            record_of("INSERT", "order-17", "13") + "]}";
  const auto order = read_order(batch);
  ASSERT_TRUE(order && std::holds_alternative<StreamOrder>(*order));
  const auto& stream = std::get<StreamOrder>(*order);
  ASSERT_EQ(stream.inserted.size(), 1U);
  EXPECT_EQ(stream.inserted[0].key.id, kId);
  EXPECT_EQ(stream.inserted[0].key.created_at, "2026-01-01T00:00:00.000000Z");
  EXPECT_EQ(stream.inserted[0].sequence_number, "11");
  EXPECT_EQ(stream.unreadable, 1);
  EXPECT_EQ(stream.expired, 0);
}

TEST(lambda_payload, what_the_table_s_expiry_took_is_told_from_what_a_person_deleted) {
  constexpr std::string_view kExpiry =
      R"(,"userIdentity":{"type":"Service","principalId":"dynamodb.amazonaws.com"})";
  const std::string batch = R"({"Records":[)" + record_of("REMOVE", kId, "11", kExpiry) + "," +
                            record_of("REMOVE", kId, "12") + "]}";
  const auto order = read_order(batch);
  ASSERT_TRUE(order && std::holds_alternative<StreamOrder>(*order));
  EXPECT_EQ(std::get<StreamOrder>(*order).expired, 1);
}

TEST(lambda_payload, a_stream_is_told_which_records_to_give_again) {
  EXPECT_EQ(stream_answer({}), R"({"batchItemFailures":[]})");
  EXPECT_EQ(stream_answer({"1", "2"}),
            R"({"batchItemFailures":[{"itemIdentifier":"1"},{"itemIdentifier":"2"}]})");
}

TEST(lambda_payload, the_answer_holds_its_body_as_a_text) {
  EXPECT_EQ(function_answer(R"({"total_events":1})"),
            R"({"statusCode":200,"body":"{\"total_events\":1}"})");
}

}  // namespace
}  // namespace dispatcher
