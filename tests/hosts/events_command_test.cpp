// Promises: events are listed page by page and shown with their deliveries and what people decided;
// a replay or a discard names one event or a filter, never all for want of an argument; what is
// refused is told by flag.
#include <gtest/gtest.h>

#include "hosts/command_fixture.hpp"

namespace dispatcher {
namespace {

class EventsCommandTest : public CommandsTest {};

TEST_F(EventsCommandTest, events_are_listed_page_by_page_up_to_the_limit) {
  api.answers.push_back(answer_of(
      200, R"({"items":[{"id":"1","type":"t\nx","error_message":null}],"next_cursor":"c&1"})"));
  api.answers.push_back(answer_of(200, R"({"items":[],"next_cursor":"c2"})"));
  api.answers.push_back(answer_of(200, R"({"items":[{"id":"2"}],"next_cursor":null})"));
  EXPECT_EQ(call({"events", "list", "--status", "pending", "--type", "a&b"}), 0) << err.str();
  EXPECT_EQ(api.requests.at(0).path, "/events?limit=100&status=pending&type=a%26b&order=desc");
  EXPECT_EQ(api.requests.at(1).path,
            "/events?limit=99&status=pending&type=a%26b&order=desc&cursor=c%261");
  EXPECT_TRUE(out.str().starts_with("ID "));
  EXPECT_NE(out.str().find("t?x"), std::string::npos);
}

TEST_F(EventsCommandTest, events_as_json_are_one_array_of_the_services_own_objects) {
  api.answers.push_back(answer_of(
      200, R"({"items":[{"id":"1","payload":{"n":1.0}},{"id":"2"}],"next_cursor":null})"));
  EXPECT_EQ(call({"events", "list", "--json"}), 0);
  EXPECT_EQ(out.str(), "[{\"id\":\"1\",\"payload\":{\"n\":1.0}},{\"id\":\"2\"}]\n");
  api.answers.push_back(answer_of(200, R"({"items":[],"next_cursor":null})"));
  EXPECT_EQ(call({"events", "list", "--json"}), 0);
  EXPECT_EQ(out.str(), "[]\n");
}

TEST_F(EventsCommandTest, an_event_is_shown_with_its_deliveries) {
  api.answers.push_back(answer_of(
      200, R"({"id":"1","payload":{"n":1},"deliveries":[{"endpoint_id":"ep","state":"review"}]})"));
  EXPECT_EQ(call({"events", "show", "a/b"}), 0);
  EXPECT_EQ(api.requests.at(0).path, "/events/a%2Fb");
  EXPECT_NE(out.str().find("review"), std::string::npos);
  EXPECT_NE(out.str().find(R"({"n":1})"), std::string::npos);
}

TEST_F(EventsCommandTest, a_payload_does_not_command_the_terminal_but_keeps_its_lines) {
  const std::string answer = "{\"id\":\"1\",\"payload\":{\n\t\"n\":\"a\xC2\x9B\x7F\u00e9\"}}";
  api.answers.push_back(answer_of(200, answer));
  EXPECT_EQ(call({"events", "show", "1"}), 0);
  EXPECT_NE(out.str().find("{\n\t\"n\":\"a??\u00e9\"}\n"), std::string::npos) << out.str();
  // For programs it is what the service answered.
  api.answers.push_back(answer_of(200, answer));
  EXPECT_EQ(call({"events", "show", "1", "--json"}), 0);
  EXPECT_EQ(out.str(), answer + "\n");
}

TEST_F(EventsCommandTest, an_unknown_event_is_said) {
  api.answers.push_back(answer_of(404, R"({"detail":"Event with ID x not found"})"));
  expect_refusal({"events", "show", "x"}, 1, "Event with ID x not found");
  expect_refusal({"events", "attempts"}, 2, "ID: is missing");
}

TEST_F(EventsCommandTest, what_one_endpoint_has_in_review_is_listed_and_replayed) {
  api.answers.push_back(answer_of(200, R"({"items":[],"next_cursor":null})"));
  EXPECT_EQ(call({"events", "list", "--state", "review", "--endpoint-id", "ep_1"}), 0);
  EXPECT_NE(api.requests.at(0).path.find("&state=review&endpoint_id=ep_1"), std::string::npos);
  api.answers.push_back(answer_of(202, R"({"matched":3,"replayed":3})"));
  EXPECT_EQ(call({"events", "replay", "--state", "review", "--endpoint-id", "ep_1"}), 0);
  EXPECT_EQ(api.requests.back().body, R"({"filter":{"state":"review","endpoint_id":"ep_1"}})");
}

TEST_F(EventsCommandTest, an_event_is_shown_with_who_released_it_when_and_why) {
  api.answers.push_back(answer_of(
      200, R"({"id":"1","releases":[{"endpoint_id":"ep","action":"replay","at":"2024-05-01",)"
           R"("by":"api","note":"fixed"}]})"));
  EXPECT_EQ(call({"events", "show", "1"}), 0);
  EXPECT_NE(out.str().find("2024-05-01  ep        replay  api  fixed"), std::string::npos)
      << out.str();
}

TEST_F(EventsCommandTest, a_page_that_is_none_is_an_error_and_not_the_end) {
  api.answers.push_back(answer_of(200, "<html>"));
  expect_refusal({"events", "list"}, 1, "something else than a page");
  api.answers.push_back(answer_of(200, R"({"items":[],"next_cursor":"c"})"));
  api.answers.push_back(answer_of(200, R"({"items":[],"next_cursor":"c"})"));
  EXPECT_EQ(call({"events", "list"}), 1);
  EXPECT_NE(err.str().find("leads nowhere"), std::string::npos);
}

TEST_F(EventsCommandTest, a_replay_of_one_event_says_how_many_deliveries) {
  api.answers.push_back(answer_of(202, R"({"id":"a","replayed":2})"));
  EXPECT_EQ(call({"events", "replay", "a", "--endpoint-id", "ep_1", "--note", "it \"works\""}), 0);
  EXPECT_EQ(out.str(), "replayed 2 deliveries\n");
  EXPECT_EQ(api.requests.at(0).method, "POST");
  EXPECT_EQ(api.requests.at(0).path, "/events/a/replay");
  EXPECT_EQ(api.requests.at(0).body, R"({"endpoint_id":"ep_1","note":"it \"works\""})");
}

TEST_F(EventsCommandTest, one_event_is_discarded_as_it_is_replayed) {
  api.answers.push_back(answer_of(202, R"({"id":"a","discarded":1})"));
  EXPECT_EQ(call({"events", "discard", "a", "--endpoint-id", "ep_1", "--note", "obsolete"}), 0);
  EXPECT_EQ(out.str(), "discarded 1 deliveries\n");
  EXPECT_EQ(api.requests.at(0).method, "POST");
  EXPECT_EQ(api.requests.at(0).path, "/events/a/discard");
  EXPECT_EQ(api.requests.at(0).body, R"({"endpoint_id":"ep_1","note":"obsolete"})");
}

TEST_F(EventsCommandTest, a_replay_by_filter_sends_the_filter_alone) {
  api.answers.push_back(answer_of(202, R"({"matched":3,"replayed":4})"));
  EXPECT_EQ(call({"events", "replay", "--reason", "rejected", "--endpoint-id", "ep_1", "--from",
                  "2024-01-01", "--limit", "10", "--note", "n"}),
            0);
  EXPECT_EQ(out.str(), "replayed 4 deliveries of 3 events\n");
  EXPECT_EQ(api.requests.at(0).path, "/replay");
  EXPECT_EQ(api.requests.at(0).body,
            R"({"filter":{"endpoint_id":"ep_1","reason":"rejected","from":"2024-01-01"},)"
            R"("limit":10,"note":"n"})");
}

TEST_F(EventsCommandTest, a_discard_goes_the_same_way_and_a_dry_run_says_so) {
  api.answers.push_back(answer_of(202, R"({"matched":3,"discarded":0,"deliveries":5})"));
  EXPECT_EQ(call({"events", "discard", "--state", "review", "--dry-run"}), 0);
  EXPECT_EQ(out.str(), "3 events match, 5 deliveries would be discarded; nothing was changed\n");
  EXPECT_EQ(api.requests.at(0).path, "/discard");
  EXPECT_EQ(api.requests.at(0).body, R"({"filter":{"state":"review"},"dry_run":true})");
  api.answers.push_back(answer_of(202, R"({"matched":3,"discarded":5})"));
  EXPECT_EQ(call({"events", "discard", "--state", "review", "--json"}), 0);
  EXPECT_EQ(out.str(), "{\"matched\":3,\"discarded\":5}\n");
  api.answers.push_back(answer_of(202, R"({"matched":1,"replayed":0,"deliveries":2})"));
  EXPECT_EQ(call({"events", "replay", "--type", "a", "--dry-run"}), 0);
  EXPECT_EQ(out.str(), "1 events match, 2 deliveries would be sent again; nothing was changed\n");
}

TEST_F(EventsCommandTest, nothing_is_released_for_want_of_an_argument) {
  for (const std::string command : {"replay", "discard"}) {
    expect_refusal({"events", command}, 2, "which events");
    expect_refusal({"events", command, "--limit", "5", "--note", "n"}, 2, "which events");
    expect_refusal({"events", command, "--dry-run"}, 2, "which events");
  }
  for (const std::string command : {"replay", "discard"}) {
    expect_refusal({"events", command, "a", "--reason", "rejected"}, 2, "--reason: contradicts ID");
    expect_refusal({"events", command, "a", "--dry-run"}, 2, "--dry-run: is for a filter");
    expect_refusal({"events", command, "a", "b"}, 2, "an argument too many");
  }
  EXPECT_TRUE(api.requests.empty());
}

TEST_F(EventsCommandTest, a_replay_that_may_have_been_done_is_not_sent_again) {
  api.answers.push_back(make_error(ErrorKind::retry_later, "timed out"));
  expect_refusal({"events", "replay", "--reason", "rejected"}, 1, "it may have been done");
  EXPECT_EQ(api.requests.size(), 1U);
}

TEST_F(EventsCommandTest, a_release_of_many_is_sent_once_even_where_the_service_is_busy) {
  for (const std::string command : {"replay", "discard"}) {
    for (const int status : {429, 503}) {
      api.answers.push_back(answer_of(status, R"({"detail":"try again"})"));
      expect_refusal({"events", command, "--reason", "rejected"}, 1, "try again");
    }
  }
  EXPECT_EQ(api.requests.size(), 4U);
  api.answers.push_back(answer_of(503, "{}"));
  api.answers.push_back(answer_of(202, R"({"matched":1,"discarded":0})"));
  EXPECT_EQ(call({"events", "discard", "--reason", "rejected", "--dry-run"}), 0);
}

TEST_F(EventsCommandTest, a_release_that_ended_early_says_what_it_did_and_fails) {
  api.answers.push_back(answer_of(202, R"({"matched":200,"discarded":300,"incomplete":true})"));
  EXPECT_EQ(call({"events", "discard", "--state", "review", "--limit", "900"}), 1);
  EXPECT_EQ(out.str(), "discarded 300 deliveries of 200 events\n");
  EXPECT_NE(err.str().find("there may be more to do"), std::string::npos);
}

TEST_F(EventsCommandTest, a_time_that_is_none_is_told_by_flag_before_anything_is_asked) {
  for (const std::string command : {"list", "replay", "discard", "export"}) {
    for (const std::string flag : {"--from", "--to"}) {
      for (const std::string time : {"yesterday", "2030-13-01", ""}) {
        expect_refusal({"events", command, flag, time}, 2,
                       flag + ": \"" + time + "\" is not a date or a time");
      }
    }
  }
  EXPECT_TRUE(api.requests.empty());
}

TEST_F(EventsCommandTest, what_the_service_finds_wrong_is_told_by_flag) {
  api.answers.push_back(answer_of(
      422, R"({"detail":[{"type":"t","loc":["body","filter","from"],"msg":"no date","input":"x"},)"
           R"({"type":"t","loc":["body","note"],"msg":"too long","input":"hunter2"}]})"));
  EXPECT_EQ(call({"events", "replay", "--from", "2024-01-01", "--note", "hunter2"}), 2);
  EXPECT_EQ(err.str(), "dispatcher: --from: no date\ndispatcher: --note: too long\n");
  EXPECT_EQ(out.str(), "");
}

TEST_F(EventsCommandTest, a_deleted_event_is_said) {
  api.answers.push_back(answer_of(200, R"({"id":"a","message":"m","deleted_at":"t"})"));
  EXPECT_EQ(call({"events", "delete", "a"}), 0);
  EXPECT_EQ(out.str(), "deleted a\n");
  EXPECT_EQ(api.requests.at(0).method, "DELETE");
  EXPECT_EQ(api.requests.at(0).path, "/events/a");
  expect_refusal({"events", "delete"}, 2, "ID: is missing");
}

}  // namespace
}  // namespace dispatcher
