// Promises: credentials are found in the order that AWS clients have (environment, profile,
// container), kept until they end, exchanged before that and when they are refused; a container's
// token goes to no host but its agent; no message shows a secret.
#include "adapters/aws/container_credentials.hpp"
#include "adapters/aws/credential_source.hpp"
#include "aws/files.hpp"
#include "aws/world.hpp"

#include <fmt/format.h>

namespace dispatcher {
namespace {

using namespace test;
using std::chrono::minutes;

class CredentialTest : public AwsWorld {
 protected:
  CredentialTest() { variables = {{"HOME", home.path()}}; }

  Result<AwsCredentials> get() { return await(credentials.get(clock.monotonic() + seconds{10})); }
  std::string key() {
    const auto found = get();
    return found ? found->access_key_id : found.error().message;
  }

  void offer(const std::string& id, std::chrono::microseconds life) {
    answers.push_back(answered(
        200, fmt::format(R"({{"AccessKeyId":"{}","SecretAccessKey":"hunter2-{}","Token":"t-{}",)"
                         R"("Expiration":"{}"}})",
                         id, id, id, format_timestamp(clock.wall() + life))));
  }

  TempFolder home;
};

TEST_F(CredentialTest, the_environment_comes_before_the_profile_and_that_before_the_container) {
  variables["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = "/v2/credentials/x";
  variables["AWS_ACCESS_KEY_ID"] = "env";
  variables["AWS_SECRET_ACCESS_KEY"] = "hunter2";
  variables["AWS_SESSION_TOKEN"] = "token";
  home.write(".aws/credentials",
             "[default]\naws_access_key_id=file\naws_secret_access_key=hunter2\n");
  home.write(".aws/config", "[default]\naws_access_key_id=config\naws_secret_access_key=hunter2\n");
  const auto first = get();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->access_key_id, "env");
  EXPECT_EQ(first->session_token, "token");
  variables.erase("AWS_ACCESS_KEY_ID");
  EXPECT_EQ(key(), "env");  // what was found is kept
  credentials.forget(*first);
  EXPECT_EQ(key(), "file");
  EXPECT_EQ(get()->session_token, "");
  home.write(".aws/credentials", "[other]\naws_access_key_id=other\n");
  credentials.forget(*get());
  EXPECT_EQ(key(), "config");
  home.write(".aws/config", "[default]\nregion=us-east-2\n");
  credentials.forget(*get());
  offer("container", minutes{60});
  EXPECT_EQ(key(), "container");
}

TEST_F(CredentialTest, none_at_all_says_what_to_set) {
  const auto none = get();
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().kind, ErrorKind::invalid);
  EXPECT_NE(none.error().message.find("set AWS_ACCESS_KEY_ID"), std::string::npos);
}

TEST_F(CredentialTest, half_of_them_is_named) {
  variables["AWS_ACCESS_KEY_ID"] = "env";
  EXPECT_EQ(key().find("AWS_SECRET_ACCESS_KEY: is not set, but AWS_ACCESS_KEY_ID is"), 0U);
  variables.erase("AWS_ACCESS_KEY_ID");
  home.write(".aws/credentials", "[default]\naws_secret_access_key=hunter2\n");
  EXPECT_EQ(key(), "the AWS profile default has no aws_access_key_id (add it)");
}

TEST_F(CredentialTest, a_profile_of_a_kind_that_is_not_known_says_so) {
  home.write(".aws/config", "[default]\ncredential_process=/bin/get hunter2\n");
  EXPECT_EQ(key().find("the AWS profile default gets its credentials by credential_process"), 0U);
  EXPECT_EQ(key().find("hunter2"), std::string::npos);
}

TEST_F(CredentialTest, they_are_exchanged_before_they_end) {
  variables["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = "/v2/credentials/x";
  offer("one", minutes{60});
  EXPECT_EQ(key(), "one");
  EXPECT_EQ(http.requests.at(0).url.display() + http.requests.at(0).url.target,
            "http://169.254.170.2/v2/credentials/x");
  EXPECT_EQ(http.requests.at(0).method, "GET");
  EXPECT_FALSE(http.requests.at(0).is_webhook);
  clock.advance(minutes{54});
  EXPECT_EQ(key(), "one");
  clock.advance(minutes{2});
  offer("two", minutes{60});
  EXPECT_EQ(key(), "two");
  EXPECT_EQ(http.requests.size(), 2U);
}

TEST_F(CredentialTest, the_old_ones_serve_on_while_new_ones_cannot_be_had) {
  variables["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = "/v2/credentials/x";
  offer("one", minutes{60});
  EXPECT_EQ(key(), "one");
  clock.advance(minutes{57});
  for (int i = 0; i < 3; ++i) {
    answers.push_back(answered(500, "hunter2"));
  }
  EXPECT_EQ(key(), "one");
  EXPECT_EQ(key(), "one");  // and the agent is not asked again at once
  EXPECT_EQ(http.requests.size(), 4U);
  clock.advance(minutes{4});
  for (int i = 0; i < 3; ++i) {
    answers.push_back(failed(FailureKind::connect));
  }
  const auto ended = get();
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().kind, ErrorKind::retry_later);
  EXPECT_EQ(ended.error().message,
            "cannot get AWS credentials from http://169.254.170.2: connect: as the test says");
}

TEST_F(CredentialTest, many_who_ask_at_once_are_one_request) {
  variables["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = "/v2/credentials/x";
  offer("one", minutes{60});
  boost::asio::io_context loop{1};
  std::vector<std::string> keys;
  for (int i = 0; i < 3; ++i) {
    boost::asio::co_spawn(loop, credentials.get(clock.monotonic() + seconds{10}),
                          [&](const std::exception_ptr&, Result<AwsCredentials> found) {
                            keys.push_back(found ? found->access_key_id : "none");
                          });
  }
  loop.run();
  EXPECT_EQ(keys, (std::vector<std::string>{"one", "one", "one"}));
  EXPECT_EQ(http.requests.size(), 1U);
}

TEST_F(CredentialTest, a_full_uri_takes_the_token_along) {
  variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = "http://127.0.0.1:51679/get?role=1";
  variables["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = "Basic one";
  offer("one", minutes{60});
  EXPECT_EQ(key(), "one");
  EXPECT_EQ(http.requests.at(0).url.target, "/get?role=1");
  EXPECT_EQ(header_of(http.requests.at(0), "Authorization"), "Basic one");
  variables["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = home.write("token", "from-file\n");
  credentials.forget(*get());
  offer("two", minutes{60});
  EXPECT_EQ(key(), "two");
  EXPECT_EQ(header_of(http.requests.at(1), "Authorization"), "from-file");
}

TEST_F(CredentialTest, a_token_that_is_no_header_or_is_not_there_is_named) {
  variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = "https://agent.test/get";
  variables["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = "hunter2\r\nX-More: hunter2";
  EXPECT_EQ(key(), "AWS_CONTAINER_AUTHORIZATION_TOKEN: holds a line end, which no header may have");
  variables["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = home.path() + "/gone";
  EXPECT_EQ(key().find("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: cannot read"), 0U);
  EXPECT_TRUE(http.requests.empty());
}

TEST_F(CredentialTest, what_the_agent_refuses_is_not_asked_again) {
  variables["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = "/v2/credentials/x";
  answers.push_back(answered(403, "hunter2"));
  EXPECT_EQ(key(), "cannot get AWS credentials from http://169.254.170.2: it answered 403");
  EXPECT_EQ(http.requests.size(), 1U);
}

TEST(container_url, plain_http_only_to_this_machine_and_the_agents) {
  struct Case {
    std::string url;
    bool is_allowed;
  };
  for (const Case& one : std::vector<Case>{
           {"https://agent.test/x", true},
           {"http://localhost/x", true},
           {"http://127.0.0.1:80/x", true},
           {"http://127.255.0.1/x", true},
           {"http://[::1]/x", true},
           {"http://169.254.170.2/x", true},
           {"http://169.254.170.23/v1/credentials", true},
           {"http://[fd00:ec2::23]/v1/credentials", true},
           {"http://169.254.169.254/x", false},
           {"http://agent.test/x", false},
           {"http://127.evil.test/x", false},
           {"http://192.0.2.1/x", false},
           {"agent", false},
       }) {
    const Variables variables{{"AWS_CONTAINER_CREDENTIALS_FULL_URI", one.url}};
    const auto url = container_url(environment_of(variables));
    EXPECT_EQ(url.has_value(), one.is_allowed) << one.url;
    if (!url) {
      EXPECT_EQ(url.error().message.find("AWS_CONTAINER_CREDENTIALS_FULL_URI: "), 0U);
    }
  }
  const Variables variables{{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "@evil.test/"}};
  EXPECT_FALSE(container_url(environment_of(variables)));
}

TEST(parse_container_credentials, what_is_not_whole_is_refused_and_not_shown) {
  for (const std::string_view text :
       {R"(["hunter2"])", R"({"AccessKeyId":"hunter2"})", R"({"SecretAccessKey":"hunter2"})",
        R"({"AccessKeyId":1,"SecretAccessKey":"hunter2"})", "hunter2", ""}) {
    const auto parsed = parse_container_credentials(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().message.find("hunter2"), std::string::npos);
  }
}

}  // namespace
}  // namespace dispatcher
