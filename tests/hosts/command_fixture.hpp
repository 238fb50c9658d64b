// The program with a service that answers as a test scripts it.
#pragma once

#include "hosts/await.hpp"
#include "hosts/commands.hpp"

#include <gtest/gtest.h>
#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <deque>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "fakes/manual_clock.hpp"

namespace dispatcher {

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
    if (answers.empty()) {
      ADD_FAILURE() << "asked once too often: " << requests.back().path;
      co_return make_error(ErrorKind::refused, "there is no further answer");
    }
    auto answer = answers.front();
    answers.pop_front();
    co_return answer;
  }
};

inline Answer answer_of(int status, std::string body) {
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

}  // namespace dispatcher
