#include "hosts/events_command.hpp"

#include "base/json_scanner.hpp"
#include "base/url_text.hpp"
#include "hosts/client_answers.hpp"
#include "hosts/text_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace dispatcher {
namespace {

// The service's pages.
constexpr std::int64_t kMaxPage = 1000;
// Of an error, in a table.
constexpr std::size_t kMaxErrorBytes = 60;

struct Column {
  std::string_view title;
  std::string_view field;
};

// How a value is shown in a table: a text without its quotes, nothing for null.
std::string cell_of(const JsonField& field) {
  if (!field.value || field.value->kind == JsonKind::null) {
    return "-";
  }
  if (field.value->kind != JsonKind::string) {
    return std::string{field.value->raw};
  }
  std::string text = decode_json_string(*field.value).value_or("?");
  if (text.size() > kMaxErrorBytes) {
    std::size_t end = kMaxErrorBytes;
    while ((static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) {
      --end;  // never through the middle of a character
    }
    text.resize(end);
    text += "…";
  }
  return text;
}

std::vector<std::string> heading(std::span<const Column> columns) {
  std::vector<std::string> row;
  for (const Column& column : columns) {
    row.emplace_back(column.title);
  }
  return row;
}

std::vector<std::string> row_of_object(std::string_view object, std::span<const Column> columns) {
  std::vector<JsonField> fields;
  for (const Column& column : columns) {
    fields.push_back({column.field});
  }
  (void)scan_json(object, fields);  // what cannot be read is shown as absent
  std::vector<std::string> row;
  for (const JsonField& field : fields) {
    row.push_back(cell_of(field));
  }
  return row;
}

std::optional<JsonValue> member(std::string_view object, std::string_view name) {
  std::array fields{JsonField{name}};
  (void)scan_json(object, fields);  // what cannot be read has no members
  return fields[0].value;
}

std::vector<std::string_view> elements_of(const std::optional<JsonValue>& array) {
  std::vector<std::string_view> elements;
  if (array && array->kind == JsonKind::array) {
    JsonElements rest{*array};
    while (const auto element = rest.next()) {
      elements.push_back(element->raw);
    }
  }
  return elements;
}

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

std::string query_of(const EventsConfig& config) {
  std::string query;
  const std::pair<std::string_view, const std::string*> values[] = {
      {"status", &config.status}, {"state", &config.state},   {"endpoint_id", &config.endpoint_id},
      {"type", &config.type},     {"source", &config.source}, {"reason", &config.reason},
      {"from", &config.from},     {"to", &config.to},         {"order", &config.order}};
  for (const auto& [name, value] : values) {
    if (!value->empty()) {
      query += fmt::format("&{}={}", name, percent_encode(*value));
    }
  }
  return query;
}

boost::asio::awaitable<Result<std::string>> get(ClientPorts ports, std::string path) {
  TriggersRequest request;
  request.path = std::move(path);
  const auto answer = co_await request_patiently(ports, std::move(request), true);
  if (!answer) {
    co_return answer.error();
  }
  if (answer->status != 200) {
    co_return answer_error(*answer);
  }
  co_return answer->body;
}

// Prints items as they come: an array, or a table a page.
class ListPrinter {
 public:
  ListPrinter(std::ostream& out, bool is_json) : out_(out), is_json_(is_json) {}

  void print(std::span<const std::string_view> items) {
    if (is_json_) {
      for (const auto& item : items) {
        out_ << (std::exchange(has_begun_, true) ? "," : "[") << item;
      }
      return;
    }
    std::vector<std::vector<std::string>> rows;
    if (!std::exchange(has_begun_, true)) {
      rows.push_back(heading(kEventColumns));
    }
    for (const auto& item : items) {
      rows.push_back(row_of_object(item, kEventColumns));
    }
    out_ << text_table(rows);
  }

  void end() {
    if (is_json_) {
      out_ << (has_begun_ ? "]\n" : "[]\n");
    }
    out_.flush();
  }

 private:
  std::ostream& out_;
  bool is_json_;
  bool has_begun_ = false;
};

boost::asio::awaitable<int> list(ClientPorts ports, EventsConfig config, std::ostream& out,
                                 std::ostream& err) {
  ListPrinter printer{out, config.is_json};
  std::int64_t left = config.limit;
  std::string cursor;
  while (left > 0) {
    std::string path =
        fmt::format("/events?limit={}{}", std::min(left, kMaxPage), query_of(config));
    path += cursor.empty() ? "" : "&cursor=" + percent_encode(cursor);
    const auto page = co_await get(ports, std::move(path));
    if (!page) {
      co_return report_error(err, page.error());
    }
    const auto items = elements_of(member(*page, "items"));
    printer.print(items);
    left -= static_cast<std::int64_t>(items.size());
    const auto next = member(*page, "next_cursor");
    if (!next || next->kind != JsonKind::string) {
      break;
    }
    cursor = decode_json_string(*next).value_or(std::string{});
  }
  printer.end();
  co_return out ? 0 : 1;
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
  const auto cells = row_of_object(event, kFields);
  std::vector<std::vector<std::string>> rows;
  for (std::size_t i = 0; i < kFields.size(); ++i) {
    rows.push_back({std::string{kFields[i].title}, cells[i]});
  }
  std::string text = text_table(rows);
  std::vector<std::vector<std::string>> deliveries{heading(kDeliveryColumns)};
  for (const auto& delivery : elements_of(member(event, "deliveries"))) {
    deliveries.push_back(row_of_object(delivery, kDeliveryColumns));
  }
  if (deliveries.size() > 1) {
    text += "\n" + text_table(deliveries);
  }
  if (const auto payload = member(event, "payload")) {
    text += fmt::format("\n{}\n", payload->raw);
  }
  return text;
}

boost::asio::awaitable<int> show(ClientPorts ports, EventsConfig config, std::ostream& out,
                                 std::ostream& err) {
  const auto event = co_await get(ports, "/events/" + percent_encode(config.id));
  if (!event) {
    co_return report_error(err, event.error());
  }
  out << (config.is_json ? *event + "\n" : event_text(*event)) << std::flush;
  co_return out ? 0 : 1;
}

boost::asio::awaitable<int> attempts(ClientPorts ports, EventsConfig config, std::ostream& out,
                                     std::ostream& err) {
  const auto answer =
      co_await get(ports, fmt::format("/events/{}/attempts", percent_encode(config.id)));
  if (!answer) {
    co_return report_error(err, answer.error());
  }
  const auto items = member(*answer, "items");
  if (config.is_json) {
    out << (items ? items->raw : "[]") << "\n" << std::flush;
    co_return out ? 0 : 1;
  }
  std::vector<std::vector<std::string>> rows{heading(kAttemptColumns)};
  for (const auto& item : elements_of(items)) {
    rows.push_back(row_of_object(item, kAttemptColumns));
  }
  out << text_table(rows) << std::flush;
  co_return out ? 0 : 1;
}

}  // namespace

boost::asio::awaitable<int> run_events(ClientPorts ports, EventsConfig config, std::ostream& out,
                                       std::ostream& err) {
  switch (config.action) {
    case EventsAction::list: co_return co_await list(ports, std::move(config), out, err);
    case EventsAction::show: co_return co_await show(ports, std::move(config), out, err);
    case EventsAction::attempts: co_return co_await attempts(ports, std::move(config), out, err);
  }
  co_return 2;
}

}  // namespace dispatcher
