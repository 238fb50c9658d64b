#include "hosts/endpoints_command.hpp"

#include "base/json_text.hpp"
#include "base/number_text.hpp"
#include "base/url_text.hpp"
#include "hosts/answer_tables.hpp"
#include "hosts/client_answers.hpp"
#include "hosts/endpoint_body.hpp"
#include "hosts/paged_list.hpp"
#include "hosts/test_exchange_text.hpp"
#include "hosts/text_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace dispatcher {
namespace {

constexpr std::string_view kResource = "/endpoints";
constexpr std::string_view kDiscardsWaiting = "?waiting=discard";
// What the service takes for a test besides the endpoint's own time-out.
constexpr std::chrono::seconds kTestMargin{15};
// More is no time-out that the service gives an endpoint.
constexpr double kMaxTestSeconds = 3'600;

constexpr std::array kListColumns{Column{"ID", "id"},
                                  Column{"STATE", "state"},
                                  Column{"BREAKER", "breaker"},
                                  Column{"WAITING", "stats.waiting"},
                                  Column{"REVIEW", "stats.review"},
                                  Column{"DELIVERED", "stats.delivered"},
                                  Column{"FAILING SINCE", "failing_since"},
                                  Column{"OLDEST WAITING", "stats.oldest_waiting"},
                                  Column{"DESCRIPTION", "description"},
                                  Column{"URL", "url", true}};

constexpr std::array kFields{Column{"id", "id"},
                             Column{"url", "url"},
                             Column{"description", "description"},
                             Column{"state", "state"},
                             Column{"because", "state_reason"},
                             Column{"types", "types"},
                             Column{"sources", "sources"},
                             Column{"body", "body"},
                             Column{"headers", "headers"},
                             Column{"concurrency", "concurrency"},
                             Column{"rate (1/s)", "rate_per_second"},
                             Column{"time-out (s)", "timeout_seconds"},
                             Column{"retries", "retries"},
                             Column{"schedule (s)", "schedule_seconds"},
                             Column{"breaker", "breaker"},
                             Column{"failing since", "failing_since"},
                             Column{"created", "created_at"},
                             Column{"updated", "updated_at"},
                             Column{"delivered", "stats.delivered"},
                             Column{"failed attempts", "stats.failed"},
                             Column{"waiting", "stats.waiting"},
                             Column{"in review", "stats.review"},
                             Column{"oldest waiting", "stats.oldest_waiting"},
                             Column{"p50 (ms)", "stats.p50_ms"},
                             Column{"p99 (ms)", "stats.p99_ms"}};

// What a command asks for, and how its answer is shown.
struct Call {
  TriggersRequest request;
  int success = 200;
  bool is_repeatable = true;
  // Of one that is not: what to look at when no answer came.
  std::string_view when_in_doubt = {};
};

std::string path_of(const EndpointsConfig& config, std::string_view rest = {}) {
  return fmt::format("{}/{}{}", kResource, percent_encode(config.id), rest);
}

Call post(const EndpointsConfig& config, std::string_view action) {
  return {json_request("POST", path_of(config, action))};
}

Call test(const EndpointsConfig& config) {
  Call call = post(config, config.reveals ? "/test?reveal=true" : "/test");
  call.is_repeatable = false;
  call.when_in_doubt = "the test event may have been sent";
  return call;
}

Call rotation(const EndpointsConfig& config) {
  std::string body = "{";
  if (config.overlap) {
    body += fmt::format("\"overlap_seconds\":{}",
                        std::chrono::ceil<std::chrono::seconds>(*config.overlap).count());
  }
  Call call{json_request("POST", path_of(config, "/rotate-secret"), body + "}")};
  call.is_repeatable = false;
  call.when_in_doubt = "it may have been rotated; rotate it again to see a secret";
  return call;
}

Result<Call> creation(const EndpointsConfig& config, std::istream& in) {
  auto body = endpoint_body(config.changes, in);
  if (!body) {
    return body.error();
  }
  Call call{json_request("POST", std::string{kResource}, std::move(*body)), 201};
  call.is_repeatable = false;
  call.when_in_doubt = "it may have been added or not; see `dispatcher endpoints list`";
  return call;
}

Result<Call> change(const EndpointsConfig& config, std::istream& in) {
  auto body = endpoint_body(config.changes, in);
  if (!body) {
    return body.error();
  }
  return Call{json_request("PATCH", path_of(config), std::move(*body))};
}

Call removal(const EndpointsConfig& config) {
  return {json_request("DELETE", path_of(config, config.discards_waiting ? kDiscardsWaiting : "")),
          204};
}

Result<Call> call_of(const EndpointsConfig& config, std::istream& in) {
  switch (config.action) {
    case EndpointsAction::add: return creation(config, in);
    case EndpointsAction::set: return change(config, in);
    case EndpointsAction::pause: return post(config, "/pause");
    case EndpointsAction::resume: return post(config, "/resume");
    case EndpointsAction::test: return test(config);
    case EndpointsAction::rotate_secret: return rotation(config);
    case EndpointsAction::remove: return removal(config);
    case EndpointsAction::list:
    case EndpointsAction::show: break;
  }
  return Call{json_request("GET", path_of(config, config.reveals ? "?reveal=true" : ""))};
}

std::string secret_text(const EndpointsConfig& config, std::string_view answer) {
  const std::string id = text_member(answer, "id");
  std::string text =
      text_table({{"id", id.empty() ? config.id : id}, {"secret", text_member(answer, "secret")}});
  text += "\nThe secret is shown this once: keep it now.\n";
  const std::string until = text_member(answer, "previous_valid_until");
  return until.empty() ? text : text + fmt::format("The one before signs too until {}.\n", until);
}

std::string answer_text(const EndpointsConfig& config, std::string_view answer) {
  switch (config.action) {
    case EndpointsAction::add:
    case EndpointsAction::rotate_secret: return secret_text(config, answer);
    case EndpointsAction::pause:
    case EndpointsAction::resume:
      return fmt::format("{} is {}\n", text_member(answer, "id"), text_member(answer, "state"));
    case EndpointsAction::test: return test_exchange_text(answer, config.reveals);
    case EndpointsAction::remove: return fmt::format("removed {}\n", config.id);
    case EndpointsAction::list:
    case EndpointsAction::show:
    case EndpointsAction::set: break;
  }
  return fields_text(answer, kFields);
}

// A removal is answered without a body.
std::string answer_json(const EndpointsConfig& config, std::string_view answer) {
  if (!answer.empty()) {
    return fmt::format("{}\n", answer);
  }
  std::string json = R"({"id":)";
  append_json_string(json, config.id);
  return json + "}\n";
}

// A removal that is refused says how it is not: with the flag of this command.
void name_flag_of_waiting(std::string& answer) {
  const auto at = answer.find(kDiscardsWaiting);
  if (at != std::string::npos) {
    answer.replace(at, kDiscardsWaiting.size(), "--waiting discard");
  }
}

// What the service finds wrong is told by the names of this command.
std::vector<FlagName> flags_of(const EndpointsConfig& config) {
  const auto known = endpoint_flags();
  std::vector<FlagName> flags{known.begin(), known.end()};
  for (FlagName& name : flags) {
    if (name.field == "url" && config.action == EndpointsAction::set) {
      name.flag = "--url";
    }
  }
  return flags;
}

boost::asio::awaitable<Result<Answer>> make_call(ClientPorts ports, Call call) {
  const bool is_repeatable = call.is_repeatable;
  auto answer = co_await request_patiently(ports, std::move(call.request), is_repeatable);
  if (!answer && !call.when_in_doubt.empty()) {
    const auto message = fmt::format("{}; {}", answer.error().message, call.when_in_doubt);
    co_return make_error(answer.error().kind, message);
  }
  co_return answer;
}

// A test takes as long as its endpoint may: by when it is answered, if at all.
boost::asio::awaitable<std::optional<MonoTime>> deadline_of(ClientPorts ports,
                                                            EndpointsConfig config) {
  if (config.action != EndpointsAction::test) {
    co_return std::nullopt;
  }
  auto request = json_request("GET", path_of(config));
  const auto answer = co_await request_patiently(ports, std::move(request), true);
  const auto timeout = answer ? member(answer->body, "timeout_seconds") : std::nullopt;
  const auto seconds = timeout ? parse_float(timeout->raw) : std::nullopt;
  if (!seconds || *seconds < 0 || *seconds > kMaxTestSeconds) {
    co_return std::nullopt;  // the test itself says what is wrong
  }
  co_return ports.clock.monotonic() + kTestMargin +
      std::chrono::round<std::chrono::microseconds>(std::chrono::duration<double>{*seconds});
}

boost::asio::awaitable<int> call_service(ClientPorts ports, EndpointsConfig config,
                                         std::istream& in, std::ostream& out, std::ostream& err) {
  auto call = call_of(config, in);
  if (!call) {
    co_return report_error(err, call.error());
  }
  call->request.deadline = co_await deadline_of(ports, config);
  const int success = call->success;
  auto answer = co_await make_call(ports, std::move(*call));
  if (!answer) {
    co_return report_error(err, answer.error());
  }
  if (answer->status != success) {
    name_flag_of_waiting(answer->body);
    co_return report_refusal(err, *answer, flags_of(config));
  }
  out << (config.is_json ? answer_json(config, answer->body) : answer_text(config, answer->body))
      << std::flush;
  const bool has_failed =
      config.action == EndpointsAction::test && !is_test_delivered(answer->body);
  co_return out && !has_failed ? 0 : 1;
}

}  // namespace

boost::asio::awaitable<int> run_endpoints(ClientPorts ports, EndpointsConfig config,
                                          std::istream& in, std::ostream& out, std::ostream& err) {
  if (config.action == EndpointsAction::list) {
    PagedList endpoints{ports, std::string{kResource}, config.reveals ? "&reveal=true" : "",
                        PagedList::kAll};
    co_return co_await print_list(std::move(endpoints), kListColumns, config.is_json, out, err);
  }
  co_return co_await call_service(ports, std::move(config), in, out, err);
}

}  // namespace dispatcher
