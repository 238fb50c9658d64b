// Promises: the secret file has the keys that people know, in the shapes that the settings page
// allows; what is wrong is named, never shown; the file made on the first start is private and
// made once.
#include "adapters/secrets_file/secrets_file.hpp"

#include "base/bytes.hpp"
#include "http_inbox/scripted.hpp"
#include "ports/secret_json.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

namespace dispatcher {
namespace {

using namespace test;

using Texts = std::vector<std::string>;

TEST(parse_secrets, texts_and_lists_are_both_taken) {
  const auto one = parse_secrets(
      R"({"zapier_api_key":"k","zapier_webhook_url":"https://a.test/x","jwt_secret":"j",
          "zapier_webhook_secret":"w","more":{"of":"it"}})",
      "f", {});
  ASSERT_TRUE(one);
  EXPECT_EQ(one->api_keys, Texts{"k"});
  EXPECT_EQ(one->webhook_urls, Texts{"https://a.test/x"});
  EXPECT_EQ(one->jwt_secrets, Texts{"j"});
  EXPECT_EQ(one->webhook_secret, "w");
  const auto many = parse_secrets(
      R"({"zapier_api_key":["k","l"],"jwt_secret":["j","i"],
          "zapier_webhook_url":["https://a.test/x","https://b.test/y, https://c.test/z"]})",
      "f", {});
  ASSERT_TRUE(many);
  EXPECT_EQ(many->api_keys, (Texts{"k", "l"}));
  EXPECT_EQ(many->jwt_secrets, (Texts{"j", "i"}));
  EXPECT_EQ(many->webhook_urls,
            (Texts{"https://a.test/x", "https://b.test/y", "https://c.test/z"}));
}

TEST(parse_secrets, a_comma_inside_a_url_does_not_end_it) {
  const auto urls = parse_secrets(
      R"({"zapier_webhook_url":" https://a.test/x?of=1,2 ,HTTPS://b.test/y,"})", "f", {});
  ASSERT_TRUE(urls);
  EXPECT_EQ(urls->webhook_urls, (Texts{"https://a.test/x?of=1,2", "HTTPS://b.test/y"}));
}

TEST(parse_secrets, a_list_without_a_url_is_missing_where_one_is_needed) {
  for (const std::string urls : {R"(" ")", R"(",")", R"([" ",","])", R"("")"}) {
    const std::string json = fmt::format(R"({{"zapier_webhook_url":{}}})", urls);
    const auto parsed = parse_secrets(json, "f", {"zapier_webhook_url"});
    ASSERT_FALSE(parsed) << json;
    EXPECT_EQ(parsed.error().kind, ErrorKind::invalid);
    EXPECT_TRUE(parsed.error().message.starts_with("zapier_webhook_url: is missing or empty"));
    EXPECT_TRUE(parse_secrets(json, "f", {})) << json;
  }
}

TEST(parse_secrets, what_is_wrong_is_named_and_not_shown) {
  struct Case {
    std::string json;
    std::string named;
  };
  const std::vector<Case> cases{
      {R"({"zapier_api_key":7000007})", "zapier_api_key: is a number"},
      {R"({"zapier_api_key":"hunter2"})", "jwt_secret: is missing or empty"},
      {R"({"zapier_api_key":"hunter2","jwt_secret":""})", "jwt_secret: is missing or empty"},
      {R"({"zapier_api_key":"hunter2","jwt_secret":[]})", "jwt_secret: is missing or empty"},
      {R"({"zapier_api_key":["hunter2",""],"jwt_secret":"j"})", "zapier_api_key: has an entry"},
      {R"({"zapier_api_key":"hunter2","jwt_secret":{"a":"hunter2"}})", "jwt_secret: is an object"},
      {R"({"zapier_api_key":"k","jwt_secret":"j","zapier_webhook_secret":["a","hunter2"]})",
       "zapier_webhook_secret: is a list"},
      {R"({"zapier_api_key":"k","jwt_secret":"j","encryption_keys":["hunter2"]})",
       "encryption_keys: has an entry that is not 32 bytes"},
      {R"(["hunter2"])", "is not a JSON object"},
      {R"({"zapier_api_key":"hunter2)", "is not a JSON object"},
      {"", "is not a JSON object"},
  };
  for (const Case& one : cases) {
    const auto parsed = parse_secrets(one.json, "the-file", {"zapier_api_key", "jwt_secret"});
    ASSERT_FALSE(parsed) << one.json;
    EXPECT_EQ(parsed.error().kind, ErrorKind::invalid);
    EXPECT_NE(parsed.error().message.find(one.named), std::string::npos) << parsed.error().message;
    EXPECT_NE(parsed.error().message.find("the-file"), std::string::npos);
    EXPECT_EQ(parsed.error().message.find("hunter2"), std::string::npos) << parsed.error().message;
    EXPECT_EQ(parsed.error().message.find("7000007"), std::string::npos);
  }
}

class SecretsFileTest : public testing::Test {
 protected:
  SecretsFileTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "secrets-XXXXXX").string();
    directory = ::mkdtemp(pattern.data());
    path = directory + "/secrets.json";
  }
  ~SecretsFileTest() override { std::filesystem::remove_all(directory); }

  std::string directory;
  std::string path;
  std::vector<std::string> lines;
  Log log{LogLevel::info, LogFormat::text,
          [this](std::string_view line) { lines.emplace_back(line); }};
  CountingRandom random;
};

