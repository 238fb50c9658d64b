// Promises: a flag wins over the environment, that over the file; what is unknown, out of range or
// contradicts itself is refused by name, with the fix; durations take a unit, *_SECONDS fractions,
// MAX_RETRIES=0 is valid.
#include "hosts/settings.hpp"

#include "hosts/config_file.hpp"

#include "hosts/make_config.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>

namespace dispatcher {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

class SettingsTest : public testing::Test {
 protected:
  SettingsTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "settings-XXXXXX").string();
    directory = ::mkdtemp(pattern.data());
  }
  ~SettingsTest() override { std::filesystem::remove_all(directory); }

  void give(Setting setting, std::vector<std::string> texts) {
    flags[static_cast<std::size_t>(setting)] = std::move(texts);
  }
  void write_file(const std::string& content) {
    file = directory + "/dispatcher.toml";
    std::ofstream{file} << content;
    give(Setting::config, {file});
  }
  Result<Settings> resolve(Command command = Command::run) const {
    return resolve_settings(command, flags, [this](std::string_view name) {
      const auto found = variables.find(std::string{name});
      return found == variables.end() ? std::nullopt : std::optional{found->second};
    });
  }
  std::string refusal(Command command = Command::run) const {
    const auto settings = resolve(command);
    return settings ? "" : settings.error().message;
  }
  template <class Config>
  static std::string message_of(const Result<Config>& config) {
    return config ? "" : config.error().message;
  }
  Result<ServeConfig> serve() const {
    const auto settings = resolve(Command::serve);
    return settings ? make_serve_config(*settings, {}) : settings.error();
  }
  Result<RunConfig> run() const {
    const auto settings = resolve(Command::run);
    return settings ? make_run_config(*settings, {}) : settings.error();
  }

  std::string directory;
  std::string file;
  FlagValues flags;
  std::map<std::string, std::string> variables;
};

TEST_F(SettingsTest, a_flag_wins_over_the_environment_and_that_over_the_file) {
  EXPECT_EQ(resolve()->whole(Setting::max_retries), 3);
  write_file("max_retries = 5");
  EXPECT_EQ(resolve()->whole(Setting::max_retries), 5);
  EXPECT_EQ(resolve()->name(Setting::max_retries), "max_retries in " + file);
  variables["MAX_RETRIES"] = "6";
  EXPECT_EQ(resolve()->whole(Setting::max_retries), 6);
  EXPECT_EQ(resolve()->name(Setting::max_retries), "MAX_RETRIES");
  give(Setting::max_retries, {"0"});
  EXPECT_EQ(resolve()->whole(Setting::max_retries), 0);
  EXPECT_EQ(resolve()->name(Setting::max_retries), "--max-retries");
}

TEST_F(SettingsTest, a_variable_that_is_empty_counts_as_not_set) {
  variables["MAX_EVENTS_PER_RUN"] = "";
  EXPECT_EQ(resolve()->whole(Setting::max_events), 100);
}

TEST_F(SettingsTest, what_is_wrong_is_named_with_its_fix) {
  struct Case {
    std::string variable;
    std::string text;
    std::string message;
  };
  const std::vector<Case> cases{
      {"MAX_EVENTS_PER_RUN", "abc",
       "MAX_EVENTS_PER_RUN: \"abc\" is not a whole number (set it to 1–10000, e.g. 100)"},
      {"MAX_EVENTS_PER_RUN", "0",
       "MAX_EVENTS_PER_RUN: \"0\" is out of range (set it to 1–10000, e.g. 100)"},
      {"MAX_EVENTS_PER_RUN", "99999999999999999999999",
       "MAX_EVENTS_PER_RUN: \"99999999999999999999999\" is not a whole number (set it to 1–10000, "
       "e.g. 100)"},
      {"MAX_RETRIES", "-1", "MAX_RETRIES: \"-1\" is out of range (set it to 0–100, e.g. 3)"},
      {"MAX_RETRIES", "3.5",
       "MAX_RETRIES: \"3.5\" is not a whole number (set it to 0–100, e.g. 3)"},
      {"RETRY_BASE_SECONDS", "soon",
       "RETRY_BASE_SECONDS: \"soon\" is not a number of seconds (set it to 0s–1h, e.g. 1)"},
      {"RETRY_BASE_SECONDS", "nan",
       "RETRY_BASE_SECONDS: \"nan\" is not a number of seconds (set it to 0s–1h, e.g. 1)"},
      {"REQUEST_TIMEOUT_SECONDS", "0",
       "REQUEST_TIMEOUT_SECONDS: \"0\" is out of range (set it to 10ms–59m, e.g. 30)"},
      {"DISPATCHER_DEADLINE", "300",
       "DISPATCHER_DEADLINE: \"300\" is not a duration with its unit (set it to 1ms–1d, e.g. "
       "300s)"},
      {"RETRY_SCHEDULE", "5m,soon",
       "RETRY_SCHEDULE: \"soon\" is not a duration with its unit (set it to 1s–30d, e.g. "
       "5m,30m,2h)"},
      {"RETRYABLE_STATUSES", "408,!600",
       "RETRYABLE_STATUSES: \"!600\" is not a status that can be retried (set it to 400–599, with "
       "! "
       "before one not to retry, e.g. 408,425,!501)"},
      {"RETRYABLE_STATUSES", "408,!408",
       "RETRYABLE_STATUSES: \"408,!408\" is both 408 and !408 (leave one of the two out)"},
      {"DISPATCHER_LOG_LEVEL", "loud",
       "DISPATCHER_LOG_LEVEL: \"loud\" is none of its values (set it to "
       "debug|info|warning|error)"},
  };
  for (const Case& one : cases) {
    variables = {{one.variable, one.text}};
    EXPECT_EQ(refusal(), one.message);
    EXPECT_EQ(resolve().error().kind, ErrorKind::invalid);
  }
}

