// Promises: exit status 0 done, 1 it could not be done, 2 wrong usage or configuration; nothing but
// data on stdout; an error is one line that names what is wrong; `-h` on each command, with an
// example.
#include "hosts/commands.hpp"

#include "hosts/help.hpp"

#include <gtest/gtest.h>

#include "hosts/command_fixture.hpp"

namespace dispatcher {
namespace {

TEST_F(CommandsTest, version_says_what_it_is) {
  EXPECT_EQ(call({"version"}), 0);
  EXPECT_EQ(out.str(), std::string{"dispatcher "} + DISPATCHER_VERSION + "\n");
  EXPECT_EQ(call({"version", "--json"}), 0);
  EXPECT_NE(out.str().find(R"("version":")"), std::string::npos);
  EXPECT_EQ(call({"--version"}), 0);
}

TEST_F(CommandsTest, without_a_command_there_is_help_and_status_2) {
  EXPECT_EQ(call({}), 2);
  EXPECT_EQ(out.str(), "");
  EXPECT_NE(err.str().find("dispatcher serve"), std::string::npos);
  EXPECT_EQ(call({"events"}), 2);
  EXPECT_EQ(out.str(), "");
}

TEST_F(CommandsTest, every_command_has_help_with_an_example) {
  EXPECT_EQ(call({"-h"}), 0);
  const std::string overview = out.str();
  for (const CommandRow& row : command_table()) {
    EXPECT_NE(overview.find(full_name(row)), std::string::npos);
    std::vector<std::string> arguments;
    if (!row.group.empty()) {
      arguments.emplace_back(row.group);
    }
    arguments.emplace_back(row.name);
    arguments.emplace_back("-h");
    EXPECT_EQ(call(arguments), 0) << row.name;
    EXPECT_NE(out.str().find("Example:\n  "), std::string::npos) << row.name;
    EXPECT_EQ(err.str(), "");
  }
}

TEST_F(CommandsTest, what_is_misspelt_is_refused_by_name) {
  expect_refusal({"serve", "--lisen", "x"}, 2,
                 "there is no flag --lisen (see `dispatcher serve -h`)");
  expect_refusal({"serve", "--lisen=https://hunter2"}, 2, "there is no flag --lisen (");
  expect_refusal({"sevre"}, 2, "there is no command sevre");
  expect_refusal({"events", "lst"}, 2, "there is no command lst (see `dispatcher events -h`)");
  for (const std::string secret :
       {"https://a.test/hunter2", "hunter_2", "Hunter2", "a=hunter2", ""}) {
    expect_refusal({secret}, 2, "that word is no command (see `dispatcher -h`)");
    EXPECT_EQ(err.str().find("unter"), std::string::npos) << err.str();
    expect_refusal({"events", secret}, 2, "that word is no command (see `dispatcher events -h`)");
  }
  expect_refusal({"serve", "--listen"}, 2, "--listen");
  expect_refusal({"store", "check", "extra"}, 2, "an argument too many");
}

TEST_F(CommandsTest, commands_that_come_later_are_refused_as_unknown) {
  for (const std::string name : {"doctor", "bench"}) {
    expect_refusal({name}, 2, "there is no command " + name);
  }
}

TEST_F(CommandsTest, flags_reach_the_configuration) {
  EXPECT_EQ(call({"serve", "--listen", "127.0.0.1:0", "--endpoint", "https://a.test/1",
                  "--endpoint=https://b.test/2", "--allow-target", "https://127.0.0.0/8",
                  "--max-in-flight", "7"}),
            0)
      << err.str();
  ASSERT_TRUE(served);
  EXPECT_EQ(served->listen.port, 0);
  EXPECT_EQ(served->delivery.endpoints.size(), 2U);
  EXPECT_EQ(served->network.allow_targets, "https://127.0.0.0/8");
  EXPECT_EQ(served->delivery.max_in_flight, 7U);
}

TEST_F(CommandsTest, wrong_configuration_is_2_and_what_the_world_refuses_is_1) {
  expect_refusal({"serve", "--max-retries", "many"}, 2, "--max-retries: \"many\"");
  services.serve = [](const ServeConfig&, std::ostream&) -> Result<int> {
    return make_error(ErrorKind::retry_later, "cannot listen:\nit is taken");
  };
  expect_refusal({"serve"}, 1, "cannot listen: it is taken");
  services.serve = [](const ServeConfig&, std::ostream&) -> Result<int> {
    return make_error(ErrorKind::invalid, "ALLOW_TARGETS: wrong");
  };
  expect_refusal({"serve"}, 2, "ALLOW_TARGETS: wrong");
}

// -- run

TEST_F(CommandsTest, run_prints_the_functions_answer_in_its_order) {
  outcome.result.total_events = 10;
  outcome.result.successful_deliveries = 8;
  outcome.result.failed_deliveries = 2;
  outcome.result.total_retries = 3;
  outcome.result.total_time_of_successes = std::chrono::milliseconds{100};
  outcome.result.acknowledged = 8;
  outcome.result.elapsed = std::chrono::milliseconds{1234};
  EXPECT_EQ(call({"run", "--json"}), 0) << err.str();
  EXPECT_EQ(out.str(),
            R"({"total_events":10,"successful_deliveries":8,"failed_deliveries":2,)"
            R"("total_retries":3,"avg_delivery_time_ms":12.50,"processing_time_seconds":1.234,)"
            R"("acknowledged_count":8})"
            "\n");
  EXPECT_EQ(call({"run"}), 0);
  EXPECT_NE(out.str().find("acknowledged"), std::string::npos);
}

TEST_F(CommandsTest, a_run_that_was_not_completed_reports_and_fails) {
  outcome.failure = RunFailure{"Api", make_error(ErrorKind::refused, "the inbox went away")};
  EXPECT_EQ(call({"run", "--json"}), 1);
  EXPECT_NE(out.str().find(R"("total_events":0)"), std::string::npos);
  EXPECT_NE(err.str().find("the inbox went away"), std::string::npos);
}

TEST_F(CommandsTest, a_dry_run_reads_without_a_lease_and_shows_the_oldest) {
  api.answers.push_back(answer_of(
      200, R"([{"id":"b","type":"t","source":"s","payload":{},"created_at":"2024-01-02"},)"
           R"({"id":"a","type":"t","source":"s","payload":{},"created_at":"2024-01-01"}])"));
  EXPECT_EQ(call({"run", "--dry-run", "--max-events", "1"}), 0) << err.str();
  EXPECT_EQ(api.requests.at(0).path, "/inbox?limit=1");
  EXPECT_EQ(api.requests.at(0).method, "GET");
  EXPECT_NE(out.str().find("\na "), std::string::npos) << out.str();
  EXPECT_EQ(out.str().find("\nb "), std::string::npos);
}

// -- send

TEST_F(CommandsTest, send_prints_the_id) {
  api.answers.push_back(answer_of(201, R"({"id":"the-id","status":"pending","timestamp":"t"})"));
  EXPECT_EQ(call({"send", "--type", "a\"b", "--source", "s", "--payload", " {\"n\":1.0} "}), 0);
  EXPECT_EQ(out.str(), "the-id\n");
  EXPECT_EQ(api.requests.at(0).body, R"({"type":"a\"b","source":"s","payload":{"n":1.0}})");
  EXPECT_EQ(api.requests.at(0).path, "/events");
  EXPECT_EQ(api.requests.at(0).headers.at(0).name, "Idempotency-Key");
}

TEST_F(CommandsTest, send_reads_its_payload_from_the_input) {
  in.str("{\"from\":\"stdin\"}\n");
  api.answers.push_back(answer_of(201, R"({"id":"x"})"));
  EXPECT_EQ(call({"send", "--type", "t", "--source", "s", "--payload", "-", "--json"}), 0);
  EXPECT_NE(api.requests.at(0).body.find(R"("payload":{"from":"stdin"})"), std::string::npos);
  EXPECT_EQ(out.str(), "{\"id\":\"x\"}\n");
}

TEST_F(CommandsTest, send_waits_while_the_service_is_busy) {
  api.answers.push_back(answer_of(503, "{}"));
  api.answers.push_back(answer_of(201, R"({"id":"x"})"));
  EXPECT_EQ(call({"send", "--type", "t", "--source", "s", "--payload", "{}"}), 0);
  EXPECT_EQ(api.requests.at(0).headers.at(0).value, api.requests.at(1).headers.at(0).value);
}

TEST_F(CommandsTest, one_event_is_not_sent_again_when_it_may_have_been_accepted) {
  api.answers.push_back(make_error(ErrorKind::retry_later, "timed out"));
  expect_refusal({"send", "--type", "t", "--source", "s", "--payload", "{}"}, 1,
                 "may have been accepted or not");
}

TEST_F(CommandsTest, send_refuses_what_is_not_an_event) {
  expect_refusal({"send", "--type", "t", "--source", "s", "--payload", "[1]"}, 2,
                 "--payload: is not a JSON object");
  expect_refusal({"send", "--type", "t", "--source", "s"}, 2, "--payload: is missing");
  expect_refusal({"send", "--batch", "f", "--type", "t"}, 2, "--type: contradicts --batch");
  expect_refusal({"send", "--batch", "/nonexistent"}, 2, "--batch: cannot read");
}

TEST_F(CommandsTest, a_batch_goes_in_pieces_of_a_thousand) {
  std::string lines;
  for (int i = 0; i < 1500; ++i) {
    lines += "{\"type\":\"t\"}\n";
    lines += i % 100 == 0 ? "\n" : "";
  }
  in.str(lines);
  api.answers.push_back(answer_of(201, R"({"items":[{"id":"1"}]})"));
  api.answers.push_back(make_error(ErrorKind::retry_later, "timed out"));
  api.answers.push_back(answer_of(201, R"({"items":[{"id":"2"},{"id":"3"}]})"));
  EXPECT_EQ(call({"send", "--batch", "-"}), 0) << err.str();
  EXPECT_EQ(out.str(), "sent 1500 events\n");
  ASSERT_EQ(api.requests.size(), 3U);
  EXPECT_EQ(std::count(api.requests[0].body.begin(), api.requests[0].body.end(), '\n'), 1000);
  EXPECT_EQ(api.requests[1].body, api.requests[2].body);
  EXPECT_EQ(api.requests[1].headers.at(0).value, api.requests[2].headers.at(0).value);
}

TEST_F(CommandsTest, a_batch_goes_in_pieces_that_the_service_takes) {
  in.str(std::string(600'000, 'x') + "\n" + std::string(600'000, 'y') + "\n");
  api.answers.push_back(answer_of(201, R"({"items":[{"id":"1"}]})"));
  api.answers.push_back(answer_of(422, R"({"detail":[{"loc":["body",0],"msg":"bad"}]})"));
  expect_refusal({"send", "--batch", "-"}, 1,
                 "lines 2 to 2: the service answered 422: body.0: bad (1 events before");
}

// -- store

TEST_F(CommandsTest, a_store_that_is_not_sound_is_status_1) {
  EXPECT_EQ(call({"store", "check"}), 1);
  EXPECT_EQ(out.str(), "broken\n");
  expect_refusal({"store", "backup"}, 2, "FILE: is missing");
  expect_refusal({"store", "backup", "x.db"}, 1, "it is there already");
}

}  // namespace
}  // namespace dispatcher
