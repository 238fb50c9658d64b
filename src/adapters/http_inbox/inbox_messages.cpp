#include "adapters/http_inbox/inbox_messages.hpp"

#include "base/json_scanner.hpp"
#include "base/json_text.hpp"

#include <array>
#include <charconv>
#include <cmath>

namespace dispatcher {
namespace {

// The API takes no more in one report.
constexpr std::size_t kMaxReportedAttempts = 100;
// Of answers' bodies in one report: well below the smallest limit of an API's request bodies, with
// every byte escaped.
constexpr std::size_t kMaxReportedBodyBytes = 128 * 1024;

std::optional<std::string> text_of(const JsonField& field) {
  if (!field.value || field.value->kind != JsonKind::string) {
    return std::nullopt;
  }
  return decode_json_string(*field.value);
}

std::int64_t whole_of(const JsonField& field) {
  std::int64_t number = 0;
  if (field.value && field.value->kind == JsonKind::number) {
    const auto raw = field.value->raw;
    (void)std::from_chars(raw.data(), raw.data() + raw.size(), number);  // else it stays 0
  }
  return number;
}

// The elements of the field's array, each an object's text.
template <class Visit>
void each_object(const std::optional<JsonValue>& array, Visit visit) {
  if (!array || array->kind != JsonKind::array) {
    return;
  }
  JsonElements elements{*array};
  while (const auto element = elements.next()) {
    visit(*element);
  }
}

std::optional<InboxEvent> parse_event(JsonValue value) {
  std::array fields{JsonField{"id"},      JsonField{"type"},       JsonField{"source"},
                    JsonField{"payload"}, JsonField{"created_at"}, JsonField{"delivery_attempts"}};
  if (value.kind != JsonKind::object ||
      !std::holds_alternative<JsonValue>(scan_json(value.raw, fields))) {
    return std::nullopt;
  }
  const auto id_text = text_of(fields[0]);
  const auto id = id_text ? parse_uuid(*id_text) : std::nullopt;
  auto type = text_of(fields[1]);
  auto source = text_of(fields[2]);
  const auto created_text = text_of(fields[4]);
  const auto created_at = created_text ? parse_timestamp(*created_text) : std::nullopt;
  const bool has_payload = fields[3].value && fields[3].value->kind == JsonKind::object;
  if (!id || !type || !source || !created_at || !has_payload) {
    return std::nullopt;
  }
  Event event;
  event.id = *id;
  event.type = std::move(*type);
  event.source = std::move(*source);
  event.payload = fields[3].value->raw;
  event.created_at = *created_at;
  return InboxEvent{std::make_shared<const Event>(std::move(event)), whole_of(fields[5])};
}

void append_attempt(std::string& out, const Attempt& attempt, bool with_body) {
  out += R"({"number":)" + std::to_string(attempt.number);
  out += R"(,"endpoint_id":)";
  append_json_string(out, attempt.endpoint_id);
  out += R"(,"started_at":")";
  append_timestamp(out, attempt.started_at);
  out += R"(","duration_ms":)" + std::to_string(attempt.duration.count());
  out += R"(,"outcome":")";
  out += to_string(attempt.outcome);
  out += R"(","status":)";
  out += attempt.status ? std::to_string(*attempt.status) : "null";
  out += R"(,"error":)";
  append_json_string_or_null(out, attempt.error);
  out += R"(,"response_body":)";
  // What is not UTF-8 has no place in JSON.
  const bool is_shown = with_body && is_valid_utf8(attempt.response_body);
  append_json_string(out, is_shown ? std::string_view{attempt.response_body} : std::string_view{});
  out += R"(,"remote_address":)";
  append_json_string(out, attempt.remote_address);
  out += "}";
}

void append_attempts(std::string& out, const std::vector<Attempt>& attempts) {
  std::size_t body_bytes = 0;
  const std::size_t first =
      attempts.size() > kMaxReportedAttempts ? attempts.size() - kMaxReportedAttempts : 0;
  for (std::size_t i = first; i < attempts.size(); ++i) {
    body_bytes += attempts[i].response_body.size();
    out += i == first ? "" : ",";
    append_attempt(out, attempts[i], body_bytes <= kMaxReportedBodyBytes);
  }
}