TEST_F(SettingsTest, seconds_take_fractions_and_units_and_durations_take_units) {
  variables = {{"RETRY_BASE_SECONDS", "0.25"}, {"RETRY_MAX_SECONDS", "2m"}};
  give(Setting::deadline, {"1500ms"});
  EXPECT_EQ(resolve()->duration(Setting::retry_base), milliseconds{250});
  EXPECT_EQ(resolve()->duration(Setting::retry_max), seconds{120});
  EXPECT_EQ(resolve()->duration(Setting::deadline), milliseconds{1500});
  EXPECT_EQ(resolve()->duration(Setting::request_timeout), seconds{30});
}

TEST_F(SettingsTest, an_unknown_key_of_the_file_is_refused_with_a_guess) {
  write_file("max_retires = 3");
  EXPECT_EQ(refusal(), "config file " + file +
                           ": line 1: max_retires is no setting (did you mean max_retries?)");
  write_file("[section]\nmax_retries = 3");
  EXPECT_NE(refusal().find("section is no setting"), std::string::npos);
}

TEST_F(SettingsTest, a_file_that_is_not_toml_or_not_there_is_refused) {
  write_file("max_retries = = 3");
  EXPECT_NE(refusal().find("config file " + file + ": line 1:"), std::string::npos);
  give(Setting::config, {directory + "/none.toml"});
  EXPECT_NE(refusal().find("cannot be read"), std::string::npos);
  give(Setting::config, {directory});
  EXPECT_NE(refusal().find("cannot be read"), std::string::npos);
}

TEST_F(SettingsTest, characters_past_ascii_stand_in_texts_and_comments_alone) {
  for (const std::string_view text :
       {"metrics_token = \"\u00e9\" # \u00e9", "\"data\" = '\u00e9'",
        "data = \"\"\"a\n\\\"\u00e9\"\"\"\"", "data = '''\n\u00e9'''", "\xEF\xBB\xBF# a mark"}) {
    EXPECT_TRUE(parse_config(text, "f")) << text;
  }
  for (const std::string_view text : {"\ndata = \u00e9", "\n[\u01bb]", "\n\u00e9 = 1",
                                      "\ndata = 'a' \u00a0", "\n = 'a\n\u00e9"}) {
    const auto parsed = parse_config(text, "f");
    ASSERT_FALSE(parsed) << text;
    EXPECT_NE(parsed.error().message.find("characters that are not ASCII"), std::string::npos);
  }
  EXPECT_NE(parse_config("\n\u00e9", "f").error().message.find("line 2"), std::string::npos);
  EXPECT_FALSE(parse_config("[::1]", "f"));
}

