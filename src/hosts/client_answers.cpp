#include "hosts/client_answers.hpp"

#include "base/json_scanner.hpp"
#include "hosts/terminal_text.hpp"
#include "model/outcome.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace dispatcher {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// The pause before another try, doubling from the first to the last.
constexpr milliseconds kFirstPause{250};
constexpr seconds kLastPause{30};

std::string text_of(const JsonField& field) {
  if (!field.value || field.value->kind != JsonKind::string) {
    return {};
  }
  return decode_json_string(*field.value).value_or(std::string{});
}

// The API's words before those that say what is wrong with a value.
constexpr std::string_view kValueError = "Value error, ";

struct Fault {
  std::vector<std::string> where;
  std::string what;
};

// Never the input itself.
Fault fault_in(std::string_view json) {
  std::array fields{JsonField{"loc"}, JsonField{"msg"}};
  (void)scan_json(json, fields);  // what cannot be read has no words
  Fault fault;
  if (fields[0].value && fields[0].value->kind == JsonKind::array) {
    JsonElements steps{*fields[0].value};
    while (const auto step = steps.next()) {
      fault.where.push_back(step->kind == JsonKind::string ? decode_json_string(*step).value_or("?")
                                                           : std::string{step->raw});
    }
  }
  fault.what = text_of(fields[1]);
  if (fault.what.starts_with(kValueError)) {
    fault.what.erase(0, kValueError.size());
  }
  return fault;
}

// `body.payload: Input should be a valid dictionary`
std::string fault_text(const Fault& fault) {
  return fmt::format("{}: {}", fmt::join(fault.where, "."), fault.what);
}

std::vector<Fault> faults_of(const Answer& answer) {
  std::array fields{JsonField{"detail"}};
  (void)scan_json(answer.body, fields);  // what cannot be read names no fault
  std::vector<Fault> faults;
  if (fields[0].value && fields[0].value->kind == JsonKind::array) {
    JsonElements elements{*fields[0].value};
    while (const auto element = elements.next()) {
      faults.push_back(fault_in(element->raw));
    }
  }
  return faults;
}

// `--header: X-Tenant: what is wrong`; empty when it is of none of the fields.
std::string flag_text(const Fault& fault, std::span<const FlagName> flags) {
  // The first step says where the fields are: in the body or the query.
  for (std::size_t i = 1; i < fault.where.size(); ++i) {
    for (const FlagName& name : flags) {
      if (name.field == fault.where[i]) {
        const std::vector<std::string> inside{
            fault.where.begin() + static_cast<std::ptrdiff_t>(i) + 1, fault.where.end()};
        return fmt::format("{}: {}{}{}", name.flag, fmt::join(inside, "."),
                           inside.empty() ? "" : ": ", fault.what);
      }
    }
  }
  return {};
}

std::string detail_of(const Answer& answer) {
  std::array fields{JsonField{"detail"}};
  if (!std::holds_alternative<JsonValue>(scan_json(answer.body, fields)) || !fields[0].value) {
    return {};
  }
  if (fields[0].value->kind == JsonKind::array) {
    const auto faults = faults_of(answer);
    return faults.empty() ? std::string{} : fault_text(faults.front());
  }
  return text_of(fields[0]);
}

// An error's lines become one, and what a service made of it cannot steer the terminal.
std::string in_one_line(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c == '\n' || c == '\r' || c == '\t'; }, ' ');
  return without_controls(text);
}

// As long as the service asks for, within reason.
milliseconds pause_after(const Result<Answer>& answer, int tries, WallTime now) {
  const milliseconds backoff =
      std::min<milliseconds>(kFirstPause * (1U << static_cast<unsigned>(tries)), kLastPause);
  const auto header = answer ? answer->header("Retry-After") : std::nullopt;
  const auto asked = header ? parse_retry_after(*header, now) : std::nullopt;
  return asked ? std::min<milliseconds>(std::max<milliseconds>(*asked, backoff), kLastPause)
               : backoff;
}

}  // namespace

int report_error(std::ostream& err, const Error& error) {
  err << "dispatcher: " << in_one_line(error.message) << "\n" << std::flush;
  return error.kind == ErrorKind::invalid ? 2 : 1;
}

Error answer_error(const Answer& answer) {
  const std::string detail = detail_of(answer);
  const auto kind = is_busy(answer)        ? ErrorKind::retry_later
                    : answer.status == 404 ? ErrorKind::not_found
                                           : ErrorKind::refused;
  return make_error(kind, detail.empty()
                              ? fmt::format("the service answered {}", answer.status)
                              : fmt::format("the service answered {}: {}", answer.status, detail));
}

int report_refusal(std::ostream& err, const Answer& answer, std::span<const FlagName> flags) {
  std::vector<std::string> lines;
  const auto faults = answer.status == 422 ? faults_of(answer) : std::vector<Fault>{};
  for (const Fault& fault : faults) {
    auto line = flag_text(fault, flags);
    if (line.empty()) {
      return report_error(err, answer_error(answer));
    }
    lines.push_back(std::move(line));
  }
  if (lines.empty()) {
    return report_error(err, answer_error(answer));
  }
  int status = 0;
  for (std::string& line : lines) {
    status = report_error(err, make_error(ErrorKind::invalid, std::move(line)));
  }
  return status;
}

TriggersRequest json_request(std::string method, std::string path, std::string body) {
  TriggersRequest request;
  request.method = std::move(method);
  request.path = std::move(path);
  request.content_type = body.empty() ? "" : "application/json";
  request.body = std::move(body);
  return request;
}

bool is_busy(const Answer& answer) {
  return answer.status == 429 || answer.status == 503;
}

boost::asio::awaitable<Result<Answer>> request_patiently(ClientPorts ports, TriggersRequest request,
                                                         bool is_repeatable) {
  request.is_repeatable = is_repeatable;
  const auto timer = ports.timers.make();
  for (int tries = 0;; ++tries) {
    auto answer = co_await ports.api.request(request);
    const bool may_repeat =
        answer ? is_busy(*answer) : is_repeatable && answer.error().kind == ErrorKind::retry_later;
    if (!may_repeat || tries + 1 >= kMaxTries) {
      co_return answer;
    }
    co_await timer->wait_until(ports.clock.monotonic() +
                               pause_after(answer, tries, ports.clock.wall()));
  }
}

}  // namespace dispatcher
