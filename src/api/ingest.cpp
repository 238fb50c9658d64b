// The way in of events, one by one and in batches.
#include "api/answers.hpp"
#include "api/handlers.hpp"
#include "api/request_body.hpp"
#include "api/text.hpp"

#include <algorithm>
#include <array>

namespace dispatcher {
namespace {

constexpr std::size_t kMaxIdempotencyKeyBytes = 255;
constexpr std::string_view kIdempotencyKeyPattern = "^[!-~]{1,255}$";

using EventFields = std::array<JsonField, 3>;

EventFields event_fields() {
  return {JsonField{"type"}, JsonField{"source"}, JsonField{"payload"}};
}

// Adds a fault for each field that is wrong; what is returned then means nothing.
IncomingEvent read_event(Loc parent, JsonValue object, const EventFields& fields, Faults& faults) {
  ObjectReader reader{std::move(parent), object, faults};
  IncomingEvent event;
  event.type = reader.text(fields[0]).value_or(std::string{});
  event.source = reader.text(fields[1]).value_or(std::string{});
  event.payload = reader.object(fields[2]).value_or(std::string_view{});
  return event;
}

std::optional<Idempotency> read_idempotency(const ApiRequest& request, Faults& faults) {
  const std::string* key = request.head.header("idempotency-key");
  if (key == nullptr) {
    return std::nullopt;
  }
  const bool is_visible =
      std::all_of(key->begin(), key->end(), [](char c) { return c >= '!' && c <= '~'; });
  if (key->empty() || key->size() > kMaxIdempotencyKeyBytes || !is_visible) {
    faults.not_pattern({"header", "idempotency-key"}, kIdempotencyKeyPattern,
                       quoted(latin1_to_utf8(*key)));
    return std::nullopt;
  }
  return Idempotency{*key, sha256(request.body)};
}

ServerAnswer append_error_answer(const Error& error, const ApiRequest& request) {
  const std::string* key = request.head.header("idempotency-key");
  if (error.kind != ErrorKind::conflict || key == nullptr) {
    return store_error_answer(error);
  }
  Faults faults;
  faults.add("idempotency_conflict", {"header", "idempotency-key"},
             "Idempotency-Key was already used with another body", quoted(*key));
  return faults_answer(faults);
}

void append_created_json(std::string& out, const Appended& event) {
  out += R"({"id":")";
  append_uuid(out, event.id);
  out += R"(","status":"pending","timestamp":")";
  append_timestamp(out, event.created_at);
  out += R"("})";
}

// -- batches

// The events of a batch, or the answer that refuses it.
struct Batch {
  std::vector<IncomingEvent> events;
  Faults faults;
  std::optional<ServerAnswer> refusal;
};

void add_event(Batch& batch, std::string_view text) {
  const auto index = static_cast<std::int64_t>(batch.events.size());
  const Loc loc{"body", index};
  EventFields fields = event_fields();
  const JsonScan scan = scan_json(text, fields);
  batch.events.emplace_back();
  if (const auto* fault = std::get_if<JsonFault>(&scan)) {
    batch.refusal = json_fault_answer(*fault, loc);
    return;
  }
  const JsonValue value = std::get<JsonValue>(scan);
  if (value.kind != JsonKind::object) {
    batch.faults.not_model(loc, compact(value.raw));
    return;
  }
  batch.events.back() = read_event(loc, value, fields, batch.faults);
}

void refuse_long_batch(Batch& batch, std::size_t count, std::string_view input) {
  batch.faults.too_long({"body"}, kMaxItems, static_cast<std::int64_t>(count), input);
}

void read_array_batch(Batch& batch, const ApiRequest& request) {
  BodyRead body = read_json_body(request);
  if (body.kind == BodyRead::Kind::refused) {
    batch.refusal = std::move(body.refusal);
    return;
  }
  if (body.kind == BodyRead::Kind::absent) {
    batch.faults.missing({"body"}, "null");
    return;
  }
  if (body.kind == BodyRead::Kind::text || body.json.kind != JsonKind::array) {
    batch.faults.not_list({"body"}, body.kind == BodyRead::Kind::text ? quoted(request.body)
                                                                      : compact(body.json.raw));
    return;
  }
  std::vector<JsonValue> items;
  std::size_t count = 0;
  JsonElements elements{body.json};
  while (const auto element = elements.next()) {
    if (++count <= kMaxItems) {
      items.push_back(*element);
    }
  }
  if (count > kMaxItems) {
    refuse_long_batch(batch, count, "null");
    return;
  }
  for (const JsonValue& item : items) {
    add_event(batch, item.raw);
  }
}

// One event a line; lines of white space alone are skipped.
void read_line_batch(Batch& batch, std::string_view text) {
  if (text.empty()) {
    batch.faults.missing({"body"}, "null");
    return;
  }
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const std::string_view line = trim_space(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!line.empty()) {
      lines.push_back(line);
    }
  }
  if (lines.size() > kMaxItems) {
    refuse_long_batch(batch, lines.size(), "null");
    return;
  }
  for (const std::string_view line : lines) {
    add_event(batch, line);
    if (batch.refusal) {
      return;
    }
  }
}

bool is_ndjson(const ApiRequest& request) {
  const std::string* content_type = request.head.header("content-type");
  return content_type != nullptr && parse_media_type(*content_type).is("application", "x-ndjson");
}

std::string items_json(const std::vector<Appended>& events) {
  std::string body = R"({"items":[)";
  for (const Appended& event : events) {
    body += body.ends_with('[') ? "" : ",";
    append_created_json(body, event);
  }
  body += "]}";
  return body;
}

}  // namespace

HandlerResult post_event(const ApiContext& context, ApiRequest request) {
  Faults faults;
  auto idempotency = read_idempotency(request, faults);
  EventFields fields = event_fields();
  BodyRead body = read_json_body(request, fields);
  if (body.kind == BodyRead::Kind::refused) {
    co_return *std::move(body.refusal);
  }
  std::vector<IncomingEvent> events;
  if (expect_object(body, request, faults)) {
    events.push_back(read_event({"body"}, body.json, fields, faults));
  }
  if (!faults.empty()) {
    co_return faults_answer(faults);
  }
  const auto answer = co_await context.intake.accept(std::move(events), std::move(idempotency));
  if (!answer) {
    co_return append_error_answer(answer.error(), request);
  }
  std::string created;
  append_created_json(created, answer->events.front());
  co_return json_answer(201, std::move(created));
}

HandlerResult post_batch(const ApiContext& context, ApiRequest request) {
  Batch batch;
  auto idempotency = read_idempotency(request, batch.faults);
  if (is_ndjson(request)) {
    read_line_batch(batch, request.body);
  } else {
    read_array_batch(batch, request);
  }
  if (batch.refusal) {
    co_return *std::move(batch.refusal);
  }
  if (!batch.faults.empty()) {
    co_return faults_answer(batch.faults);
  }
  if (batch.events.empty()) {
    co_return json_answer(201, items_json({}));
  }
  const auto answer =
      co_await context.intake.accept(std::move(batch.events), std::move(idempotency));
  if (!answer) {
    co_return append_error_answer(answer.error(), request);
  }
  co_return json_answer(201, items_json(answer->events));
}

}  // namespace dispatcher