TEST_F(SettingsTest, the_file_has_numbers_texts_and_arrays) {
  write_file(
      "endpoints = ['https://a.test/x', 'https://b.test/y']\nretry_base_seconds = 0.5\n"
      "allow_targets = 'https://127.0.0.0/8,http://127.0.0.0/8'\nretry_schedule = ['5m', '1h']\n"
      "retryable_statuses = [408, '!501']\nmax_body_bytes = 4096");
  const auto settings = resolve(Command::serve);
  ASSERT_TRUE(settings) << settings.error().message;
  EXPECT_EQ(settings->list(Setting::endpoint).size(), 2U);
  EXPECT_EQ(settings->duration(Setting::retry_base), milliseconds{500});
  EXPECT_EQ(settings->list(Setting::allow_target).size(), 2U);
  EXPECT_EQ(settings->durations(Setting::retry_schedule),
            (std::vector<seconds>{seconds{300}, seconds{3600}}));
  EXPECT_EQ(settings->statuses(Setting::retryable_statuses).not_retryable, std::vector<int>{501});
  EXPECT_EQ(settings->whole(Setting::max_body_bytes), 4096);
}

TEST_F(SettingsTest, a_flag_given_twice_is_refused_unless_it_is_a_list) {
  give(Setting::endpoint, {"https://a.test/x", "https://b.test/y"});
  EXPECT_EQ(resolve()->list(Setting::endpoint).size(), 2U);
  give(Setting::max_retries, {"1", "2"});
  EXPECT_EQ(refusal(), "--max-retries: is given 2 times (give it once)");
}

TEST_F(SettingsTest, pairs_that_contradict_themselves_are_refused) {
  variables = {{"RETRY_BASE_SECONDS", "61"}};
  EXPECT_NE(message_of(serve()).find("RETRY_BASE_SECONDS: is longer than RETRY_MAX_SECONDS"),
            std::string::npos);
  variables = {{"DISPATCHER_TLS_CERT", "c.pem"}};
  EXPECT_NE(message_of(serve()).find("is set without --tls-key"), std::string::npos);
  variables = {{"ENDPOINT_CONCURRENCY", "2000"}, {"MAX_CONCURRENCY", "100"}};
  EXPECT_NE(message_of(serve()).find("ENDPOINT_CONCURRENCY: is more than MAX_CONCURRENCY, which "
                                     "is 100 (lower the one or raise the other)"),
            std::string::npos);
  variables = {{"ENDPOINT_CONCURRENCY", "2000"}};
  EXPECT_NE(message_of(serve()).find("which is 1024"), std::string::npos) << "said or not";
}

TEST_F(SettingsTest, few_requests_in_all_are_few_to_one_endpoint_of_which_nothing_is_said) {
  variables = {{"MAX_CONCURRENCY", "10"}};
  EXPECT_EQ(serve()->delivery.endpoint_concurrency, 10);
  variables = {{"ENDPOINT_CONCURRENCY", "10"}, {"MAX_CONCURRENCY", "10"}};
  EXPECT_EQ(serve()->delivery.endpoint_concurrency, 10);
}

TEST_F(SettingsTest, what_is_not_supported_yet_is_refused_and_not_ignored) {
  give(Setting::store, {"dynamodb"});
  EXPECT_NE(message_of(serve()).find("--store: dynamodb is not supported"), std::string::npos);
}

TEST_F(SettingsTest, the_secret_is_where_the_settings_say) {
  EXPECT_EQ(serve()->secret.file, "./data/secrets.json");
  EXPECT_TRUE(serve()->secret.is_made_if_absent);
  variables = {{"SECRET_ARN", "arn:aws:x"}, {"AWS_REGION", "us-east-2"}};
  EXPECT_EQ(serve()->secret.arn, "arn:aws:x");
  EXPECT_EQ(serve()->secret.aws_region, "us-east-2");
  EXPECT_EQ(serve()->secret.file, "");
  EXPECT_FALSE(serve()->secret.is_made_if_absent);
  variables["SECRETS_FILE"] = "s.json";
  EXPECT_EQ(serve()->secret.arn, "");
  EXPECT_EQ(serve()->secret.file, "s.json");
}

TEST_F(SettingsTest, a_secret_value_is_never_in_a_message) {
  give(Setting::endpoint, {"https://a.test/x", "ftp://hunter2"});
  variables["API_BASE_URL"] = "https://api.test";
  const std::string message = message_of(run());
  EXPECT_NE(message.find("--endpoint: is not an http or https URL"), std::string::npos) << message;
  EXPECT_EQ(message.find("hunter2"), std::string::npos);
}

