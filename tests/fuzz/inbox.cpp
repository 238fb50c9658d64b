// Promise: what a Triggers API answers is read or refused; an event that is read has the payload's
// own bytes, which are a JSON object.
#include "adapters/http_inbox/inbox_messages.hpp"

#include "base/bytes.hpp"
#include "base/json_scanner.hpp"
#include "fuzz/fuzz_target.hpp"

namespace dispatcher::fuzz {
namespace {

void check(std::string_view input) {
  const auto page = parse_inbox(input);
  if (page) {
    for (const InboxEvent& one : page->events) {
      const std::string& payload = one.event->payload;
      promise(input.find(payload) != std::string_view::npos, "a payload is the answer's own bytes");
      const JsonScan scan = scan_json(payload);
      const auto* value = std::get_if<JsonValue>(&scan);
      promise(value != nullptr && value->kind == JsonKind::object, "a payload is a JSON object");
      promise(is_valid_utf8(one.event->type) && is_valid_utf8(one.event->source),
              "a type and a source are UTF-8");
    }
  }
  (void)parse_deliveries(input);
  if (const auto leased = parse_renewed(input)) {
    const std::string again = renew_json(*leased, 60);
    promise(std::holds_alternative<JsonValue>(scan_json(again)), "a renewal is JSON");
  }
}

const Registration kTarget{"inbox", check};

}  // namespace
}  // namespace dispatcher::fuzz
