#include "hosts/dry_run.hpp"

#include "base/json_scanner.hpp"
#include "base/json_text.hpp"
#include "hosts/client_answers.hpp"
#include "hosts/text_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace dispatcher {
namespace {

constexpr std::int64_t kMaxAnswer = 1000;  // the contract's

std::string text_of(const JsonField& field) {
  return field.value && field.value->kind == JsonKind::string
             ? decode_json_string(*field.value).value_or("?")
             : "?";
}

std::string as_json(const std::vector<DueEvent>& events) {
  std::string out = "[";
  for (const DueEvent& event : events) {
    out += out == "[" ? "" : ",";
    out += event.raw;
  }
  return out + "]\n";
}

std::string as_table(const std::vector<DueEvent>& events) {
  std::vector<std::vector<std::string>> rows{{"ID", "CREATED", "TYPE", "SOURCE"}};
  for (const DueEvent& event : events) {
    rows.push_back({event.id, event.created_at, event.type, event.source});
  }
  return text_table(rows);
}

}  // namespace

TriggersRequest due_events_request(std::int64_t max_events) {
  TriggersRequest request;
  request.path = fmt::format("/inbox?limit={}", std::min(max_events, kMaxAnswer));
  return request;
}

std::vector<DueEvent> due_events_in(std::string_view body, std::int64_t max_events) {
  const JsonScan scan = scan_json(body);
  const auto* array = std::get_if<JsonValue>(&scan);
  std::vector<DueEvent> events;
  if (array == nullptr || array->kind != JsonKind::array) {
    return events;
  }
  JsonElements elements{*array};
  while (const auto element = elements.next()) {
    std::array fields{JsonField{"id"}, JsonField{"type"}, JsonField{"source"},
                      JsonField{"created_at"}};
    (void)scan_json(element->raw, fields);  // accepted already, as part of the body
    events.push_back({text_of(fields[0]), text_of(fields[1]), text_of(fields[2]),
                      text_of(fields[3]), element->raw});
  }
  std::stable_sort(events.begin(), events.end(), [](const DueEvent& a, const DueEvent& b) {
    return a.created_at < b.created_at;
  });
  events.resize(std::min(events.size(), static_cast<std::size_t>(max_events)));
  return events;
}

std::string due_events_summary(const std::vector<DueEvent>& events) {
  std::string out = fmt::format(R"({{"dry_run":true,"total_events":{},"events":[)", events.size());
  for (const DueEvent& event : events) {
    out += out.ends_with('[') ? R"({"id":)" : R"(,{"id":)";
    append_json_string(out, event.id);
    out += R"(,"type":)";
    append_json_string(out, event.type);
    out += R"(,"source":)";
    append_json_string(out, event.source);
    out += R"(,"created_at":)";
    append_json_string(out, event.created_at);
    out += "}";
  }
  return out + "]}";
}

boost::asio::awaitable<int> run_dry(ClientPorts ports, RunConfig config, std::ostream& out,
                                    std::ostream& err) {
  TriggersRequest request = due_events_request(config.max_events);
  const auto answer = co_await request_patiently(ports, std::move(request), true);
  if (!answer) {
    co_return report_error(err, answer.error());
  }
  if (answer->status != 200) {
    co_return report_error(err, answer_error(*answer));
  }
  const auto events = due_events_in(answer->body, config.max_events);
  out << (config.is_json ? as_json(events) : as_table(events)) << std::flush;
  co_return out ? 0 : 1;
}

}  // namespace dispatcher
