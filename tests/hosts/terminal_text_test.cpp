// Promise: what others wrote is shown as text: it cannot steer the terminal, nor break out of its
// line.
#include "hosts/terminal_text.hpp"

#include "hosts/text_table.hpp"

#include <gtest/gtest.h>

namespace dispatcher {
namespace {

TEST(TerminalText, control_characters_are_shown_as_question_marks) {
  EXPECT_EQ(without_controls("a\x1b[31m\r\n\tb\x7f"), "a?[31m???b?");
  EXPECT_EQ(without_controls(std::string_view{"a\0b", 3}), "a?b");
  EXPECT_EQ(without_controls("a\r\n\tb\x07", "\r\n\t"), "a\r\n\tb?");
  EXPECT_EQ(without_controls("a\u009b31m\u0085b"), "a?31m?b") << "of C1 too";
}

TEST(TerminalText, all_other_characters_stay) {
  for (const std::string_view text : {"", "plain", "\u00a0\u00e9\u00c2", "日本語 😀", "\xC2"}) {
    EXPECT_EQ(without_controls(text), text);
  }
}

TEST(TextTable, columns_stay_aligned_behind_what_is_not_shown) {
  EXPECT_EQ(text_table({{"a\u009b", "b"}, {"xyz", "c\n"}}), "a?   b\nxyz  c?\n");
}

}  // namespace
}  // namespace dispatcher
