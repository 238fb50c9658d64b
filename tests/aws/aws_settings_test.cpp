// Promises: region and endpoints are found as every AWS client finds them; profile files are read
// as the AWS tools write them; what is missing or wrong is named, with what to set.
#include "adapters/aws/aws_settings.hpp"

#include "aws/files.hpp"
#include "aws/world.hpp"

namespace dispatcher {
namespace {

using namespace test;

TEST(parse_profiles, sections_keys_comments_and_nesting) {
  const auto sections = parse_profiles(
      "# a comment\r\n"
      "[default]\r\n"
      "region = eu-west-1 ; the office\r\n"
      "AWS_Access_Key_Id=key#1\r\n"
      "s3 =\n"
      "  addressing_style = path\n"
      "[ profile   work ]\n"
      "not a key\n"
      "= nothing\n"
      "region=us-west-2\n"
      "[broken\n"
      "region = lost\n"
      "[default]\n"
      "output = json");
  ASSERT_EQ(sections.size(), 2U);
  const ProfileKeys expected{{"region", "eu-west-1"},
                             {"aws_access_key_id", "key#1"},
                             {"s3", ""},
                             {"s3.addressing_style", "path"},
                             {"output", "json"}};
  EXPECT_EQ(sections.at("default"), expected);
  EXPECT_EQ(sections.at("profile work").at("region"), "us-west-2");
}

class ProfileTest : public testing::Test {
 protected:
  Result<Profile> profile() { return read_profile(environment_of(variables)); }

  TempFolder home;
  Variables variables{{"HOME", home.path()}};
};

TEST_F(ProfileTest, no_file_is_an_empty_profile) {
  const auto none = profile();
  ASSERT_TRUE(none);
  EXPECT_EQ(none->name, "default");
  EXPECT_FALSE(none->is_there);
  variables.clear();
  EXPECT_TRUE(profile());
}

TEST_F(ProfileTest, the_chosen_profile_comes_from_both_files) {
  home.write(".aws/credentials", "[default]\naws_access_key_id=a\n[work]\naws_access_key_id=w\n");
  home.write(".aws/config", "[default]\nregion=r\n[profile work]\nregion=s\n");
  EXPECT_EQ(profile()->credentials.at("aws_access_key_id"), "a");
  EXPECT_EQ(profile()->config.at("region"), "r");
  variables["AWS_PROFILE"] = "work";
  EXPECT_EQ(profile()->credentials.at("aws_access_key_id"), "w");
  EXPECT_EQ(profile()->config.at("region"), "s");
}

TEST_F(ProfileTest, the_environment_names_the_files) {
  home.write("one", "[default]\naws_access_key_id=one\n");
  home.write("two", "[profile default]\nregion=two\n");
  variables["AWS_SHARED_CREDENTIALS_FILE"] = home.path() + "/one";
  variables["AWS_CONFIG_FILE"] = "~/two";
  EXPECT_EQ(profile()->credentials.at("aws_access_key_id"), "one");
  EXPECT_EQ(profile()->config.at("region"), "two");
}

TEST_F(ProfileTest, a_file_or_a_profile_that_was_named_must_be_there) {
  variables["AWS_CONFIG_FILE"] = home.path() + "/gone";
  auto missing = profile();
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, ErrorKind::invalid);
  EXPECT_NE(missing.error().message.find("/gone: No such file"), std::string::npos);
  variables.erase("AWS_CONFIG_FILE");
  variables["AWS_PROFILE"] = "nobody";
  missing = profile();
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().message.find("AWS_PROFILE: there is no profile nobody"),
            std::string::npos);
}

class AwsSettingsTest : public testing::Test {
 protected:
  std::string url(AwsService service = AwsService::dynamodb) {
    const auto settings = make_aws_settings(environment_of(variables), profile, given);
    if (!settings) {
      return settings.error().message;
    }
    const WebhookUrl& endpoint = settings->endpoint(service);
    return endpoint.display() + endpoint.target;
  }

  Variables variables{{"AWS_REGION", "us-east-2"}};
  Profile profile;
  std::string given;
};

TEST_F(AwsSettingsTest, a_region_s_own_endpoints) {
  EXPECT_EQ(url(), "https://dynamodb.us-east-2.amazonaws.com/");
  EXPECT_EQ(url(AwsService::secrets_manager), "https://secretsmanager.us-east-2.amazonaws.com/");
  EXPECT_EQ(url(AwsService::cloudwatch), "https://monitoring.us-east-2.amazonaws.com/");
  variables["AWS_REGION"] = "cn-north-1";
  EXPECT_EQ(url(), "https://dynamodb.cn-north-1.amazonaws.com.cn/");
}

TEST_F(AwsSettingsTest, the_region_is_looked_for_in_the_usual_order) {
  profile.config["region"] = "from-profile";
  variables = {{"AWS_DEFAULT_REGION", "from-default"}, {"AWS_REGION", "from-region"}};
  given = "from-us";
  for (const std::string expected : {"from-us", "from-region", "from-default", "from-profile"}) {
    EXPECT_EQ(url(), "https://dynamodb." + expected + ".amazonaws.com/");
    if (!given.empty()) {
      given.clear();
    } else if (variables.erase("AWS_REGION") == 0) {
      variables.clear();
    }
  }
}

TEST_F(AwsSettingsTest, no_region_says_what_to_set) {
  variables.clear();
  EXPECT_EQ(url(),
            "AWS_REGION: no region is set (set it to the region of the table and the secret, e.g. "
            "us-east-2)");
  variables["AWS_REGION"] = "evil.example/";
  EXPECT_NE(url().find("\"evil.example/\" is no region"), std::string::npos);
}

TEST_F(AwsSettingsTest, a_service_s_endpoint_wins_over_the_one_for_all) {
  profile.name = "local";
  profile.config["endpoint_url"] = "http://127.0.0.1:1";
  EXPECT_EQ(url(), "http://127.0.0.1:1/");
  profile.services["dynamodb.endpoint_url"] = "http://127.0.0.1:2";
  EXPECT_EQ(url(), "http://127.0.0.1:2/");
  EXPECT_EQ(url(AwsService::cloudwatch), "http://127.0.0.1:1/");
  variables["AWS_ENDPOINT_URL"] = "http://[::1]:3/base";
  EXPECT_EQ(url(), "http://[::1]:3/base");
  variables["AWS_ENDPOINT_URL_DYNAMODB"] = "http://127.0.0.1:4";
  variables["AWS_ENDPOINT_URL_SECRETS_MANAGER"] = "http://127.0.0.1:5";
  variables["AWS_ENDPOINT_URL_CLOUDWATCH"] = "http://127.0.0.1:6";
  EXPECT_EQ(url(), "http://127.0.0.1:4/");
  EXPECT_EQ(url(AwsService::secrets_manager), "http://127.0.0.1:5/");
  EXPECT_EQ(url(AwsService::cloudwatch), "http://127.0.0.1:6/");
  variables["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"] = "true";
  EXPECT_EQ(url(), "https://dynamodb.us-east-2.amazonaws.com/");
}

TEST_F(AwsSettingsTest, an_endpoint_that_is_none_is_named) {
  for (const std::string wrong :
       {"dynamodb", "ftp://a.test", "http://u:hunter2@a.test", "http://a.test/?q"}) {
    variables["AWS_ENDPOINT_URL_DYNAMODB"] = wrong;
    EXPECT_EQ(url().find("AWS_ENDPOINT_URL_DYNAMODB: is not the base"), 0U) << url();
    EXPECT_EQ(url().find("hunter2"), std::string::npos);
  }
}

}  // namespace
}  // namespace dispatcher
