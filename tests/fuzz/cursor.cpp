// Promise: a cursor is taken only when it is one that we wrote, for the direction that it was
// written for.
#include "api/cursor.hpp"

#include "base/bytes.hpp"
#include "fuzz/fuzz_target.hpp"

namespace dispatcher::fuzz {
namespace {

void check_text(std::string_view text) {
  for (const bool newest_first : {false, true}) {
    const auto position = decode_cursor(text, newest_first);
    if (position) {
      promise(encode_cursor(*position, newest_first) == text, "a cursor taken is one of ours");
      promise(!decode_cursor(text, !newest_first), "a cursor belongs to one direction");
    }
  }
}

void check(std::string_view input) {
  check_text(input);
  check_text(to_base64url(input));  // so that inputs need not learn base64
}

const Registration kTarget{"cursor", check};

}  // namespace
}  // namespace dispatcher::fuzz