TEST_F(SecretsFileTest, the_file_made_is_private_whole_and_readable) {
  const std::string inner = directory + "/new/data";
  ASSERT_TRUE(*make_secrets_file(inner, random));
  struct stat status {};
  ASSERT_EQ(::stat((inner + "/secrets.json").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  const auto read =
      await(SecretsFile{inner + "/secrets.json", {"zapier_api_key", "jwt_secret"}, log}.read({}));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_GE(read->api_keys.at(0).size(), 43U);
  EXPECT_NE(read->api_keys, read->jwt_secrets);
  EXPECT_EQ(from_base64(read->encryption_keys.at(0))->size(), 32U);
  EXPECT_TRUE(lines.empty());
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator{inner}, {}), 1);  // nothing is left
}

TEST_F(SecretsFileTest, one_that_is_there_is_left_as_it_is) {
  std::ofstream{path} << "{}";
  EXPECT_FALSE(*make_secrets_file(directory, random));
  std::ifstream file{path};
  std::string content;
  file >> content;
  EXPECT_EQ(content, "{}");
}

TEST_F(SecretsFileTest, a_file_open_to_others_is_warned_of_once) {
  std::ofstream{path} << R"({"zapier_api_key":"hunter2"})";
  ::chmod(path.c_str(), 0644);
  SecretsFile file{path, {}, log};
  EXPECT_TRUE(file.read_now());
  EXPECT_TRUE(file.read_now());
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_NE(lines[0].find(path), std::string::npos);
  EXPECT_EQ(lines[0].find("hunter2"), std::string::npos);
}

TEST_F(SecretsFileTest, it_is_read_anew_each_time) {
  SecretsFile file{path, {"zapier_api_key"}, log};
  EXPECT_FALSE(file.read_now());
  std::ofstream{path} << R"({"zapier_api_key":"one"})";
  EXPECT_EQ(file.read_now()->api_keys, Texts{"one"});
  std::ofstream{path} << R"({"zapier_api_key":"two"})";
  EXPECT_EQ(file.read_now()->api_keys, Texts{"two"});
}

TEST_F(SecretsFileTest, a_missing_file_says_what_to_set) {
  const auto read = SecretsFile{path, {}, log}.read_now();
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().kind, ErrorKind::invalid);
  EXPECT_NE(read.error().message.find("SECRETS_FILE"), std::string::npos);
}

}  // namespace
}  // namespace dispatcher
