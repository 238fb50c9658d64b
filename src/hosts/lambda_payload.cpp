#include "hosts/lambda_payload.hpp"

#include "base/json_scanner.hpp"
#include "base/json_text.hpp"
#include "hosts/settings_table.hpp"
#include "model/delivery.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>

namespace dispatcher {
namespace {

Error invalid(std::string message) {
  return make_error(ErrorKind::invalid, "the payload's " + std::move(message));
}

bool is_kind(const JsonField& field, JsonKind kind) {
  return field.value && field.value->kind == kind;
}

// A member that is null asks for nothing.
bool is_there(const JsonField& field) {
  return field.value && field.value->kind != JsonKind::null;
}

bool is_stream_batch(const JsonField& records) {
  if (!is_kind(records, JsonKind::array)) {
    return false;
  }
  const auto first = JsonElements{*records.value}.next();
  if (!first || first->kind != JsonKind::object) {
    return false;
  }
  std::array fields{JsonField{"eventSource"}};
  (void)scan_json(first->raw, fields);  // accepted already, as part of the payload
  return is_kind(fields[0], JsonKind::string) &&
         decode_json_string(*fields[0].value) == "aws:dynamodb";
}

Result<std::int64_t> read_max_events(const JsonField& field) {
  const SettingRow& limits = row_of(Setting::max_events);
  std::int64_t number = 0;
  const std::string_view raw = field.value->raw;
  const auto read = std::from_chars(raw.data(), raw.data() + raw.size(), number);
  const bool is_whole = read.ec == std::errc{} && read.ptr == raw.data() + raw.size();
  if (!is_whole || number < limits.min || number > limits.max) {
    return invalid(
        fmt::format("max_events is not a whole number from {} to {}", limits.min, limits.max));
  }
  return number;
}

Result<LambdaOrder> read_release(const JsonField& release) {
  std::array fields{JsonField{"reason"}};
  if (release.value->kind == JsonKind::object) {
    (void)scan_json(release.value->raw, fields);  // accepted already, as part of the payload
  }
  const auto reason =
      is_kind(fields[0], JsonKind::string) ? decode_json_string(*fields[0].value) : std::nullopt;
  if (!reason || !parse_review_reason(*reason)) {
    return invalid(
        "release has no reason (give {\"release\":{\"reason\":…}} with one of rejected, "
        "redirected, blocked, exhausted)");
  }
  return LambdaOrder{ReleaseOrder{*reason}};
}

}  // namespace

Result<LambdaOrder> read_order(std::string_view payload) {
  std::array fields{JsonField{"Records"}, JsonField{"release"}, JsonField{"max_events"},
                    JsonField{"dry_run"}};
  const auto& [records, release, max_events, dry_run] = fields;
  if (std::holds_alternative<JsonFault>(scan_json(payload, fields))) {
    return LambdaOrder{RunOrder{}};
  }
  if (is_stream_batch(records)) {
    return LambdaOrder{StreamOrder{}};
  }
  if (is_there(release)) {
    return read_release(release);
  }
  RunOrder order;
  if (is_there(max_events)) {
    const auto number = read_max_events(max_events);
    if (!number) {
      return number.error();
    }
    order.max_events = *number;
  }
  if (is_there(dry_run)) {
    if (!is_kind(dry_run, JsonKind::boolean)) {
      return invalid("dry_run is neither true nor false");
    }
    order.is_dry_run = dry_run.value->raw == "true";
  }
  return LambdaOrder{order};
}

std::string function_answer(std::string_view body) {
  std::string answer = R"({"statusCode":200,"body":)";
  append_json_string(answer, body);
  return answer + "}";
}

}  // namespace dispatcher
