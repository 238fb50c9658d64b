#include "hosts/client_answers.hpp"

#include "base/json_scanner.hpp"
#include "model/outcome.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

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

// `body.payload: Input should be a valid dictionary`. Never the input itself.
std::string fault_text(JsonValue fault) {
  std::array fields{JsonField{"loc"}, JsonField{"msg"}};
  (void)scan_json(fault.raw, fields);  // what cannot be read has no words
  std::string where;
  if (fields[0].value && fields[0].value->kind == JsonKind::array) {
    JsonElements steps{*fields[0].value};
    while (const auto step = steps.next()) {
      where += where.empty() ? "" : ".";
      where += step->kind == JsonKind::string ? decode_json_string(*step).value_or("?")
                                              : std::string{step->raw};
    }
  }
  return fmt::format("{}: {}", where, text_of(fields[1]));
}

std::string detail_of(const Answer& answer) {
  std::array fields{JsonField{"detail"}};
  if (!std::holds_alternative<JsonValue>(scan_json(answer.body, fields)) || !fields[0].value) {
    return {};
  }
  if (fields[0].value->kind == JsonKind::array) {
    JsonElements faults{*fields[0].value};
    const auto first = faults.next();
    return first ? fault_text(*first) : std::string{};
  }
  return text_of(fields[0]);
}

std::string in_one_line(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
  return text;
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
