// Endpoints: making, showing, changing, trying out and ending them.
#include "api/answers.hpp"
#include "api/cursor.hpp"
#include "api/endpoint_body.hpp"
#include "api/endpoint_json.hpp"
#include "api/handlers.hpp"
#include "api/query_reader.hpp"
#include "api/request_body.hpp"
#include "base/json_text.hpp"
#include "model/endpoint_limits.hpp"

#include <algorithm>

namespace dispatcher {
namespace {

using boost::asio::awaitable;

constexpr std::string_view kDeleteNote = "the endpoint was deleted";

std::string endpoint_json(const EndpointView& view, const EndpointFigures& figures, bool reveals,
                          std::string_view secret = {}) {
  std::string body;
  append_endpoint_json(body, view, figures, reveals, secret);
  return body;
}

// Of the endpoints given, in their order.
awaitable<Result<std::vector<EndpointFigures>>> figures_of(const ApiContext& context,
                                                           std::vector<EndpointViewPtr> views) {
  std::vector<EndpointNumber> numbers;
  numbers.reserve(views.size());
  for (const EndpointViewPtr& view : views) {
    numbers.push_back(view->endpoint.number);
  }
  const auto counts = co_await context.store.endpoint_counts(numbers);
  if (!counts) {
    co_return counts.error();
  }
  const std::vector<EndpointHealth> health = co_await context.endpoints.health();
  std::vector<EndpointFigures> figures(views.size());
  for (std::size_t i = 0; i < views.size(); ++i) {
    figures[i].counts = (*counts)[i];
    const auto own = std::lower_bound(
        health.begin(), health.end(), numbers[i],
        [](const EndpointHealth& one, EndpointNumber number) { return one.number < number; });
    if (own != health.end() && own->number == numbers[i]) {
      figures[i].health = *own;
    }
  }
  co_return figures;
}

// 200 and the endpoint, or what went wrong with it.
awaitable<ServerAnswer> show(const ApiContext& context, Result<EndpointViewPtr> view,
                             bool reveals) {
  if (!view) {
    co_return endpoint_error_answer(view.error());
  }
  std::vector<EndpointViewPtr> views{*view};
  const auto figures = co_await figures_of(context, std::move(views));
  if (!figures) {
    co_return store_error_answer(figures.error());
  }
  co_return json_answer(200, endpoint_json(**view, figures->front(), reveals));
}

bool read_reveal(const Query& query, Faults& faults) {
  return QueryReader{query, faults}.boolean("reveal").value_or(false);
}

// Like expect_object; but what is no JSON object is not shown: it may be a URL or a secret alone.
bool expect_hidden_object(const BodyRead& body, Faults& faults) {
  if (body.kind == BodyRead::Kind::absent) {
    faults.missing({"body"}, "null");
    return false;
  }
  if (body.kind == BodyRead::Kind::text || body.json.kind != JsonKind::object) {
    faults.not_model({"body"}, quoted(kMask));
    return false;
  }
  return true;
}

// The body of a request that describes an endpoint, or the answer that refuses it.
struct DescribedEndpoint {
  EndpointBody body;
  std::optional<ServerAnswer> refusal;
};

DescribedEndpoint read_description(const ApiContext& context, const ApiRequest& request,
                                   bool is_new) {
  DescribedEndpoint described;
  std::vector<JsonField> fields = endpoint_fields();
  BodyRead body = read_json_body(request, fields);
  if (body.kind == BodyRead::Kind::refused) {
    described.refusal = std::move(body.refusal);
    return described;
  }
  Faults faults;
  if (expect_hidden_object(body, faults)) {
    const auto read = is_new ? read_new_endpoint : read_endpoint_change;
    described.body = read(body.json, fields, context.options.target_rule, faults);
  }
  if (!faults.empty()) {
    described.refusal = faults_answer(faults);
  }
  return described;
}

std::string list_json(const std::vector<EndpointViewPtr>& views,
                      const std::vector<EndpointFigures>& figures, bool reveals, bool is_last) {
  std::string body = R"({"items":[)";
  std::size_t shown = 0;
  while (shown < views.size() && (shown == 0 || body.size() < kMaxListBytes)) {
    body += shown == 0 ? "" : ",";
    append_endpoint_json(body, *views[shown], figures[shown], reveals);
    ++shown;
  }
  body += R"(],"next_cursor":)";
  if (is_last && shown == views.size()) {
    body += "null";
  } else {
    append_json_string(body, encode_cursor(views[shown - 1]->endpoint.number, false));
  }
  body.push_back('}');
  return body;
}

}  // namespace

HandlerResult post_endpoint(const ApiContext& context, ApiRequest request) {
  DescribedEndpoint described = read_description(context, request, true);
  if (described.refusal) {
    co_return *std::move(described.refusal);
  }
  EndpointDraft draft;
  apply(described.body, draft);
  const auto created = co_await context.endpoints.create(std::move(draft), described.body.start);
  if (!created) {
    co_return endpoint_error_answer(created.error());
  }
  // Of a new one nothing is counted yet; and nothing may keep its secret from being shown.
  EndpointFigures none;
  co_return json_answer(201, endpoint_json(*created->view, none, false, created->signing_secret));
}

HandlerResult list_endpoints(const ApiContext& context, ApiRequest request) {
  Faults faults;
  const Query query{request.head.query};
  const auto limit =
      static_cast<std::size_t>(QueryReader{query, faults}
                                   .integer("limit", 1, kMaxItems)
                                   .value_or(static_cast<std::int64_t>(kDefaultItems)));
  const auto after = read_cursor(query, false, faults);
  const bool reveals = read_reveal(query, faults);
  if (!faults.empty()) {
    co_return faults_answer(faults);
  }
  auto views = co_await context.endpoints.list();
  if (!views) {
    co_return store_error_answer(views.error());
  }
  std::erase_if(*views, [&](const EndpointViewPtr& view) {
    return after && static_cast<std::int64_t>(view->endpoint.number) <= *after;
  });
  const bool is_last = views->size() <= limit;
  views->resize(std::min(views->size(), limit));
  const auto figures = co_await figures_of(context, *views);
  if (!figures) {
    co_return store_error_answer(figures.error());
  }
  co_return json_answer(200, list_json(*views, *figures, reveals, is_last));
}

HandlerResult get_endpoint(const ApiContext& context, ApiRequest request) {
  Faults faults;
  const Query query{request.head.query};
  const bool reveals = read_reveal(query, faults);
  if (!faults.empty()) {
    co_return faults_answer(faults);
  }
  auto view = co_await context.endpoints.find(std::move(request.id));
  co_return co_await show(context, std::move(view), reveals);
}

HandlerResult patch_endpoint(const ApiContext& context, ApiRequest request) {
  DescribedEndpoint described = read_description(context, request, false);
  if (described.refusal) {
    co_return *std::move(described.refusal);
  }
  EndpointRegistry::DraftEdit edit = [body = std::move(described.body)](EndpointDraft& draft) {
    apply(body, draft);
  };
  auto view = co_await context.endpoints.change(std::move(request.id), std::move(edit));
  co_return co_await show(context, std::move(view), false);
}

HandlerResult delete_endpoint(const ApiContext& context, ApiRequest request) {
  Faults faults;
  const Query query{request.head.query};
  const bool discards = QueryReader{query, faults}.one_of("waiting", {"discard"}).has_value();
  if (!faults.empty()) {
    co_return faults_answer(faults);
  }
  ReleaseNote note{caller_of(request.head), std::string{kDeleteNote}};
  const auto removed =
      co_await context.endpoints.remove(std::move(request.id), discards, std::move(note));
  if (!removed) {
    co_return endpoint_error_answer(removed.error());
  }
  ServerAnswer answer;
  answer.status = 204;
  answer.content_type.clear();
  co_return answer;
}

HandlerResult pause_endpoint(const ApiContext& context, ApiRequest request) {
  auto view = co_await context.endpoints.pause(std::move(request.id));
  co_return co_await show(context, std::move(view), false);
}

HandlerResult resume_endpoint(const ApiContext& context, ApiRequest request) {
  auto view = co_await context.endpoints.resume(std::move(request.id));
  co_return co_await show(context, std::move(view), false);
}

HandlerResult test_endpoint(const ApiContext& context, ApiRequest request) {
  Faults faults;
  const Query query{request.head.query};
  const bool reveals = read_reveal(query, faults);
  if (!faults.empty()) {
    co_return faults_answer(faults);
  }
  const auto tested = co_await context.endpoints.test(std::move(request.id));
  if (!tested) {
    co_return endpoint_error_answer(tested.error());
  }
  if (!tested->exchange) {
    ServerAnswer answer =
        error_answer(429, "A test of this endpoint is running, or too many of others, try again");
    answer.headers.push_back({"retry-after", "1"});
    co_return answer;
  }
  co_return json_answer(200, test_json(*tested, reveals));
}

HandlerResult rotate_secret(const ApiContext& context, ApiRequest request) {
  Faults faults;
  std::array fields{JsonField{"overlap_seconds"}};
  BodyRead body = read_json_body(request, fields);
  if (body.kind == BodyRead::Kind::refused) {
    co_return *std::move(body.refusal);
  }
  std::chrono::seconds overlap = endpoint_limits::kDefaultOverlap;
  if (body.kind != BodyRead::Kind::absent && expect_hidden_object(body, faults)) {
    ObjectReader reader{{"body"}, body.json, faults};
    overlap = std::chrono::seconds{
        reader.optional_integer(fields[0], 0, endpoint_limits::kMaxOverlap.count())
            .value_or(overlap.count())};
    // An overlap that is misspelled would leave the old secret in use for a day. What is given in
    // its place may be the new secret, and is not shown.
    reader.refuse_others(fields, quoted(kMask));
  }
  if (!faults.empty()) {
    co_return faults_answer(faults);
  }
  const auto rotated = co_await context.endpoints.rotate_secret(request.id, overlap);
  if (!rotated) {
    co_return endpoint_error_answer(rotated.error());
  }
  std::string answer = R"({"id":)";
  append_json_string(answer, request.id);
  answer += R"(,"secret":)";
  append_json_string(answer, rotated->signing_secret);
  answer += R"(,"previous_valid_until":)";
  answer += rotated->previous_until ? '"' + format_timestamp(*rotated->previous_until) + '"'
                                    : std::string{"null"};
  answer.push_back('}');
  co_return json_answer(200, std::move(answer));
}

}  // namespace dispatcher
