// What a person does with deliveries that ended or wait for one: deliver again, or give up.
#include "api/answers.hpp"
#include "api/event_query.hpp"
#include "api/handlers.hpp"
#include "api/request_body.hpp"
#include "api/text.hpp"
#include "base/json_text.hpp"
#include "model/endpoint_limits.hpp"

#include <algorithm>
#include <array>

namespace dispatcher {
namespace {

using boost::asio::awaitable;

// Events released in one step: one commit, and others get their turn between two.
constexpr std::size_t kEventsPerStep = 200;

// An upper bound for `limit` that nobody meets.
constexpr std::int64_t kMaxLimit = 1'000'000'000;

// The name of the count of deliveries in an answer.
constexpr std::string_view kReplayed = "replayed";
constexpr std::string_view kDiscarded = "discarded";

struct ReleaseRequest {
  EventQuery query;
  std::optional<std::int64_t> limit;  // events
  bool is_dry_run = false;
  std::string note;
};

struct ReleaseTotals {
  std::int64_t matched = 0;    // events
  std::int64_t released = 0;   // deliveries; of a dry run, those that would be
  bool is_incomplete = false;  // it ended early: the store failed, and there may be more to release
};

std::string read_note(ObjectReader& reader, const JsonField& field, Faults& faults) {
  std::string note = reader.optional_text(field).value_or(std::string{});
  if (count_characters(note) > endpoint_limits::kMaxNoteCharacters) {
    faults.text_too_long(reader.loc_of(field), endpoint_limits::kMaxNoteCharacters, quoted(note));
  }
  return note;
}

ReleaseRequest read_release(JsonValue object, std::span<const JsonField> fields, Faults& faults) {
  ObjectReader reader{{"body"}, object, faults};
  ReleaseRequest release;
  if (reader.object(fields[0])) {
    release.query = read_event_filter(*fields[0].value, reader.loc_of(fields[0]), faults);
  }
  release.limit = reader.optional_integer(fields[1], 1, kMaxLimit);
  release.is_dry_run = reader.optional_boolean(fields[2]).value_or(false);
  release.note = read_note(reader, fields[3], faults);
  // A `dry_run` that is misspelled would be a real one.
  reader.refuse_others(fields);
  return release;
}

// An error means that nothing was done, so that the request may be repeated: once a step has been
// committed, what was done is said.
awaitable<Result<ReleaseTotals>> carry_out(Store& store, ReleaseRequest release,
                                           ReleaseAction action, std::string caller) {
  const ReleaseNote note{std::move(caller), std::move(release.note)};
  const auto take_step = [&](std::optional<std::int64_t> after, std::size_t max_events) {
    return release.is_dry_run ? store.try_release_step(release.query, after, max_events, action)
                              : store.release_step(release.query, after, max_events, action, note);
  };
  ReleaseTotals totals;
  std::optional<std::int64_t> after;
  while (!release.limit || totals.matched < *release.limit) {
    std::size_t max_events = kEventsPerStep;
    if (release.limit) {
      max_events = std::min(max_events, static_cast<std::size_t>(*release.limit - totals.matched));
    }
    const auto step = co_await take_step(after, max_events);
    if (!step && (totals.matched == 0 || release.is_dry_run)) {
      co_return step.error();
    }
    if (!step) {
      totals.is_incomplete = true;
      break;
    }
    totals.matched += step->matched;
    totals.released += step->released;
    after = step->next;
    if (!after) {
      break;
    }
  }
  co_return totals;
}

// `done`: the name of the count of deliveries. Of a dry run that count is 0, for none was released,
// and `deliveries` is how many would be.
ServerAnswer totals_answer(const Result<ReleaseTotals>& totals, std::string_view done,
                           bool is_dry_run) {
  if (!totals) {
    return store_error_answer(totals.error());
  }
  std::string answer = R"({"matched":)" + std::to_string(totals->matched) + ",";
  append_json_string(answer, done);
  if (is_dry_run) {
    answer += R"(:0,"deliveries")";
  }
  answer += ":" + std::to_string(totals->released);
  answer += totals->is_incomplete ? R"(,"incomplete":true})" : "}";
  return json_answer(202, std::move(answer));
}

awaitable<ServerAnswer> release_by_filter(const ApiContext& context, ApiRequest request,
                                          ReleaseAction action, std::string_view done) {
  std::array fields{JsonField{"filter"}, JsonField{"limit"}, JsonField{"dry_run"},
                    JsonField{"note"}};
  BodyRead body = read_json_body(request, fields);
  if (body.kind == BodyRead::Kind::refused) {
    co_return *std::move(body.refusal);
  }
  Faults faults;
  ReleaseRequest release;
  if (expect_object(body, request, faults)) {
    release = read_release(body.json, fields, faults);
  }
  if (!faults.empty()) {
    co_return faults_answer(faults);
  }
  const bool is_dry_run = release.is_dry_run;
  const auto totals =
      co_await carry_out(context.store, std::move(release), action, caller_of(request.head));
  co_return totals_answer(totals, done, is_dry_run);
}

// The event is there, and has nothing that can be released to that endpoint.
ServerAnswer no_delivery_answer(const EventView& view, const std::string& endpoint_id) {
  const std::string id = to_string(view.event.id);
  const bool has_one = std::ranges::find(view.deliveries, endpoint_id,
                                         &DeliveryView::endpoint_id) != view.deliveries.end();
  return error_answer(404, has_one ? "Endpoint " + endpoint_id + " was deleted: event " + id +
                                         " cannot be delivered to it again"
                                   : "Event " + id + " has no delivery to endpoint " + endpoint_id);
}

awaitable<ServerAnswer> release_one(const ApiContext& context, ApiRequest request,
                                    ReleaseAction action, std::string_view done) {
  const auto id = parse_uuid(request.id);
  if (!id) {
    co_return event_not_found_answer(request.id);
  }
  std::array fields{JsonField{"endpoint_id"}, JsonField{"note"}};
  BodyRead body = read_json_body(request, fields);
  if (body.kind == BodyRead::Kind::refused) {
    co_return *std::move(body.refusal);
  }
  Faults faults;
  std::optional<std::string> endpoint_id;
  ReleaseNote note{caller_of(request.head), {}};
  if (body.kind != BodyRead::Kind::absent && expect_object(body, request, faults)) {
    ObjectReader reader{{"body"}, body.json, faults};
    endpoint_id = reader.optional_text(fields[0]);
    note.note = read_note(reader, fields[1], faults);
    reader.refuse_others(fields);
  }
  if (!faults.empty()) {
    co_return faults_answer(faults);
  }
  const auto released = co_await context.store.release(*id, endpoint_id, action, std::move(note));
  if (!released && released.error().kind == ErrorKind::not_found && endpoint_id) {
    const auto view = co_await context.store.event(*id);
    if (view) {
      co_return no_delivery_answer(*view, *endpoint_id);
    }
  }
  if (!released) {
    co_return event_error_answer(released.error(), request.id);
  }
  std::string answer = R"({"id":")" + to_string(*id) + R"(",)";
  append_json_string(answer, done);
  answer += ":" + std::to_string(*released) + "}";
  co_return json_answer(202, std::move(answer));
}

}  // namespace

HandlerResult post_event_replay(const ApiContext& context, ApiRequest request) {
  co_return co_await release_one(context, std::move(request), ReleaseAction::replay, kReplayed);
}

HandlerResult post_event_discard(const ApiContext& context, ApiRequest request) {
  co_return co_await release_one(context, std::move(request), ReleaseAction::discard, kDiscarded);
}

HandlerResult post_replay(const ApiContext& context, ApiRequest request) {
  co_return co_await release_by_filter(context, std::move(request), ReleaseAction::replay,
                                       kReplayed);
}

HandlerResult post_discard(const ApiContext& context, ApiRequest request) {
  co_return co_await release_by_filter(context, std::move(request), ReleaseAction::discard,
                                       kDiscarded);
}

}  // namespace dispatcher
