// The inbox for consumers: reading it with and without a lease, holding leases, acknowledging.
#include "api/answers.hpp"
#include "api/event_json.hpp"
#include "api/handlers.hpp"
#include "api/query_reader.hpp"
#include "api/request_body.hpp"

#include "base/json_text.hpp"

#include <array>

namespace dispatcher {
namespace {

constexpr std::int64_t kMaxLeaseSeconds = 3600;
constexpr std::size_t kMaxConsumerBytes = 255;

std::optional<std::string> lease_token_of(const ApiRequest& request) {
  const std::string* token = request.head.header("x-lease-token");
  return token == nullptr || token->empty() ? std::nullopt : std::optional{*token};
}

struct InboxRequest {
  std::size_t limit = kDefaultItems;
  std::optional<LeaseRequest> lease;
};

InboxRequest read_inbox_request(const Query& query, Faults& faults) {
  QueryReader reader{query, faults};
  InboxRequest inbox;
  inbox.limit = static_cast<std::size_t>(
      reader.integer("limit", 1, kMaxItems).value_or(static_cast<std::int64_t>(kDefaultItems)));
  if (query.find("lease_seconds") == nullptr) {
    return inbox;
  }
  LeaseRequest lease;
  lease.limit = inbox.limit;
  lease.duration =
      std::chrono::seconds{reader.integer("lease_seconds", 1, kMaxLeaseSeconds).value_or(1)};
  lease.consumer = reader.text("consumer").value_or(std::string{});
  if (lease.consumer.size() > kMaxConsumerBytes) {
    faults.text_too_long({"query", "consumer"}, kMaxConsumerBytes, quoted(lease.consumer));
  }
  inbox.lease = std::move(lease);
  return inbox;
}

// The ids that are UUIDs, each with its place in the list: the others are answered without the
// store.
struct ParsedIds {
  std::vector<EventId> ids;
  std::vector<std::size_t> places;
};

ParsedIds parse_ids(const std::vector<std::string>& texts) {
  ParsedIds parsed;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (const auto id = parse_uuid(texts[i])) {
      parsed.ids.push_back(*id);
      parsed.places.push_back(i);
    }
  }
  return parsed;
}

std::string ack_json(const AckAnswer& ack) {
  std::string body = R"({"id":")" + to_string(ack.id);
  body += R"(","status":"delivered","message":"Event acknowledged successfully","updated_at":")";
  append_timestamp(body, ack.updated_at);
  body += R"(","delivery_latency_ms":)" + std::to_string(ack.delivery_latency_ms) + "}";
  return body;
}

std::string detail_of(const Error& error, std::string_view id) {
  switch (error.kind) {
    case ErrorKind::not_found: return event_not_found_detail(id);
    case ErrorKind::conflict: return lease_conflict_detail(id);
    default: return "The store cannot do this now, try again";
  }
}

std::string ack_item_json(std::string_view id, const Result<AckAnswer>& answer) {
  std::string item = R"({"id":)" + quoted(id);
  if (answer) {
    item += R"(,"status":"delivered"})";
  } else {
    item += R"(,"detail":)" + quoted(detail_of(answer.error(), id)) + "}";
  }
  return item;
}

std::string join_items(const std::vector<std::string>& items) {
  std::string body = R"({"items":[)";
  for (const std::string& item : items) {
    body += body.ends_with('[') ? "" : ",";
    body += item;
  }
  body += "]}";
  return body;
}

struct RenewRequest {
  std::string token;
  std::vector<std::string> ids;
  std::chrono::seconds duration{};
};

// The answer that refuses it, or the request itself.
std::variant<RenewRequest, ServerAnswer> read_renew_request(const ApiRequest& request) {
  Faults faults;
  const auto token = lease_token_of(request);
  if (!token) {
    faults.missing({"header", "x-lease-token"}, "null");
  }
  std::array fields{JsonField{"ids"}, JsonField{"lease_seconds"}};
  BodyRead body = read_json_body(request, fields);
  if (body.kind == BodyRead::Kind::refused) {
    return *std::move(body.refusal);
  }
  RenewRequest renew;
  if (expect_object(body, request, faults)) {
    ObjectReader reader{{"body"}, body.json, faults};
    renew.ids = reader.texts(fields[0]).value_or(std::vector<std::string>{});
    renew.duration =
        std::chrono::seconds{reader.integer(fields[1], 1, kMaxLeaseSeconds).value_or(1)};
  }
  if (!faults.empty()) {
    return faults_answer(faults);
  }
  renew.token = *token;
  return renew;
}

}  // namespace