TEST_F(SettingsTest, serve_has_its_documented_defaults) {
  const auto config = serve();
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->listen.text(), "127.0.0.1:8080");
  EXPECT_EQ(config->data_dir, "./data");
  EXPECT_EQ(config->secret.file, "./data/secrets.json");
  EXPECT_TRUE(config->secret.is_made_if_absent);
  EXPECT_EQ(config->delivery.max_in_flight, 1024U);
  EXPECT_EQ(config->delivery.endpoint_concurrency, 64);
  EXPECT_EQ(config->delivery.retry.retries, 3);
  EXPECT_EQ(config->delivery.retry.base, seconds{1});
  EXPECT_EQ(config->delivery.retry.max, seconds{60});
  EXPECT_EQ(config->delivery.retry.schedule, RetryPolicy::default_schedule());
  EXPECT_EQ(config->delivery.request_timeout, seconds{30});
  EXPECT_EQ(config->max_body_bytes, 1024U * 1024U);
  EXPECT_EQ(config->retention.keep_done, std::chrono::days{90});
  EXPECT_FALSE(config->pass_interval);
  EXPECT_TRUE(config->warnings.empty());
}

TEST_F(SettingsTest, listening_beyond_loopback_without_tls_is_warned_of) {
  give(Setting::listen, {"0.0.0.0:8080"});
  EXPECT_EQ(serve()->warnings.size(), 1U);
  give(Setting::tls_cert, {"c.pem"});
  give(Setting::tls_key, {"k.pem"});
  EXPECT_TRUE(serve()->warnings.empty());
}

TEST_F(SettingsTest, listen_takes_addresses_and_ports) {
  for (const auto* good : {"127.0.0.1:8080", "0.0.0.0:0", "[::1]:443", "localhost:65535"}) {
    EXPECT_TRUE(parse_listen_address(good)) << good;
  }
  for (const auto* bad :
       {"", "8080", ":8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1",
        "127.0.0.1:80x", "::1:80", "[127.0.0.1]:80", "example.com:80", "256.0.0.1:80"}) {
    EXPECT_FALSE(parse_listen_address(bad)) << bad;
  }
  EXPECT_EQ(parse_listen_address("[::1]:443")->text(), "[::1]:443");
  EXPECT_FALSE(parse_listen_address("0.0.0.0:1")->is_loopback());
}

TEST_F(SettingsTest, a_schedule_is_realtime_or_an_interval) {
  give(Setting::schedule, {"5m"});
  EXPECT_EQ(serve()->pass_interval, std::optional<microseconds>{seconds{300}});
  give(Setting::schedule, {"hourly"});
  EXPECT_NE(message_of(serve()).find("--schedule: \"hourly\" is neither realtime nor a duration"),
            std::string::npos);
}

TEST_F(SettingsTest, a_service_is_found_by_flag_then_variable_then_the_data_directory) {
  give(Setting::data, {directory});
  EXPECT_NE(message_of(run()).find("API_BASE_URL: is not set"), std::string::npos);
  std::ofstream{directory + "/address"} << "http://127.0.0.1:7777\n";
  EXPECT_EQ(run()->api.display(), "http://127.0.0.1:7777");
  variables["API_BASE_URL"] = "https://api.test/stage/";
  EXPECT_EQ(run()->api.display(), "https://api.test");
  EXPECT_EQ(run()->api.target, "/stage");
  give(Setting::api, {"https://other.test"});
  EXPECT_EQ(run()->api.host, "other.test");
  EXPECT_EQ(run()->api.target, "");
  give(Setting::api, {"https://user:hunter2@other.test"});
  EXPECT_NE(message_of(run()).find("--api: is not the base"), std::string::npos);
  EXPECT_EQ(message_of(run()).find("hunter2"), std::string::npos);
}

TEST(setting_table, has_one_meaning_for_each_name) {
  for (const SettingRow& row : setting_table()) {
    for (const SettingRow& other : setting_table()) {
      if (row.setting == other.setting) {
        continue;
      }
      EXPECT_TRUE(row.variable.empty() || row.variable != other.variable) << row.variable;
      EXPECT_TRUE(row.key.empty() || row.key != other.key) << row.key;
      EXPECT_TRUE(row.flag.empty() || row.flag != other.flag ||
                  (row.commands & other.commands) == 0)
          << row.flag;
    }
  }
}

TEST(setting_table, every_default_is_valid) {
  for (const SettingRow& row : setting_table()) {
    if (!row.fallback.empty()) {
      EXPECT_TRUE(read_setting(row, row.flag, row.fallback)) << row.flag;
    }
  }
}

}  // namespace
}  // namespace dispatcher
