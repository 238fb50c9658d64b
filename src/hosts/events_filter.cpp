#include "hosts/events_filter.hpp"

#include "base/json_text.hpp"
#include "base/url_text.hpp"

#include <fmt/format.h>

#include <array>

namespace dispatcher {
namespace {

struct FilterField {
  FlagName name;
  std::string EventsFilter::*value;
};

constexpr std::array kFields{
    FilterField{{"status", "--status"}, &EventsFilter::status},
    FilterField{{"state", "--state"}, &EventsFilter::state},
    FilterField{{"endpoint_id", "--endpoint-id"}, &EventsFilter::endpoint_id},
    FilterField{{"type", "--type"}, &EventsFilter::type},
    FilterField{{"source", "--source"}, &EventsFilter::source},
    FilterField{{"reason", "--reason"}, &EventsFilter::reason},
    FilterField{{"from", "--from"}, &EventsFilter::from},
    FilterField{{"to", "--to"}, &EventsFilter::to},
};

constexpr std::array kFlags{
    kFields[0].name,
    kFields[1].name,
    kFields[2].name,
    kFields[3].name,
    kFields[4].name,
    kFields[5].name,
    kFields[6].name,
    kFields[7].name,
    FlagName{"limit", "--limit"},
    FlagName{"note", "--note"},
};

}  // namespace

std::string query_of(const EventsFilter& filter) {
  std::string query;
  for (const FilterField& field : kFields) {
    const std::string& value = filter.*field.value;
    query += value.empty() ? "" : fmt::format("&{}={}", field.name.field, percent_encode(value));
  }
  return query;
}

std::string filter_json(const EventsFilter& filter) {
  std::string json = "{";
  for (const FilterField& field : kFields) {
    const std::string& value = filter.*field.value;
    if (!value.empty()) {
      json += fmt::format("{}\"{}\":", json.size() > 1 ? "," : "", field.name.field);
      append_json_string(json, value);
    }
  }
  return json + "}";
}

std::span<const FlagName> filter_flags() {
  return kFlags;
}

}  // namespace dispatcher
