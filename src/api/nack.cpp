// `POST /inbox/{id}/nack`: a consumer gives a leased event back and says what it tried.
#include "api/answers.hpp"
#include "api/handlers.hpp"
#include "api/request_body.hpp"
#include "api/text.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace dispatcher {
namespace {

constexpr std::size_t kMaxErrorBytes = 4096;
constexpr std::size_t kMaxReportedAttempts = 100;
constexpr double kMaxRetryAfterSeconds = 30.0 * 24 * 3600;
constexpr std::int64_t kMaxDurationMs = 24LL * 3600 * 1000;

// What an endpoint's id looks like, this service's or another's: a consumer has its own.
constexpr std::size_t kMaxEndpointIdBytes = 64;
constexpr std::string_view kEndpointIdPattern = "^[A-Za-z0-9._-]{1,64}$";

using AttemptFields = std::array<JsonField, 9>;

AttemptFields attempt_fields() {
  return {JsonField{"number"},      JsonField{"endpoint_id"},   JsonField{"started_at"},
          JsonField{"duration_ms"}, JsonField{"outcome"},       JsonField{"status"},
          JsonField{"error"},       JsonField{"response_body"}, JsonField{"remote_address"}};
}

std::string cut(std::string_view text, std::size_t max_bytes) {
  return std::string{cut_text(text, max_bytes)};
}

bool is_endpoint_id(std::string_view text) {
  return !text.empty() && text.size() <= kMaxEndpointIdBytes &&
         std::ranges::all_of(text, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '.' || c == '_' || c == '-';
         });
}

// Empty where the attempt names none.
std::string read_endpoint_id(ObjectReader& reader, const JsonField& field, Faults& faults) {
  std::string id = reader.optional_text(field).value_or(std::string{});
  if (!id.empty() && !is_endpoint_id(id)) {
    faults.not_pattern(reader.loc_of(field), kEndpointIdPattern, quoted(id));
  }
  return id;
}

std::vector<std::string> read_delivered(ObjectReader& reader, const JsonField& field,
                                        Faults& faults) {
  auto ids = reader.optional_texts(field).value_or(std::vector<std::string>{});
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (!is_endpoint_id(ids[i])) {
      faults.not_pattern(reader.loc_of(field) / static_cast<std::int64_t>(i), kEndpointIdPattern,
                         quoted(ids[i]));
    }
  }
  return ids;
}

Outcome read_outcome(ObjectReader& reader, const JsonField& field, Faults& faults) {
  const auto text = reader.text(field);
  const auto outcome = text ? parse_outcome(*text) : std::optional{Outcome::retryable};
  if (!outcome) {
    faults.not_one_of(reader.loc_of(field),
                      {"delivered", "retryable", "refused", "blocked", "abandoned"}, quoted(*text));
  }
  return outcome.value_or(Outcome::retryable);
}

WallTime read_started_at(ObjectReader& reader, const JsonField& field, WallTime now,
                         Faults& faults) {
  const auto text = reader.optional_text(field);
  if (!text) {
    return now;
  }
  const auto time = parse_timestamp(*text);
  if (!time) {
    faults.not_timestamp(reader.loc_of(field), quoted(*text));
  }
  return time.value_or(now);
}