// Opens the object, or goes on with it.
void append_name(std::string& out, std::string_view name) {
  out += out == "{" ? "\"" : ",\"";
  out += name;
  out += "\":";
}

}  // namespace

Result<InboxPage> parse_inbox(std::string_view body) {
  const JsonScan scan = scan_json(body);
  const auto* array = std::get_if<JsonValue>(&scan);
  if (array == nullptr || array->kind != JsonKind::array) {
    return make_error(ErrorKind::invalid, "the answer is not a JSON array");
  }
  InboxPage page;
  each_object(*array, [&](JsonValue element) {
    auto event = parse_event(element);
    if (event) {
      page.events.push_back(std::move(*event));
    } else {
      ++page.unreadable;
    }
  });
  return page;
}

std::optional<std::vector<EventId>> parse_renewed(std::string_view body) {
  std::array fields{JsonField{"items"}};
  if (!std::holds_alternative<JsonValue>(scan_json(body, fields)) || !fields[0].value) {
    return std::nullopt;
  }
  std::vector<EventId> leased;
  each_object(fields[0].value, [&](JsonValue element) {
    std::array item{JsonField{"id"}, JsonField{"leased"}};
    (void)scan_json(element.raw, item);  // accepted already, as part of the body
    const auto text = text_of(item[0]);
    const auto id = text ? parse_uuid(*text) : std::nullopt;
    if (id && item[1].value && item[1].value->raw == "true") {
      leased.push_back(*id);
    }
  });
  return leased;
}

std::vector<KnownDelivery> parse_deliveries(std::string_view body) {
  std::array fields{JsonField{"deliveries"}, JsonField{"releases"}};
  (void)scan_json(body, fields);  // what cannot be read has no deliveries
  bool was_released = false;
  each_object(fields[1].value, [&](JsonValue /*release*/) { was_released = true; });
  std::vector<KnownDelivery> deliveries;
  each_object(fields[0].value, [&](JsonValue element) {
    std::array item{JsonField{"endpoint_id"}, JsonField{"state"}, JsonField{"attempts"}};
    (void)scan_json(element.raw, item);
    const auto endpoint_id = text_of(item[0]);
    if (endpoint_id) {
      const auto state = text_of(item[1]);
      deliveries.push_back({*endpoint_id, state == "delivered", whole_of(item[2]),
                            state == "review" && !was_released, was_released});
    }
  });
  return deliveries;
}

std::string renew_json(const std::vector<EventId>& ids, std::int64_t lease_seconds) {
  std::string out = R"({"ids":[)";
  for (const EventId& id : ids) {
    out += out.ends_with('[') ? "\"" : ",\"";
    append_uuid(out, id);
    out += "\"";
  }
  out += R"(],"lease_seconds":)" + std::to_string(lease_seconds) + "}";
  return out;
}

std::string nack_json(const NackRequest& request) {
  std::string out = "{";
  if (request.error) {
    append_name(out, "error");
    append_json_string(out, *request.error);
  }
  if (request.reason) {
    append_name(out, "reason");
    append_json_string(out, to_string(*request.reason));
  }
  if (request.retry_after) {
    // Rounded up: never earlier than it was asked for.
    append_name(out, "retry_after_seconds");
    out += std::to_string(std::chrono::ceil<std::chrono::seconds>(*request.retry_after).count());
  }
  if (!request.attempts.empty()) {
    append_name(out, "attempts");
    out += "[";
    append_attempts(out, request.attempts);
    out += "]";
  }
  if (!request.delivered.empty()) {
    append_name(out, "delivered");
    out += "[";
    for (const std::string& id : request.delivered) {
      out += out.ends_with('[') ? "" : ",";
      append_json_string(out, id);
    }
    out += "]";
  }
  out += "}";
  return out;
}

}  // namespace dispatcher
