// Promises: exit status 0 done, 1 it could not be done, 2 wrong usage or configuration; nothing but
// data on stdout; an error is one line that names what is wrong; `-h` on each command, with an
// example.
#include "hosts/commands.hpp"

#include "hosts/help.hpp"

#include <gtest/gtest.h>
#include <boost/asio/io_context.hpp>

#include <deque>
#include <sstream>

#include "fakes/manual_clock.hpp"
#include "hosts/await.hpp"

namespace dispatcher {
namespace {

class NoWait : public Timer {
 public:
  [[nodiscard]] boost::asio::awaitable<bool> wait_until(MonoTime /*when*/) override {
    co_return true;
  }
  void cancel() override {}
};

class NoWaits : public Timers {
 public:
  [[nodiscard]] std::unique_ptr<Timer> make() override { return std::make_unique<NoWait>(); }
};

class FixedRandom : public Random {
 public:
  [[nodiscard]] std::uint64_t next() override { return ++last_; }

 private:
  std::uint64_t last_ = 0;
};

class ScriptedApi : public TriggersApi {
 public:
  std::deque<Result<Answer>> answers;
  std::vector<TriggersRequest> requests;

  [[nodiscard]] boost::asio::awaitable<Result<Answer>> request(TriggersRequest request) override {
    requests.push_back(std::move(request));
    auto answer = answers.front();
    answers.pop_front();
    co_return answer;
  }
};

Answer answer_of(int status, std::string body) {
  Answer answer;
  answer.status = status;
  answer.body = std::move(body);
  return answer;
}

class CommandsTest : public testing::Test {
 protected:
  CommandsTest() {
    services.serve = [this](const ServeConfig& config, std::ostream&) -> Result<int> {
      served = config;
      return 0;
    };
    services.run = [this](const RunConfig&) -> Result<RunOutcome> { return outcome; };
    services.with_api = [this](const ClientConfig&, const Services::ClientWork& work) {
      boost::asio::io_context loop{1};
      return Result<int>{await_on(loop, work(ClientPorts{api, clock, timers, random}))};
    };
    services.check_store = [](const std::string&) -> Result<StoreReport> {
      return StoreReport{false, "broken\n", "{}"};
    };
    services.backup_store = [](const std::string&, const std::string& file) -> Result<StoreReport> {
      return make_error(ErrorKind::conflict, "cannot make " + file + ": it is there already");
    };
  }

  int call(std::vector<std::string> arguments) {
    out.str("");
    err.str("");
    return run_program(arguments,
                       [this](std::string_view name) -> std::optional<std::string> {
                         return name == "API_BASE_URL" ? std::optional{api_url} : std::nullopt;
                       },
                       services, {in, out, err, false});
  }

  // One line on stderr, nothing on stdout.
  void expect_refusal(std::vector<std::string> arguments, int status, std::string_view words) {
    EXPECT_EQ(call(std::move(arguments)), status) << words;
    EXPECT_EQ(out.str(), "");
    const std::string message = err.str();
    EXPECT_TRUE(message.starts_with("dispatcher: ")) << message;
    EXPECT_EQ(std::count(message.begin(), message.end(), '\n'), 1) << message;
    EXPECT_NE(message.find(words), std::string::npos) << message;
  }

  Services services;
  std::optional<ServeConfig> served;
  RunOutcome outcome;
  ScriptedApi api;
  fakes::ManualClock clock;
  NoWaits timers;
  FixedRandom random;
  std::string api_url = "https://api.test";
  std::istringstream in;
  std::ostringstream out;
  std::ostringstream err;
};

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
  expect_refusal({"serve", "--listen"}, 2, "--listen");
  expect_refusal({"store", "check", "extra"}, 2, "an argument too many");
}

TEST_F(CommandsTest, commands_that_come_later_are_refused_as_unknown) {
  for (const std::string name : {"lambda", "endpoints", "doctor", "bench"}) {
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
  outcome.failure = make_error(ErrorKind::refused, "the inbox went away");
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

// -- events

TEST_F(CommandsTest, events_are_listed_page_by_page_up_to_the_limit) {
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

TEST_F(CommandsTest, events_as_json_are_one_array_of_the_services_own_objects) {
  api.answers.push_back(answer_of(
      200, R"({"items":[{"id":"1","payload":{"n":1.0}},{"id":"2"}],"next_cursor":null})"));
  EXPECT_EQ(call({"events", "list", "--json"}), 0);
  EXPECT_EQ(out.str(), "[{\"id\":\"1\",\"payload\":{\"n\":1.0}},{\"id\":\"2\"}]\n");
  api.answers.push_back(answer_of(200, R"({"items":[],"next_cursor":null})"));
  EXPECT_EQ(call({"events", "list", "--json"}), 0);
  EXPECT_EQ(out.str(), "[]\n");
}

TEST_F(CommandsTest, an_event_is_shown_with_its_deliveries) {
  api.answers.push_back(answer_of(
      200, R"({"id":"1","payload":{"n":1},"deliveries":[{"endpoint_id":"ep","state":"review"}]})"));
  EXPECT_EQ(call({"events", "show", "a/b"}), 0);
  EXPECT_EQ(api.requests.at(0).path, "/events/a%2Fb");
  EXPECT_NE(out.str().find("review"), std::string::npos);
  EXPECT_NE(out.str().find(R"({"n":1})"), std::string::npos);
}

TEST_F(CommandsTest, an_unknown_event_is_said) {
  api.answers.push_back(answer_of(404, R"({"detail":"Event with ID x not found"})"));
  expect_refusal({"events", "show", "x"}, 1, "Event with ID x not found");
  expect_refusal({"events", "attempts"}, 2, "ID: is missing");
  expect_refusal({"events", "list", "--status", "pending", "--state", "review"}, 2,
                 "only one of them");
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