Attempt read_attempt(const Loc& loc, JsonValue value, WallTime now, Faults& faults) {
  Attempt attempt;
  AttemptFields fields = attempt_fields();
  // Accepted already, as part of the body.
  (void)scan_json(value.raw, fields);
  if (value.kind != JsonKind::object) {
    faults.not_model(loc, compact(value.raw));
    return attempt;
  }
  ObjectReader reader{loc, value, faults};
  const auto text = [&](const JsonField& field, std::size_t max_bytes) {
    return cut(reader.optional_text(field).value_or(std::string{}), max_bytes);
  };
  attempt.number = reader.optional_integer(fields[0], 0, INT32_MAX).value_or(0);
  attempt.endpoint_id = read_endpoint_id(reader, fields[1], faults);
  attempt.started_at = read_started_at(reader, fields[2], now, faults);
  attempt.duration = std::chrono::milliseconds{static_cast<std::int64_t>(
      reader.optional_number(fields[3], 0, static_cast<double>(kMaxDurationMs)).value_or(0))};
  attempt.outcome = read_outcome(reader, fields[4], faults);
  if (const auto status = reader.optional_integer(fields[5], 100, 999)) {
    attempt.status = static_cast<int>(*status);
  }
  if (const auto error = reader.optional_text(fields[6])) {
    attempt.error = cut(*error, kMaxErrorBytes);
  }
  attempt.response_body = text(fields[7], Attempt::kMaxKeptBodyBytes);
  attempt.remote_address = text(fields[8], 255);
  return attempt;
}

std::optional<ReviewReason> read_reason(ObjectReader& reader, const JsonField& field,
                                        Faults& faults) {
  const auto text = reader.optional_text(field);
  if (!text) {
    return std::nullopt;
  }
  const auto reason = parse_review_reason(*text);
  if (!reason) {
    faults.not_one_of(reader.loc_of(field), {"rejected", "redirected", "blocked", "exhausted"},
                      quoted(*text));
  }
  return reason;
}

using NackFields = std::array<JsonField, 5>;

NackRequest read_nack(JsonValue object, const NackFields& fields, WallTime now, Faults& faults) {
  ObjectReader reader{{"body"}, object, faults};
  NackRequest nack;
  if (const auto error = reader.optional_text(fields[0])) {
    nack.error = cut(*error, kMaxErrorBytes);
  }
  nack.reason = read_reason(reader, fields[1], faults);
  if (const auto seconds = reader.optional_number(fields[2], 0, kMaxRetryAfterSeconds)) {
    nack.retry_after = std::chrono::microseconds{std::llround(*seconds * 1e6)};
  }
  if (const auto attempts = reader.optional_list(fields[3], kMaxReportedAttempts)) {
    for (std::size_t i = 0; i < attempts->size(); ++i) {
      const Loc loc = reader.loc_of(fields[3]) / static_cast<std::int64_t>(i);
      nack.attempts.push_back(read_attempt(loc, (*attempts)[i], now, faults));
    }
  }
  nack.delivered = read_delivered(reader, fields[4], faults);
  return nack;
}

}  // namespace

HandlerResult post_nack(const ApiContext& context, ApiRequest request) {
  const auto id = parse_uuid(request.id);
  if (!id) {
    co_return event_not_found_answer(request.id);
  }
  Faults faults;
  const std::string* token = request.head.header("x-lease-token");
  if (token == nullptr || token->empty()) {
    faults.missing({"header", "x-lease-token"}, "null");
  }
  NackFields fields{JsonField{"error"}, JsonField{"reason"}, JsonField{"retry_after_seconds"},
                    JsonField{"attempts"}, JsonField{"delivered"}};
  BodyRead body = read_json_body(request, fields);
  if (body.kind == BodyRead::Kind::refused) {
    co_return *std::move(body.refusal);
  }
  NackRequest nack;
  // No body at all gives the event back, as `{}` does.
  if (body.kind != BodyRead::Kind::absent && expect_object(body, request, faults)) {
    nack = read_nack(body.json, fields, context.clock.wall(), faults);
  }
  if (!faults.empty()) {
    co_return faults_answer(faults);
  }
  std::string lease = *token;
  const auto view = co_await context.store.nack(*id, std::move(lease), std::move(nack));
  if (!view && view.error().kind == ErrorKind::refused) {
    co_return error_answer(409, not_leased_detail(request.id));
  }
  if (!view) {
    co_return event_error_answer(view.error(), request.id);
  }
  std::string answer;
  append_event_json(answer, view->event, view->progress);
  co_return json_answer(200, std::move(answer));
}

}  // namespace dispatcher
