#include "hosts/release_command.hpp"

#include "base/json_text.hpp"
#include "base/url_text.hpp"
#include "hosts/answer_tables.hpp"
#include "hosts/client_answers.hpp"
#include "hosts/events_filter.hpp"

#include <fmt/format.h>

#include <chrono>
#include <utility>

namespace dispatcher {
namespace {

// The service answers when the last of them is released.
constexpr std::chrono::hours kMaxTimeOfMany{1};

// `"name":"value"`, where there is a value.
void append_text(std::string& json, std::string_view name, std::string_view value) {
  if (!value.empty()) {
    json += fmt::format("{}\"{}\":", json.size() > 1 ? "," : "", name);
    append_json_string(json, value);
  }
}

TriggersRequest release_of_one(const ReleaseConfig& config) {
  std::string body = "{";
  append_text(body, "endpoint_id", config.filter.endpoint_id);
  append_text(body, "note", config.note);
  return json_request(
      "POST", fmt::format("/events/{}/{}", percent_encode(config.id), to_string(config.action)),
      body + "}");
}

TriggersRequest release_of_many(const ReleaseConfig& config) {
  std::string body = R"({"filter":)" + filter_json(config.filter);
  body += config.limit ? fmt::format(",\"limit\":{}", *config.limit) : "";
  body += config.is_dry_run ? ",\"dry_run\":true" : "";
  append_text(body, "note", config.note);
  return json_request("POST", fmt::format("/{}", to_string(config.action)), body + "}");
}

std::string number_in(std::string_view answer, std::string_view name) {
  const auto number = member(answer, name);
  return number && number->kind == JsonKind::number ? std::string{number->raw} : "?";
}

std::string release_text(const ReleaseConfig& config, std::string_view answer) {
  if (config.is_dry_run) {
    return fmt::format("{} events match, {} deliveries would be {}; nothing was changed\n",
                       number_in(answer, "matched"), number_in(answer, "deliveries"),
                       config.action == ReleaseAction::replay ? "sent again" : "discarded");
  }
  const std::string_view done = config.action == ReleaseAction::replay ? "replayed" : "discarded";
  const auto deliveries = fmt::format("{} {} deliveries", done, number_in(answer, done));
  return config.id.empty()
             ? fmt::format("{} of {} events\n", deliveries, number_in(answer, "matched"))
             : deliveries + "\n";
}

// A release of many is never sent again, whatever the answer: a part of it may have been done by
// whoever answers. What was replayed may be delivered by now, and would be once more; under a
// limit, more would be discarded.
boost::asio::awaitable<Result<Answer>> ask_for(ClientPorts ports, const ReleaseConfig& config,
                                               TriggersRequest request) {
  if (config.id.empty() && !config.is_dry_run) {
    request.is_repeatable = false;
    co_return co_await ports.api.request(std::move(request));
  }
  const bool is_repeatable = config.is_dry_run;
  co_return co_await request_patiently(ports, std::move(request), is_repeatable);
}

}  // namespace

boost::asio::awaitable<int> run_release(ClientPorts ports, ReleaseConfig config, std::ostream& out,
                                        std::ostream& err) {
  auto request = config.id.empty() ? release_of_many(config) : release_of_one(config);
  if (config.id.empty()) {
    request.deadline = ports.clock.monotonic() + kMaxTimeOfMany;
  }
  const auto answer = co_await ask_for(ports, config, std::move(request));
  if (!answer) {
    co_return report_error(
        err, make_error(answer.error().kind,
                        answer.error().message + "; it may have been done, or a part of it"));
  }
  if (answer->status != 202) {
    co_return report_refusal(err, *answer, filter_flags());
  }
  out << (config.is_json ? answer->body + "\n" : release_text(config, answer->body)) << std::flush;
  if (member(answer->body, "incomplete")) {
    co_return report_error(err, make_error(ErrorKind::retry_later,
                                           "the store failed meanwhile: there may be more to do"));
  }
  co_return out ? 0 : 1;
}

}  // namespace dispatcher
