// Promise: whatever a request's body holds, it is either read, with its payload byte for byte, or
// refused with a 4xx whose own body is JSON. The first line is the content type.
#include "api/request_body.hpp"

#include "api/answers.hpp"
#include "base/bytes.hpp"
#include "fuzz/fuzz_target.hpp"

#include <array>
#include <limits>

namespace dispatcher::fuzz {
namespace {

void check_refusal(const ServerAnswer& answer) {
  promise(answer.status >= 400 && answer.status < 500, "a bad body is the client's fault");
  std::array fields{JsonField{"detail"}};
  promise(std::holds_alternative<JsonValue>(scan_json(answer.body, fields)) && fields[0].value,
          "a refusal is JSON with a detail");
}

void read_fields(JsonValue object, std::span<JsonField> fields, const ApiRequest& request,
                 Faults& faults) {
  constexpr auto kLeast = std::numeric_limits<std::int64_t>::min();
  constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
  ObjectReader reader{{"body"}, object, faults};
  const auto type = reader.text(fields[0]);
  promise(!type || is_valid_utf8(*type), "a text is UTF-8");
  const auto payload = reader.object(fields[1]);
  if (payload) {
    const std::string_view body = request.body;
    promise(payload->data() >= body.data() &&
                payload->data() + payload->size() <= body.data() + body.size() &&
                payload->starts_with('{') && payload->ends_with('}'),
            "a payload is an object inside the body");
    promise(std::holds_alternative<JsonValue>(scan_json(*payload)), "a payload is JSON");
  }
  (void)reader.optional_integer(fields[2], kLeast, kMost);
  const auto limit = reader.integer(fields[2], 1, 1000);
  promise(!limit || (*limit >= 1 && *limit <= 1000), "a number is within its range");
  const auto number = reader.optional_number(fields[2], 0.5, 10.5);
  promise(!number || (*number >= 0.5 && *number <= 10.5), "a fraction is within its range");
  const auto ids = reader.texts(fields[3]);
  promise(!ids || ids->size() <= kMaxItems, "a list is within its limit");
  (void)reader.optional_texts(fields[3]);
  (void)reader.optional_list(fields[3], 10);
  (void)reader.optional_text(fields[4]);
}

void check(std::string_view input) {
  ApiRequest request;
  const std::string_view content_type = take_line(input);
  if (!content_type.empty()) {
    request.head.headers.push_back({"Content-Type", std::string{content_type}});
  }
  request.body = input;
  std::array fields{JsonField{"type"}, JsonField{"payload"}, JsonField{"limit"}, JsonField{"ids"},
                    JsonField{"note"}};
  const BodyRead body = read_json_body(request, fields);
  if (body.kind == BodyRead::Kind::refused) {
    check_refusal(*body.refusal);
    return;
  }
  Faults faults;
  if (expect_object(body, request, faults)) {
    read_fields(body.json, fields, request, faults);
  }
  if (!faults.empty()) {
    check_refusal(faults_answer(faults));
  }
}

const Registration kTarget{"request_body", check};

}  // namespace
}  // namespace dispatcher::fuzz
