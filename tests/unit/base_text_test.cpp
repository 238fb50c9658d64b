// Promises checked: what is written as JSON is JSON, whatever is in it; a log line is one line, is
// valid JSON where it says so, and has its fields cut at the limit.
#include "base/json_text.hpp"
#include "base/log.hpp"

#include <gtest/gtest.h>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace dispatcher {
namespace {

using namespace std::string_view_literals;

std::string json_string(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

TEST(JsonText, only_what_json_demands_is_escaped) {
  struct Case {
    std::string_view text;
    std::string_view json;
  };
  const std::vector<Case> cases{
      {"", R"("")"},
      {"plain", R"("plain")"},
      {"\"quoted\"", R"("\"quoted\"")"},
      {"back\\slash", R"("back\\slash")"},
      {"a/b", R"("a/b")"},
      {"\b\f\n\r\t", R"("\b\f\n\r\t")"},
      {"\0\x01\x1f\x7f"sv, "\"\\u0000\\u0001\\u001f\x7f\""},
      {"€ 💶", "\"€ 💶\""},
      {"\"", R"("\"")"},
      {"ends\\", R"("ends\\")"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(json_string(c.text), c.json);
    EXPECT_EQ(boost::json::parse(json_string(c.text)).as_string(), c.text);
  }
}

TEST(JsonText, an_absent_string_is_null) {
  std::string out;
  append_json_string_or_null(out, std::optional<std::string>{});
  append_json_string_or_null(out, std::optional<std::string>{"x"});
  EXPECT_EQ(out, R"(null"x")");
}

struct Lines {
  std::vector<std::string> all;
  Log log(LogLevel threshold, LogFormat format) {
    return Log{threshold, format, [this](std::string_view line) { all.emplace_back(line); }};
  }
};

boost::json::object only_json_line(const Lines& lines) {
  EXPECT_EQ(lines.all.size(), 1U);
  return boost::json::parse(lines.all.at(0)).as_object();
}

TEST(Log, a_json_line_has_time_level_message_and_the_fields) {
  Lines lines;
  lines.log(LogLevel::info, LogFormat::json)
      .warning("something happened", {{"text", "a \"b\"\n"},
                                      {"whole", std::int64_t{-7}},
                                      {"size", std::size_t{7}},
                                      {"real", 1.5},
                                      {"flag", true}});
  const auto line = only_json_line(lines);
  EXPECT_EQ(line.size(), 8U);
  EXPECT_EQ(line.at("time").as_string().size(), 27U);
  EXPECT_EQ(line.at("level").as_string(), "warning");
  EXPECT_EQ(line.at("message").as_string(), "something happened");
  EXPECT_EQ(line.at("text").as_string(), "a \"b\"\n");
  EXPECT_EQ(line.at("whole").as_int64(), -7);
  EXPECT_EQ(line.at("size").as_int64(), 7);
  EXPECT_EQ(line.at("real").as_double(), 1.5);
  EXPECT_EQ(line.at("flag").as_bool(), true);
}

TEST(Log, a_field_of_the_log_itself_is_on_each_of_its_lines_and_on_no_other_logs) {
  Lines lines;
  const Log plain = lines.log(LogLevel::info, LogFormat::json);
  const Log of_run = plain.with("request_id", "a \"b\"").with("run", "7");
  of_run.info("m", {{"own", 1}});
  const auto line = only_json_line(lines);
  EXPECT_EQ(line.at("request_id").as_string(), "a \"b\"");
  EXPECT_EQ(line.at("run").as_string(), "7");
  EXPECT_EQ(line.at("own").as_int64(), 1);
  lines.all.clear();
  plain.info("m");
  EXPECT_FALSE(only_json_line(lines).contains("request_id"));
}

TEST(Log, any_bytes_in_a_field_still_make_a_json_line) {
  const std::vector<std::string> hostile{std::string{"\0\x01\x1b[31m"sv},
                                         "\xff\xfe",
                                         "\xe2\x82",
                                         "a\nb\r\n{\"level\":\"error\"}",
                                         std::string(5000, '"'),
                                         std::string(5000, '\xff')};
  for (const std::string& text : hostile) {
    Lines lines;
    lines.log(LogLevel::debug, LogFormat::json).debug(text, {{"field", text}});
    const auto line = only_json_line(lines);
    EXPECT_EQ(line.size(), 4U);
    EXPECT_EQ(lines.all[0].find('\n'), std::string::npos);
  }
}

TEST(Log, a_number_that_json_cannot_hold_is_null) {
  for (const double number :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(),
        -std::numeric_limits<double>::infinity()}) {
    Lines lines;
    lines.log(LogLevel::info, LogFormat::json).info("m", {{"number", number}});
    EXPECT_TRUE(only_json_line(lines).at("number").is_null());
  }
}

TEST(Log, a_long_field_is_cut_between_characters_and_says_so) {
  const std::size_t limit = Log::kMaxFieldBytes;
  struct Case {
    std::string text;
    std::string shown;
  };
  const std::vector<Case> cases{
      {std::string(limit, 'a'), std::string(limit, 'a')},
      {std::string(limit + 1, 'a'), std::string(limit, 'a') + "…"},
      {std::string(limit - 1, 'a') + "é", std::string(limit - 1, 'a') + "…"},
      {std::string(limit - 2, 'a') + "éb", std::string(limit - 2, 'a') + "é…"},
      {std::string(limit - 2, 'a') + "💶", std::string(limit - 2, 'a') + "…"},
      {std::string(3 * limit, '\x80'), "…"},
  };
  for (const Case& c : cases) {
    Lines lines;
    lines.log(LogLevel::info, LogFormat::json).info("m", {{"field", c.text}});
    EXPECT_EQ(only_json_line(lines).at("field").as_string(), c.shown);
  }
}

TEST(Log, a_text_line_is_one_line) {
  Lines lines;
  lines.log(LogLevel::info, LogFormat::text)
      .error("cannot\nopen \x1b[2Jit", {{"path", "a\nb"}, {"count", 3}});
  ASSERT_EQ(lines.all.size(), 1U);
  EXPECT_EQ(lines.all[0].substr(27), " error   cannot open  [2Jit path=\"a\\nb\" count=3");
}

TEST(Log, what_is_below_the_threshold_is_not_written) {
  struct Case {
    LogLevel threshold;
    std::size_t lines;
  };
  for (const Case& c : std::vector<Case>{{LogLevel::debug, 4},
                                         {LogLevel::info, 3},
                                         {LogLevel::warning, 2},
                                         {LogLevel::error, 1}}) {
    Lines lines;
    const Log log = lines.log(c.threshold, LogFormat::text);
    log.debug("d");
    log.info("i");
    log.warning("w");
    log.error("e");
    EXPECT_EQ(lines.all.size(), c.lines) << to_string(c.threshold);
  }
}

}  // namespace
}  // namespace dispatcher
