#include "hosts/dry_run.hpp"

#include "base/json_scanner.hpp"
#include "hosts/client_answers.hpp"
#include "hosts/text_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

namespace dispatcher {
namespace {

constexpr std::int64_t kMaxAnswer = 1000;  // the contract's

std::string text_of(const JsonField& field) {
  return field.value && field.value->kind == JsonKind::string
             ? decode_json_string(*field.value).value_or("?")
             : "?";
}

struct Listed {
  std::string id;
  std::string type;
  std::string source;
  std::string created_at;
  std::string_view raw;
};

// What a run takes: the oldest of those shown.
std::vector<Listed> listed_in(std::string_view body, std::size_t max) {
  const JsonScan scan = scan_json(body);
  const auto* array = std::get_if<JsonValue>(&scan);
  std::vector<Listed> events;
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
  std::stable_sort(events.begin(), events.end(),
                   [](const Listed& a, const Listed& b) { return a.created_at < b.created_at; });
  events.resize(std::min(events.size(), max));
  return events;
}

std::string as_json(const std::vector<Listed>& events) {
  std::string out = "[";
  for (const Listed& event : events) {
    out += out == "[" ? "" : ",";
    out += event.raw;
  }
  return out + "]\n";
}

std::string as_table(const std::vector<Listed>& events) {
  std::vector<std::vector<std::string>> rows{{"ID", "CREATED", "TYPE", "SOURCE"}};
  for (const Listed& event : events) {
    rows.push_back({event.id, event.created_at, event.type, event.source});
  }
  return text_table(rows);
}

}  // namespace

boost::asio::awaitable<int> run_dry(ClientPorts ports, RunConfig config, std::ostream& out,
                                    std::ostream& err) {
  TriggersRequest request;
  request.path = fmt::format("/inbox?limit={}", std::min(config.max_events, kMaxAnswer));
  const auto answer = co_await request_patiently(ports, std::move(request), true);
  if (!answer) {
    co_return report_error(err, answer.error());
  }
  if (answer->status != 200) {
    co_return report_error(err, answer_error(*answer));
  }
  const auto events = listed_in(answer->body, static_cast<std::size_t>(config.max_events));
  out << (config.is_json ? as_json(events) : as_table(events)) << std::flush;
  co_return out ? 0 : 1;
}

}  // namespace dispatcher
