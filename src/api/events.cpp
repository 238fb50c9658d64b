// Events as they are kept: lists, one of them, its attempts, and the end of it.
#include "api/answers.hpp"
#include "api/cursor.hpp"
#include "api/event_json.hpp"
#include "api/event_query.hpp"
#include "api/handlers.hpp"

#include "base/json_text.hpp"

namespace dispatcher {
namespace {

struct ListRequest {
  EventQuery query;
  std::optional<std::int64_t> after;
  std::size_t limit = kDefaultItems;
};

ListRequest read_list_request(const Query& query, Faults& faults) {
  QueryReader reader{query, faults};
  ListRequest list;
  list.query = read_event_query(reader);
  list.query.newest_first = reader.one_of("order", {"desc", "asc"}).value_or("desc") == "desc";
  list.limit = static_cast<std::size_t>(
      reader.integer("limit", 1, kMaxItems).value_or(static_cast<std::int64_t>(kDefaultItems)));
  list.after = read_cursor(query, list.query.newest_first, faults);
  return list;
}

std::string page_json(const EventPage& page, bool newest_first) {
  std::string body = R"({"items":)" + events_json(page.events) + R"(,"next_cursor":)";
  if (page.next) {
    append_json_string(body, encode_cursor(*page.next, newest_first));
  } else {
    body += "null";
  }
  body.push_back('}');
  return body;
}

}  // namespace

HandlerResult list_events(const ApiContext& context, ApiRequest request) {
  Faults faults;
  const Query query{request.head.query};
  ListRequest list = read_list_request(query, faults);
  if (!faults.empty()) {
    co_return faults_answer(faults);
  }
  const bool newest_first = list.query.newest_first;
  const auto page =
      co_await context.store.list(std::move(list.query), list.after, list.limit, kMaxListBytes);
  if (!page) {
    co_return store_error_answer(page.error());
  }
  co_return json_answer(200, page_json(*page, newest_first));
}

HandlerResult get_event(const ApiContext& context, ApiRequest request) {
  const auto id = parse_uuid(request.id);
  if (!id) {
    co_return event_not_found_answer(request.id);
  }
  const auto view = co_await context.store.event(*id);
  if (!view) {
    co_return event_error_answer(view.error(), request.id);
  }
  const auto releases = co_await context.store.releases(*id);
  if (!releases) {
    co_return event_error_answer(releases.error(), request.id);
  }
  co_return json_answer(200, event_with_deliveries_json(*view, *releases));
}

HandlerResult get_attempts(const ApiContext& context, ApiRequest request) {
  const auto id = parse_uuid(request.id);
  if (!id) {
    co_return event_not_found_answer(request.id);
  }
  const auto attempts = co_await context.store.attempts(*id);
  if (!attempts) {
    co_return event_error_answer(attempts.error(), request.id);
  }
  co_return json_answer(200, attempts_json(*attempts));
}

HandlerResult delete_event(const ApiContext& context, ApiRequest request) {
  const auto id = parse_uuid(request.id);
  if (!id) {
    co_return event_not_found_answer(request.id);
  }
  const auto erased = co_await context.store.erase(*id);
  if (!erased) {
    co_return event_error_answer(erased.error(), request.id);
  }
  std::string body = R"({"id":")" + to_string(*id);
  body += R"(","message":"Event deleted successfully","deleted_at":")";
  append_timestamp(body, context.clock.wall());
  body += R"("})";
  co_return json_answer(200, std::move(body));
}

}  // namespace dispatcher
