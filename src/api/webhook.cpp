// The webhook receiver: takes webhooks in, and shows what came.
#include "api/answers.hpp"
#include "api/date_range.hpp"
#include "api/handlers.hpp"
#include "api/query_reader.hpp"
#include "api/request_body.hpp"
#include "api/text.hpp"
#include "base/json_text.hpp"
#include "model/signature.hpp"

#include <array>

namespace dispatcher {
namespace {

// Of an id or a label that the sender chose.
constexpr std::size_t kMaxLabelBytes = 255;

std::string_view header_or(const RequestHead& head, std::string_view name,
                           std::string_view otherwise) {
  const std::string* value = head.header(name);
  return value == nullptr ? otherwise : std::string_view{*value};
}

// Without a secret every webhook is taken. With one, the plain signature must be right. That of
// Standard Webhooks is the endpoint's, whose secret may be one of its own: it says nothing here.
bool is_signed(const std::string& secret, const ApiRequest& request) {
  if (secret.empty()) {
    return true;
  }
  const auto key = parse_signing_secret(secret);
  if (!key) {
    return false;
  }
  const std::array keys{*key};
  return verify_body(keys, header_or(request.head, "x-webhook-signature", ""), request.body);
}

struct ReceivedFields {
  std::array<JsonField, 8> fields{JsonField{"event_type"}, JsonField{"payload"},
                                  JsonField{"event_id"},   JsonField{"timestamp"},
                                  JsonField{"type"},       JsonField{"id"},
                                  JsonField{"created_at"}, JsonField{"data"}};
  JsonField& event_type = fields[0];
  JsonField& payload = fields[1];
  JsonField& event_id = fields[2];
  JsonField& timestamp = fields[3];
  JsonField& type = fields[4];
  JsonField& id = fields[5];
  JsonField& created_at = fields[6];
  JsonField& data = fields[7];
};

struct Received {
  std::string event_type;
  std::string payload;
  std::optional<std::string> event_id;
  std::optional<std::string> timestamp;
};

Received read_documented(ReceivedFields& body, JsonValue object, Faults& faults) {
  ObjectReader reader{{"body"}, object, faults};
  Received received;
  received.event_type = reader.text(body.event_type).value_or(std::string{});
  received.payload = reader.object(body.payload).value_or(std::string_view{});
  received.event_id = reader.optional_text(body.event_id);
  received.timestamp = reader.optional_text(body.timestamp);
  return received;
}

// The bodies `event` (type, payload, id, created_at) and `standard` (type, data, timestamp) of our
// own deliveries.
Received read_delivery(ReceivedFields& body, JsonValue object, Faults& faults) {
  ObjectReader reader{{"body"}, object, faults};
  Received received;
  received.event_type = reader.text(body.type).value_or(std::string{});
  received.payload =
      reader.object(body.payload.value ? body.payload : body.data).value_or(std::string_view{});
  received.event_id = reader.optional_text(body.id);
  received.timestamp =
      reader.optional_text(body.created_at.value ? body.created_at : body.timestamp);
  return received;
}

Received read_received(ReceivedFields& body, JsonValue object, const RequestHead& head,
                       Faults& faults) {
  if (body.event_type.value) {
    return read_documented(body, object, faults);
  }
  if (body.type.value && (body.payload.value || body.data.value)) {
    return read_delivery(body, object, faults);
  }
  if (head.header("webhook-id") != nullptr) {
    // The body `payload` of our own deliveries says nothing of its type.
    return {"unknown", std::string{object.raw}, std::nullopt, std::nullopt};
  }
  return read_documented(body, object, faults);
}

std::optional<std::string> filled(std::optional<std::string> text) {
  return text && text->empty() ? std::nullopt : text;
}

WebhookLogEntry make_entry(const ApiContext& context, const RequestHead& head, Received received,
                           const std::optional<std::string>& event_id, WallTime now) {
  WebhookLogEntry entry;
  entry.event_id = cut_text(event_id.value_or(std::string{}), kMaxLabelBytes);
  const auto id = parse_uuid(entry.event_id);
  entry.id = id ? *id : make_uuid_v7(now, context.random.next(), context.random.next());
  entry.event_type = std::move(received.event_type);
  entry.payload = std::move(received.payload);
  entry.source_ip = head.remote_ip;
  const auto sent_at = received.timestamp ? parse_timestamp(*received.timestamp) : std::nullopt;
  entry.timestamp = sent_at.value_or(now);
  entry.request_id =
      cut_text(to_valid_utf8(std::string{header_or(head, "x-request-id", "none")}), kMaxLabelBytes);
  return entry;
}

std::string received_json(const std::optional<std::string>& event_id, WallTime now) {
  std::string body =
      R"({"status":"received","message":"Webhook event received and logged successfully",)"
      R"("event_id":)";
  append_json_string(body, event_id.value_or("unknown"));
  body += R"(,"timestamp":")";
  append_timestamp(body, now);
  body += R"("})";
  return body;
}

