#include "api/event_query.hpp"

#include "api/request_body.hpp"

#include <algorithm>
#include <array>

namespace dispatcher {
namespace {

constexpr std::array<std::string_view, 8> kFilters{"status", "state",  "endpoint_id", "type",
                                                   "source", "reason", "from",        "to"};

template <class Value, class Parse>
std::optional<Value> parse_known(const std::optional<std::string>& text, Parse parse) {
  return text ? parse(*text) : std::nullopt;
}

// What of the object is a filter with a text; the rest are faults.
NamedValues read_texts(JsonValue object, const Loc& loc, Faults& faults) {
  NamedValues values;
  JsonMembers members{object};
  while (const auto member = members.next()) {
    const std::string name = decode_json_string(member->name).value_or(std::string{});
    const Loc place = loc / name;
    if (std::find(kFilters.begin(), kFilters.end(), name) == kFilters.end()) {
      faults.unknown_field(place, compact(member->value.raw));
    } else if (member->value.kind == JsonKind::string) {
      auto text = decode_json_string(member->value);
      if (!text) {
        faults.not_unicode(place, member->value.raw);
      }
      values.emplace_back(name, std::move(text).value_or(std::string{}));
    } else if (member->value.kind != JsonKind::null) {
      faults.not_string(place, compact(member->value.raw));
    }
  }
  return values;
}

}  // namespace

EventQuery read_event_query(QueryReader& reader) {
  EventQuery query;
  query.status = parse_known<EventStatus>(
      reader.one_of("status", {"pending", "delivered", "failed"}), parse_event_status);
  query.state = parse_known<DeliveryState>(
      reader.one_of("state", {"waiting", "in_flight", "delivered", "review", "discarded"}),
      parse_delivery_state);
  query.endpoint_id = reader.text("endpoint_id");
  query.type = reader.text("type");
  query.source = reader.text("source");
  query.reason = parse_known<ReviewReason>(
      reader.one_of("reason", {"rejected", "redirected", "blocked", "exhausted"}),
      parse_review_reason);
  query.from = reader.timestamp("from");
  query.to = reader.timestamp("to");
  return query;
}

EventQuery read_event_filter(JsonValue object, const Loc& loc, Faults& faults) {
  Faults own;
  NamedValues values = read_texts(object, loc, own);
  if (values.empty() && own.empty()) {
    own.wrong_value(loc,
                    "name at least one of status, state, endpoint_id, type, source, reason, from "
                    "and to: a filter without any would match every event",
                    compact(object.raw));
  }
  const Query query{std::move(values)};
  QueryReader reader{query, own, loc};
  EventQuery wanted = read_event_query(reader);
  faults.append(own);
  return wanted;
}

}  // namespace dispatcher
