#include "hosts/events_command.hpp"

#include "base/url_text.hpp"
#include "hosts/answer_tables.hpp"
#include "hosts/client_answers.hpp"
#include "hosts/events_filter.hpp"
#include "hosts/paged_list.hpp"
#include "hosts/terminal_text.hpp"
#include "hosts/text_table.hpp"

#include <fmt/format.h>

#include <array>
#include <utility>
#include <vector>

namespace dispatcher {
namespace {

constexpr std::array kEventColumns{Column{"ID", "id"},
                                   Column{"CREATED", "created_at"},
                                   Column{"STATUS", "status"},
                                   Column{"TYPE", "type"},
                                   Column{"SOURCE", "source"},
                                   Column{"ATTEMPTS", "delivery_attempts"},
                                   Column{"LAST ERROR", "error_message"}};

constexpr std::array kDeliveryColumns{
    Column{"ENDPOINT", "endpoint_id"},        Column{"STATE", "state"},
    Column{"ATTEMPTS", "attempts"},           Column{"NEXT ATTEMPT", "next_attempt_at"},
    Column{"REVIEW REASON", "review_reason"}, Column{"LAST STATUS", "last_status"},
    Column{"LAST ERROR", "last_error"}};

constexpr std::array kAttemptColumns{
    Column{"NUMBER", "number"},          Column{"ENDPOINT", "endpoint_id"},
    Column{"STARTED", "started_at"},     Column{"MS", "duration_ms"},
    Column{"OUTCOME", "outcome"},        Column{"STATUS", "status"},
    Column{"ADDRESS", "remote_address"}, Column{"ERROR", "error"}};

constexpr std::array kReleaseColumns{Column{"RELEASED", "at"}, Column{"ENDPOINT", "endpoint_id"},
                                     Column{"ACTION", "action"}, Column{"BY", "by"},
                                     Column{"NOTE", "note"}};

boost::asio::awaitable<Result<std::string>> ask(ClientPorts ports, std::string method,
                                                std::string path) {
  auto request = json_request(std::move(method), std::move(path));
  const auto answer = co_await request_patiently(ports, std::move(request), true);
  if (!answer) {
    co_return answer.error();
  }
  if (answer->status != 200) {
    co_return answer_error(*answer);
  }
  co_return answer->body;
}

boost::asio::awaitable<int> list(ClientPorts ports, EventsConfig config, std::ostream& out,
                                 std::ostream& err) {
  std::string query = query_of(config.filter) + "&order=" + config.order;
  PagedList events{ports, "/events", std::move(query), config.limit};
  co_return co_await print_list(std::move(events), kEventColumns, config.is_json, out, err);
}

std::string event_text(std::string_view event) {
  static constexpr std::array kFields{Column{"id", "id"},
                                      Column{"type", "type"},
                                      Column{"source", "source"},
                                      Column{"status", "status"},
                                      Column{"created", "created_at"},
                                      Column{"updated", "updated_at"},
                                      Column{"attempts", "delivery_attempts"},
                                      Column{"latency (ms)", "delivery_latency_ms"},
                                      Column{"error", "error_message"}};
  std::string text = fields_text(event, kFields);
  for (const auto& table : {objects_text(member(event, "deliveries"), kDeliveryColumns),
                            objects_text(member(event, "releases"), kReleaseColumns)}) {
    text += table.empty() ? "" : "\n" + table;
  }
  if (const auto payload = member(event, "payload")) {
    // A sender's bytes: its line breaks are kept, what would command the terminal is not.
    text += fmt::format("\n{}\n", without_controls(payload->raw, "\t\n"));
  }
  return text;
}

boost::asio::awaitable<int> show(ClientPorts ports, EventsConfig config, std::ostream& out,
                                 std::ostream& err) {
  const auto event = co_await ask(ports, "GET", "/events/" + percent_encode(config.id));
  if (!event) {
    co_return report_error(err, event.error());
  }
  out << (config.is_json ? *event + "\n" : event_text(*event)) << std::flush;
  co_return out ? 0 : 1;
}

boost::asio::awaitable<int> attempts(ClientPorts ports, EventsConfig config, std::ostream& out,
                                     std::ostream& err) {
  const auto answer =
      co_await ask(ports, "GET", fmt::format("/events/{}/attempts", percent_encode(config.id)));
  if (!answer) {
    co_return report_error(err, answer.error());
  }
  const auto items = member(*answer, "items");
  if (config.is_json) {
    out << (items ? items->raw : "[]") << "\n" << std::flush;
    co_return out ? 0 : 1;
  }
  const auto table = objects_text(items, kAttemptColumns);
  out << (table.empty() ? text_table({heading(kAttemptColumns)}) : table) << std::flush;
  co_return out ? 0 : 1;
}

boost::asio::awaitable<int> erase(ClientPorts ports, EventsConfig config, std::ostream& out,
                                  std::ostream& err) {
  const auto answer = co_await ask(ports, "DELETE", "/events/" + percent_encode(config.id));
  if (!answer) {
    co_return report_error(err, answer.error());
  }
  out << (config.is_json ? *answer : "deleted " + config.id) << "\n" << std::flush;
  co_return out ? 0 : 1;
}

}  // namespace

boost::asio::awaitable<int> run_events(ClientPorts ports, EventsConfig config, std::ostream& out,
                                       std::ostream& err) {
  switch (config.action) {
    case EventsAction::list: co_return co_await list(ports, std::move(config), out, err);
    case EventsAction::show: co_return co_await show(ports, std::move(config), out, err);
    case EventsAction::attempts: co_return co_await attempts(ports, std::move(config), out, err);
    case EventsAction::erase: co_return co_await erase(ports, std::move(config), out, err);
  }
  co_return 2;
}

}  // namespace dispatcher