void append_entry_json(std::string& out, const WebhookLogEntry& entry) {
  out += R"({"id":)";
  append_json_string(out, entry.event_id.empty() ? to_string(entry.id) : entry.event_id);
  out += R"(,"event_type":)";
  append_json_string(out, entry.event_type);
  out += R"(,"payload":)";
  out += entry.payload;
  out += R"(,"source_ip":)";
  append_json_string(out, entry.source_ip);
  out += R"(,"timestamp":")";
  append_timestamp(out, entry.timestamp);
  out += R"(","status":"received","request_id":)";
  append_json_string(out, entry.request_id);
  out.push_back('}');
}

}  // namespace

HandlerResult post_webhook(const ApiContext& context, ApiRequest request) {
  if (!is_signed(context.access.secrets()->webhook_secret, request)) {
    co_return error_answer(401, "Invalid webhook signature");
  }
  const WallTime now = context.clock.wall();
  ReceivedFields fields;
  BodyRead body = read_json_body(request, fields.fields);
  if (body.kind == BodyRead::Kind::refused) {
    co_return *std::move(body.refusal);
  }
  Faults faults;
  Received received;
  if (expect_object(body, request, faults)) {
    received = read_received(fields, body.json, request.head, faults);
  }
  if (!faults.empty()) {
    co_return faults_answer(faults);
  }
  const auto event_id = filled(std::move(received.event_id));
  WebhookLogEntry entry = make_entry(context, request.head, std::move(received), event_id, now);
  const auto logged = co_await context.store.append_webhook_log(std::move(entry));
  if (!logged) {
    co_return store_error_answer(logged.error());
  }
  co_return json_answer(200, received_json(event_id, now));
}

HandlerResult get_webhook_logs(const ApiContext& context, ApiRequest request) {
  Faults faults;
  const Query query{request.head.query};
  QueryReader reader{query, faults};
  const auto limit = reader.integer("limit").value_or(static_cast<std::int64_t>(kDefaultItems));
  if (!faults.empty()) {
    co_return faults_answer(faults);
  }
  if (limit < 1 || limit > static_cast<std::int64_t>(kMaxItems)) {
    co_return error_answer(400, "Limit must be between 1 and 1000");
  }
  DateRange range = read_date_range(query);
  if (range.refusal) {
    co_return *std::move(range.refusal);
  }
  WebhookLogQuery wanted;
  wanted.from = range.from;
  wanted.to = range.to;
  wanted.limit = static_cast<std::size_t>(limit);
  if (const std::string* type = query.find_filled("event_type")) {
    wanted.event_type = *type;
  }
  if (const std::string* search = query.find_filled("search")) {
    wanted.search = *search;
  }
  const auto entries = co_await context.store.webhook_log(std::move(wanted));
  if (!entries) {
    co_return store_error_answer(entries.error());
  }
  std::string body = "[";
  for (const WebhookLogEntry& entry : *entries) {
    body += body.size() == 1 ? "" : ",";
    append_entry_json(body, entry);
  }
  body.push_back(']');
  co_return json_answer(200, std::move(body));
}

}  // namespace dispatcher
