#include "hosts/lambda_payload.hpp"

#include "base/ids.hpp"
#include "base/json_scanner.hpp"
#include "base/json_text.hpp"
#include "hosts/settings_table.hpp"

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

// The text of a member that is a string.
std::string text_of(const JsonField& field) {
  return is_kind(field, JsonKind::string) ? decode_json_string(*field.value).value_or("") : "";
}

// The members of one that is an object; nothing of anything else.
template <std::size_t N>
std::array<JsonField, N> members_of(const JsonField& field, std::array<JsonField, N> wanted) {
  if (is_kind(field, JsonKind::object)) {
    (void)scan_json(field.value->raw, wanted);  // accepted already, as part of the payload
  }
  return wanted;
}

// `{"S":"…"}`
std::string attribute_text(const JsonField& attribute) {
  return text_of(members_of(attribute, std::array{JsonField{"S"}})[0]);
}

// What DynamoDB itself removes, because its time is over, it says so of.
bool is_expiry(const JsonField& identity, const JsonField& old_image) {
  const auto principal = members_of(identity, std::array{JsonField{"principalId"}});
  const auto image = members_of(old_image, std::array{JsonField{"status"}});
  return text_of(principal[0]) == "dynamodb.amazonaws.com" && attribute_text(image[0]) == "pending";
}

void read_record(const JsonValue& record, StreamOrder& order) {
  const auto [name, change, identity] = members_of(
      JsonField{"", record},
      std::array{JsonField{"eventName"}, JsonField{"dynamodb"}, JsonField{"userIdentity"}});
  const auto [keys, number, old_image] = members_of(
      change, std::array{JsonField{"Keys"}, JsonField{"SequenceNumber"}, JsonField{"OldImage"}});
  if (text_of(name) == "REMOVE") {
    order.expired += is_expiry(identity, old_image) ? 1 : 0;
    return;
  }
  if (text_of(name) != "INSERT") {
    return;  // our own updates come back too
  }
  const auto [id, created_at] =
      members_of(keys, std::array{JsonField{"id"}, JsonField{"created_at"}});
  EventKey key{attribute_text(id), attribute_text(created_at)};
  if (!parse_uuid(key.id) || !parse_timestamp(key.created_at) || text_of(number).empty()) {
    ++order.unreadable;
    return;
  }
  order.inserted.push_back({std::move(key), text_of(number)});
}

StreamOrder read_stream(const JsonField& records) {
  StreamOrder order;
  JsonElements elements{*records.value};
  while (const auto record = elements.next()) {
    read_record(*record, order);
  }
  return order;
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
  const auto reason = parse_review_reason(text_of(fields[0]));
  if (!reason) {
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
    return LambdaOrder{read_stream(records)};
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

std::string stream_answer(const std::vector<std::string>& sequence_numbers) {
  std::string answer = R"({"batchItemFailures":[)";
  for (const std::string& number : sequence_numbers) {
    answer += &number == &sequence_numbers.front() ? "" : ",";
    answer += R"({"itemIdentifier":)";
    append_json_string(answer, number);
    answer += '}';
  }
  return answer + "]}";
}

std::string function_answer(std::string_view body) {
  std::string answer = R"({"statusCode":200,"body":)";
  append_json_string(answer, body);
  return answer + "}";
}

}  // namespace dispatcher
