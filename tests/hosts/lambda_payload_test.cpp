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

TEST(lambda_payload, releases_and_stream_batches_are_told_apart) {
  const auto release = read_order(R"({"release":{"reason":"rejected"}})");
  ASSERT_TRUE(release && std::holds_alternative<ReleaseOrder>(*release));
  EXPECT_EQ(std::get<ReleaseOrder>(*release).reason, "rejected");
  const auto batch = read_order(
      R"({"Records":[{"eventID":"1","eventName":"INSERT","eventSource":"aws:dynamodb"}]})");
  EXPECT_TRUE(batch && std::holds_alternative<StreamOrder>(*batch));
}

TEST(lambda_payload, the_answer_holds_its_body_as_a_text) {
  EXPECT_EQ(function_answer(R"({"total_events":1})"),
            R"({"statusCode":200,"body":"{\"total_events\":1}"})");
}

}  // namespace
}  // namespace dispatcher
