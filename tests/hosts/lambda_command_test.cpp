// Promises: the program that Lambda starts without a command is the function; what is wrong with
// its settings is handed on, so that Lambda is told; outside of Lambda it says what is missing.
#include "hosts/commands.hpp"

#include <gtest/gtest.h>

#include <map>
#include <sstream>

namespace dispatcher {
namespace {

class LambdaCommandTest : public testing::Test {
 protected:
  LambdaCommandTest() {
    services.lambda = [this](const Result<LambdaConfig>& given, const std::string& address) {
      config = given;
      runtime_api = address;
      return given ? Result<int>{0} : Result<int>{given.error()};
    };
  }

  int call(const std::vector<std::string>& arguments) {
    return run_program(arguments,
                       [this](std::string_view name) -> std::optional<std::string> {
                         const auto found = environment.find(std::string{name});
                         return found == environment.end() ? std::nullopt
                                                           : std::optional{found->second};
                       },
                       services, {in, out, err, false});
  }

  std::map<std::string, std::string> environment{{"AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9001"},
                                                 {"API_BASE_URL", "https://api.test/base/"},
                                                 {"SECRETS_FILE", "secret.json"},
                                                 {"MAX_EVENTS_PER_RUN", "250"}};
  Services services;
  std::optional<Result<LambdaConfig>> config;
  std::string runtime_api;
  std::istringstream in;
  std::ostringstream out;
  std::ostringstream err;
};

TEST_F(LambdaCommandTest, without_arguments_in_lambda_the_program_is_the_function) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{}, std::vector<std::string>{"lambda"}}) {
    config.reset();
    EXPECT_EQ(call(arguments), 0) << err.str();
    ASSERT_TRUE(config && *config);
    EXPECT_EQ(runtime_api, "127.0.0.1:9001");
    EXPECT_EQ((*config)->run.api.host, "api.test");
    EXPECT_EQ((*config)->run.max_events, 250);
    EXPECT_EQ((*config)->run.secret.file, "secret.json");
    EXPECT_EQ((*config)->cloudwatch_metrics, "seed");
  }
}

TEST_F(LambdaCommandTest, another_command_is_that_command_in_lambda_too) {
  EXPECT_EQ(call({"version"}), 0);
  EXPECT_FALSE(config);
}

TEST_F(LambdaCommandTest, what_is_wrong_is_handed_on_by_name) {
  struct Case {
    std::string variable;
    std::string value;
    std::string named;
  };
  for (const Case& one :
       {Case{"MAX_EVENTS_PER_RUN", "many", "MAX_EVENTS_PER_RUN"},
        Case{"API_BASE_URL", "", "API_BASE_URL"}, Case{"SECRETS_FILE", "", "SECRET_ARN"},
        Case{"CLOUDWATCH_METRICS", "some", "CLOUDWATCH_METRICS"}}) {
    const std::string before = environment[one.variable];
    environment[one.variable] = one.value;
    config.reset();
    EXPECT_NE(call({}), 0);
    ASSERT_TRUE(config) << one.variable;
    ASSERT_FALSE(*config) << one.variable;
    EXPECT_NE(config->error().message.find(one.named), std::string::npos)
        << config->error().message;
    environment[one.variable] = before;
  }
}

TEST_F(LambdaCommandTest, outside_of_lambda_it_says_what_to_use_instead) {
  environment.erase("AWS_LAMBDA_RUNTIME_API");
  EXPECT_EQ(call({"lambda"}), 2);
  EXPECT_FALSE(config);
  EXPECT_NE(err.str().find("dispatcher run"), std::string::npos);
}

}  // namespace
}  // namespace dispatcher