HandlerResult get_inbox(const ApiContext& context, ApiRequest request) {
  Faults faults;
  const Query query{request.head.query};
  InboxRequest inbox = read_inbox_request(query, faults);
  if (!faults.empty()) {
    co_return faults_answer(faults);
  }
  if (!inbox.lease) {
    const auto events = co_await context.store.pending(inbox.limit, kMaxListBytes);
    co_return events ? json_answer(200, events_json(*events)) : store_error_answer(events.error());
  }
  const auto leased = co_await context.store.lease(*std::move(inbox.lease));
  if (!leased) {
    co_return store_error_answer(leased.error());
  }
  ServerAnswer answer = json_answer(200, events_json(leased->events));
  answer.headers.push_back({"x-lease-token", leased->token});
  co_return answer;
}

HandlerResult post_renew(const ApiContext& context, ApiRequest request) {
  auto read = read_renew_request(request);
  if (auto* refusal = std::get_if<ServerAnswer>(&read)) {
    co_return std::move(*refusal);
  }
  auto& renew = std::get<RenewRequest>(read);
  ParsedIds parsed = parse_ids(renew.ids);
  std::vector<bool> is_leased(renew.ids.size(), false);
  if (!parsed.ids.empty()) {
    const auto renewed =
        co_await context.store.renew(std::move(renew.token), std::move(parsed.ids), renew.duration);
    if (!renewed) {
      co_return store_error_answer(renewed.error());
    }
    for (std::size_t i = 0; i < renewed->size(); ++i) {
      is_leased[parsed.places[i]] = (*renewed)[i];
    }
  }
  std::vector<std::string> items;
  for (std::size_t i = 0; i < renew.ids.size(); ++i) {
    items.push_back(R"({"id":)" + quoted(renew.ids[i]) + R"(,"leased":)" +
                    (is_leased[i] ? "true}" : "false}"));
  }
  co_return json_answer(200, join_items(items));
}

HandlerResult post_ack(const ApiContext& context, ApiRequest request) {
  const auto id = parse_uuid(request.id);
  if (!id) {
    co_return event_not_found_answer(request.id);
  }
  std::vector<EventId> ids{*id};
  const auto answers = co_await context.store.ack(std::move(ids), lease_token_of(request));
  if (!answers) {
    co_return store_error_answer(answers.error());
  }
  const Result<AckAnswer>& answer = answers->front();
  co_return answer ? json_answer(200, ack_json(*answer))
                   : event_error_answer(answer.error(), request.id);
}

HandlerResult post_ack_many(const ApiContext& context, ApiRequest request) {
  Faults faults;
  std::array fields{JsonField{"ids"}};
  BodyRead body = read_json_body(request, fields);
  if (body.kind == BodyRead::Kind::refused) {
    co_return *std::move(body.refusal);
  }
  std::vector<std::string> texts;
  if (expect_object(body, request, faults)) {
    ObjectReader reader{{"body"}, body.json, faults};
    texts = reader.texts(fields[0]).value_or(std::vector<std::string>{});
  }
  if (!faults.empty()) {
    co_return faults_answer(faults);
  }
  ParsedIds parsed = parse_ids(texts);
  const Result<AckAnswer> unknown = make_error(ErrorKind::not_found, "not an id");
  std::vector<std::string> items;
  items.reserve(texts.size());
  for (const std::string& text : texts) {
    items.push_back(ack_item_json(text, unknown));
  }
  if (!parsed.ids.empty()) {
    const auto answers = co_await context.store.ack(std::move(parsed.ids), lease_token_of(request));
    if (!answers) {
      co_return store_error_answer(answers.error());
    }
    for (std::size_t i = 0; i < answers->size(); ++i) {
      const std::size_t place = parsed.places[i];
      items[place] = ack_item_json(texts[place], (*answers)[i]);
    }
  }
  co_return json_answer(200, join_items(items));
}

}  // namespace dispatcher
