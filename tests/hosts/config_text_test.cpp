// Promise: a config file's texts may hold any character, which comes out as it was; one that is not
// UTF-8, or has such a character elsewhere, is refused by name and line.
#include "hosts/config_file.hpp"

#include <gtest/gtest.h>

namespace dispatcher {
namespace {

std::string data_of(std::string_view content) {
  const auto read = parse_config(content, "f.toml");
  return read ? read->at(Setting::data).at(0) : "error: " + read.error().message;
}

TEST(config_text, a_text_may_hold_any_character) {
  EXPECT_EQ(data_of("data = \"d\u00e9j\u00e0 \U0001F600\"  # \u00e9t\u00e9\n"),
            "d\u00e9j\u00e0 \U0001F600");
  EXPECT_EQ(data_of("data = '\u00e9\\'\n"), "\u00e9\\");
  EXPECT_EQ(data_of("data = \"\"\"\u00e9\n\u00e8\"\"\"\n"), "\u00e9\n\u00e8");
  EXPECT_EQ(data_of("\xEF\xBB\xBF"
                    "data = \"x\"\n"),
            "x");
}

TEST(config_text, what_looks_as_if_it_had_been_written_for_another_stays) {
  EXPECT_EQ(data_of("data = \"qzc3qza9 q0zc3 qqz \u00e9 qz\"\n"), "qzc3qza9 q0zc3 qqz \u00e9 qz");
}

TEST(config_text, a_fault_is_named_in_the_file_s_own_words) {
  EXPECT_NE(data_of("\"\u00e9\" = 1\n").find("line 1: \u00e9 is no setting"), std::string::npos);
  EXPECT_NE(data_of("\n\u00e9 = 1\n").find("line 2: only a text in quotes"), std::string::npos);
  EXPECT_NE(data_of("data = \"\xC3\"\n").find("is not UTF-8"), std::string::npos);
  EXPECT_NE(data_of("data = \"\\\u00e9\"\n").find("line 1"), std::string::npos);
}

}  // namespace
}  // namespace dispatcher
