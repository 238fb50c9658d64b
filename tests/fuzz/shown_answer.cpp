// Promise: whatever a service or a receiver answers, what the commands show of it cannot steer the
// terminal, and does not show a webhook's path unless that is asked for.
#include "hosts/answer_tables.hpp"
#include "hosts/test_exchange_text.hpp"

#include "fuzz/fuzz_target.hpp"
#include "model/webhook_url.hpp"

#include <array>
#include <string>

namespace dispatcher::fuzz {
namespace {

constexpr std::array kColumns{Column{"ID", "id"}, Column{"TYPE", "type"},
                              Column{"WAITING", "stats.waiting"}, Column{"TYPES", "types"}};

void check_text(std::string_view text) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto byte = static_cast<unsigned char>(text[at]);
    promise((byte >= 0x20 || byte == '\n' || byte == '\t') && byte != 0x7F,
            "a control character is not shown");
    const bool is_c1 =
        byte == 0xC2 && at + 1 < text.size() && static_cast<unsigned char>(text[at + 1]) < 0xA0;
    promise(!is_c1, "a control character of C1 is not shown");
  }
}

void check(std::string_view input) {
  check_text(fields_text(input, kColumns));
  check_text(objects_text(member(input, "items"), kColumns));
  const std::string hidden = test_exchange_text(input, false);
  check_text(hidden);
  check_text(test_exchange_text(input, true));
  const auto request = member(input, "request");
  const auto url = request ? parse_webhook_url(text_member(request->raw, "url")) : std::nullopt;
  if (url) {
    const std::string line = hidden.substr(0, hidden.find('\n'));
    promise(line == "> POST " + url->display(), "a path is not shown");
  }
  (void)is_test_delivered(input);
}

const Registration kTarget{"shown_answer", check};

}  // namespace
}  // namespace dispatcher::fuzz
