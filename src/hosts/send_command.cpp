#include "hosts/send_command.hpp"

#include "base/ids.hpp"
#include "base/json_scanner.hpp"
#include "base/json_text.hpp"
#include "hosts/client_answers.hpp"
#include "hosts/given_text.hpp"

#include <fmt/format.h>

#include <array>
#include <fstream>
#include <optional>
#include <sstream>

namespace dispatcher {
namespace {

// The service's limits, and how much of them a request takes.
constexpr std::size_t kMaxBatchEvents = 1000;
constexpr std::size_t kMaxBatchBytes = 900 * 1024;
constexpr std::size_t kMaxPayloadBytes = 64 * 1024 * 1024;

// `JSON`, `@FILE` or `-`; a JSON object, as it was written.
Result<std::string> read_payload(const std::string& given, std::istream& in) {
  const auto payload = read_given_text("--payload", given, in, kMaxPayloadBytes);
  if (!payload) {
    return payload.error();
  }
  const JsonScan scan = scan_json(*payload);
  const auto* value = std::get_if<JsonValue>(&scan);
  if (value == nullptr || value->kind != JsonKind::object) {
    return make_error(ErrorKind::invalid,
                      "--payload: is not a JSON object (give e.g. '{\"id\":1}', @FILE or -)");
  }
  return std::string{value->raw};
}

std::string event_body(const SendConfig& config, std::string_view payload) {
  std::string body = R"({"type":)";
  append_json_string(body, config.type);
  body += R"(,"source":)";
  append_json_string(body, config.source);
  body += R"(,"payload":)";
  body += payload;
  body += "}";
  return body;
}

// A key of its own for each request, so that sending it again makes no second event.
std::string fresh_key(ClientPorts& ports) {
  return to_string(make_uuid_v7(ports.clock.wall(), ports.random.next(), ports.random.next()));
}

std::string id_in(std::string_view answer) {
  std::array fields{JsonField{"id"}};
  (void)scan_json(answer, fields);  // what cannot be read has no id
  return fields[0].value && fields[0].value->kind == JsonKind::string
             ? decode_json_string(*fields[0].value).value_or(std::string{})
             : std::string{};
}

boost::asio::awaitable<int> send_one(ClientPorts ports, SendConfig config, std::istream& in,
                                     std::ostream& out, std::ostream& err) {
  const auto payload = read_payload(config.payload, in);
  if (!payload) {
    co_return report_error(err, payload.error());
  }
  TriggersRequest request;
  request.method = "POST";
  request.path = "/events";
  request.content_type = "application/json";
  request.body = event_body(config, *payload);
  request.headers.push_back({"Idempotency-Key", fresh_key(ports)});
  // An API that knows no Idempotency-Key would take what is sent again for another event.
  const auto answer = co_await request_patiently(ports, std::move(request), false);
  if (!answer) {
    co_return report_error(
        err, make_error(answer.error().kind,
                        answer.error().message + "; the event may have been accepted or not"));
  }
  if (answer->status != 201) {
    co_return report_error(err, answer_error(*answer));
  }
  out << (config.is_json ? answer->body : id_in(answer->body)) << "\n" << std::flush;
  co_return out ? 0 : 1;
}

struct Batch {
  std::string body;  // NDJSON
  std::size_t events = 0;
  std::size_t first_line = 0;
  std::size_t last_line = 0;
};

// Cuts the input into batches; one line is never cut.
class BatchReader {
 public:
  explicit BatchReader(std::istream& in) : in_(in) {}

  // Empty at the end.
  [[nodiscard]] std::optional<Batch> next() {
    Batch batch;
    while (batch.events < kMaxBatchEvents && (has_line_ || read_line())) {
      if (batch.events > 0 && batch.body.size() + line_.size() + 1 > kMaxBatchBytes) {
        break;
      }
      batch.first_line = batch.events == 0 ? number_ : batch.first_line;
      batch.last_line = number_;
      batch.body += line_;
      batch.body += '\n';
      ++batch.events;
      has_line_ = false;
    }
    return batch.events == 0 ? std::nullopt : std::optional{std::move(batch)};
  }

 private:
  bool read_line() {
    while (std::getline(in_, line_)) {
      ++number_;
      if (line_.find_first_not_of(" \t\r") != std::string::npos) {
        has_line_ = true;
        return true;
      }
    }
    return false;
  }

  std::istream& in_;
  std::string line_;
  std::size_t number_ = 0;
  bool has_line_ = false;
};

void print_items(std::string_view body, std::ostream& out) {
  std::array fields{JsonField{"items"}};
  (void)scan_json(body, fields);  // what cannot be read has no items
  if (!fields[0].value || fields[0].value->kind != JsonKind::array) {
    return;
  }
  JsonElements items{*fields[0].value};
  while (const auto item = items.next()) {
    out << item->raw << "\n";
  }
}

Error batch_error(const Error& error, const Batch& batch, std::size_t sent) {
  return make_error(error.kind,
                    fmt::format("lines {} to {}: {} ({} events before them were accepted)",
                                batch.first_line, batch.last_line, error.message, sent));
}

boost::asio::awaitable<int> send_batches(ClientPorts ports, SendConfig config, std::istream& in,
                                         std::ostream& out, std::ostream& err) {
  BatchReader reader{in};
  std::size_t sent = 0;
  while (const auto batch = reader.next()) {
    TriggersRequest request;
    request.method = "POST";
    request.path = "/events/batch";
    request.content_type = "application/x-ndjson";
    request.body = batch->body;
    request.headers.push_back({"Idempotency-Key", fresh_key(ports)});
    const auto answer = co_await request_patiently(ports, std::move(request), true);
    if (!answer || answer->status != 201) {
      const Error error = answer ? answer_error(*answer) : answer.error();
      co_return report_error(err, batch_error(error, *batch, sent));
    }
    sent += batch->events;
    if (config.is_json) {
      print_items(answer->body, out);
    }
  }
  if (!config.is_json) {
    out << fmt::format("sent {} events\n", sent);
  }
  out.flush();
  co_return out ? 0 : 1;
}

}  // namespace

boost::asio::awaitable<int> run_send(ClientPorts ports, SendConfig config, std::istream& in,
                                     std::ostream& out, std::ostream& err) {
  if (config.batch_file.empty()) {
    co_return co_await send_one(ports, std::move(config), in, out, err);
  }
  if (config.batch_file == "-") {
    co_return co_await send_batches(ports, std::move(config), in, out, err);
  }
  std::ifstream file{config.batch_file, std::ios::binary};
  if (!file) {
    co_return report_error(
        err, make_error(ErrorKind::invalid,
                        fmt::format("--batch: cannot read the file {}", config.batch_file)));
  }
  co_return co_await send_batches(ports, std::move(config), file, out, err);
}

}  // namespace dispatcher
