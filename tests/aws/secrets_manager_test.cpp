// Promises: the secret is read once per container, again after an hour and when it was refused;
// what is missing in it is named, what is in it is not shown; while AWS cannot be reached the old
// one serves on.
#include "adapters/aws/secrets_manager.hpp"

#include "aws/fake_aws.hpp"
#include "aws/world.hpp"

namespace dispatcher {
namespace {

using namespace test;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::string_view kGood =
    R"({"Name":"n","SecretString":"{\"zapier_api_key\":\"hunter2\",\"zapier_webhook_url\":)"
    R"(\"https://hooks.test/hunter3\"}"})";

class SecretsManagerTest : public testing::Test {
 protected:
  std::string key() {
    const auto read = await(secrets.read({}));
    return read ? read->api_keys.at(0) : read.error().message;
  }

  ManualClock clock;
  FakeAws aws{clock};
  std::vector<std::string> lines;
  Log log{LogLevel::info, LogFormat::text,
          [this](std::string_view line) { lines.emplace_back(line); }};
  SecretsManager secrets{aws,
                         clock,
                         log,
                         "arn:aws:secretsmanager:us-east-2:1:secret:\"x",
                         {"zapier_api_key", "zapier_webhook_url"}};
};

TEST_F(SecretsManagerTest, it_is_read_once_an_hour) {
  aws.answers = {FakeAws::good(kGood), FakeAws::good(kGood)};
  EXPECT_EQ(key(), "hunter2");
  ASSERT_EQ(aws.calls.size(), 1U);
  EXPECT_EQ(aws.calls[0].service, AwsService::secrets_manager);
  EXPECT_EQ(aws.calls[0].action, "GetSecretValue");
  EXPECT_EQ(aws.calls[0].body, R"({"SecretId":"arn:aws:secretsmanager:us-east-2:1:secret:\"x"})");
  clock.advance(minutes{59});
  EXPECT_EQ(key(), "hunter2");
  EXPECT_EQ(aws.calls.size(), 1U);
  clock.advance(minutes{1});
  EXPECT_EQ(key(), "hunter2");
  EXPECT_EQ(aws.calls.size(), 2U);
}

TEST_F(SecretsManagerTest, one_that_was_refused_is_read_again) {
  aws.answers = {FakeAws::good(kGood),
                 FakeAws::good(R"({"SecretString":"{\"zapier_api_key\":\"new\",)"
                               R"(\"zapier_webhook_url\":\"https://hooks.test/\"}"})")};
  EXPECT_EQ(key(), "hunter2");
  secrets.forget();
  EXPECT_EQ(key(), "new");
}

TEST_F(SecretsManagerTest, a_clock_that_was_set_back_does_not_keep_it_for_ever) {
  aws.answers = {FakeAws::good(kGood), FakeAws::good(kGood)};
  EXPECT_EQ(key(), "hunter2");
  clock.jump_wall(-minutes{10});
  EXPECT_EQ(key(), "hunter2");
  EXPECT_EQ(aws.calls.size(), 2U);
}

TEST_F(SecretsManagerTest, while_aws_cannot_be_reached_the_old_one_serves_on) {
  aws.answers = {FakeAws::good(kGood), FakeAws::bad(ErrorKind::retry_later, "", "no way there")};
  EXPECT_EQ(key(), "hunter2");
  EXPECT_FALSE(aws.calls[0].deadline);
  clock.advance(minutes{61});
  EXPECT_EQ(key(), "hunter2");
  EXPECT_TRUE(aws.calls[1].deadline);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_NE(lines[0].find("what was read before serves on"), std::string::npos);
}

TEST_F(SecretsManagerTest, one_that_was_to_be_forgotten_does_not) {
  aws.answers = {FakeAws::good(kGood), FakeAws::bad(ErrorKind::retry_later, "", "no way there")};
  EXPECT_EQ(key(), "hunter2");
  secrets.forget();
  EXPECT_EQ(key(),
            "SECRET_ARN: cannot read the secret arn:aws:secretsmanager:us-east-2:1:secret:\"x: no "
            "way there");
}

TEST_F(SecretsManagerTest, one_that_was_in_doubt_serves_on_when_it_cannot_be_had_anew) {
  aws.answers = {FakeAws::good(kGood), FakeAws::bad(ErrorKind::retry_later, "", "no way there"),
                 FakeAws::bad(ErrorKind::retry_later, "", "no way there"), FakeAws::good(kGood)};
  EXPECT_EQ(key(), "hunter2");
  secrets.forget();
  EXPECT_NE(key(), "hunter2");
  EXPECT_EQ(key(), "hunter2");
  EXPECT_EQ(aws.calls.size(), 3U) << "it was asked for again";
  EXPECT_EQ(key(), "hunter2");
  EXPECT_EQ(key(), "hunter2");
  EXPECT_EQ(aws.calls.size(), 4U) << "it is known again";
}

TEST_F(SecretsManagerTest, the_deadline_is_the_call_s) {
  aws.answers = {FakeAws::good(kGood), FakeAws::good(kGood), FakeAws::good(kGood)};
  const MonoTime soon = clock.monotonic() + seconds{1};
  EXPECT_TRUE(await(secrets.read(soon)));
  EXPECT_EQ(aws.calls[0].deadline, soon);
  secrets.forget();
  EXPECT_TRUE(await(secrets.read(soon)));
  EXPECT_EQ(aws.calls[1].deadline, soon);
  secrets.forget();
  EXPECT_TRUE(await(secrets.read(clock.monotonic() + minutes{5})));
  EXPECT_LT(aws.calls[2].deadline, clock.monotonic() + seconds{10})
      << "what was read before can serve on";
}

TEST_F(SecretsManagerTest, aws_s_reasons_keep_their_kind) {
  for (const ErrorKind kind : {ErrorKind::refused, ErrorKind::not_found, ErrorKind::invalid}) {
    aws.answers = {FakeAws::bad(kind, "Code", "why")};
    const auto read = await(secrets.read({}));
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().kind, kind);
    EXPECT_EQ(read.error().message.find("SECRET_ARN: cannot read the secret arn:"), 0U);
  }
}

TEST_F(SecretsManagerTest, what_is_wrong_with_it_is_named_and_not_shown) {
  struct Case {
    std::string answer;
    std::string named;
  };
  for (const Case& one : std::vector<Case>{
           {R"({"SecretBinary":"aHVudGVyMg=="})", "holds SecretBinary, which is not read"},
           {R"({"Name":"hunter2"})", "holds no SecretString"},
           {R"({"SecretString":"hunter2"})", "is not a JSON object"},
           {R"({"SecretString":"{\"zapier_api_key\":\"hunter2\"}"})",
            "zapier_webhook_url: is missing or empty"},
           {R"({"SecretString":"{\"zapier_api_key\":\"\",\"zapier_webhook_url\":\"hunter2\"}"})",
            "zapier_api_key: is missing or empty"},
           {"hunter2", "the answer is not a JSON object"},
       }) {
    aws.answers = {FakeAws::good(one.answer)};
    const std::string message = key();
    EXPECT_NE(message.find(one.named), std::string::npos) << message;
    EXPECT_NE(message.find("the secret arn:aws:"), std::string::npos) << message;
    EXPECT_EQ(message.find("hunter"), std::string::npos) << message;
    EXPECT_EQ(message.find("aHVudGVyMg"), std::string::npos) << message;
  }
}

}  // namespace
}  // namespace dispatcher
