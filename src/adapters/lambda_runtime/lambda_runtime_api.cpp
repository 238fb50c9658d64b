#include "adapters/lambda_runtime/lambda_runtime_api.hpp"

#include "base/json_text.hpp"
#include "base/url_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace dispatcher {
namespace {

constexpr std::string_view kRuntime = "/2018-06-01/runtime/";
// Lambda may keep a process without work for hours; this is as good as no limit, and what is added
// to a time stays one.
constexpr std::chrono::hours kNever{24 * 365};
constexpr std::chrono::milliseconds kConnectTimeout{2'000};

std::string text_of(const Answer& answer, std::string_view header) {
  return std::string{answer.header(header).value_or("")};
}

std::optional<WallTime> deadline_in(const Answer& answer) {
  const std::string text = text_of(answer, "Lambda-Runtime-Deadline-Ms");
  std::int64_t milliseconds = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), milliseconds);
  if (text.empty() || read.ec != std::errc{} || read.ptr != text.data() + text.size()) {
    return std::nullopt;
  }
  return WallTime{std::chrono::milliseconds{milliseconds}};
}

Error unreachable(const Failure& failure) {
  return make_error(
      failure.kind == FailureKind::aborted ? ErrorKind::stopped : ErrorKind::retry_later,
      "the Lambda Runtime API could not be reached: " + failure.text());
}

Error unexpected(std::string_view call, int status) {
  return make_error(ErrorKind::refused,
                    fmt::format("the Lambda Runtime API answered {} to {}", status, call));
}

// Headers hold visible characters and spaces alone.
std::string in_header(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c < 0x20 || c == 0x7f; }, ' ');
  return text;
}

}  // namespace

std::optional<WebhookUrl> parse_runtime_address(std::string_view text) {
  auto url = parse_webhook_url(fmt::format("http://{}", text));
  if (!url || url->target != "/" || !url->basic_credentials.empty()) {
    return std::nullopt;
  }
  url->target.clear();
  return url;
}

HttpRequest LambdaRuntimeApi::request(std::string method, std::string_view path) const {
  HttpRequest request;
  request.method = std::move(method);
  request.url = address_;
  request.url.target = fmt::format("{}{}", kRuntime, path);
  request.deadline = clock_.monotonic() + kTimeout;
  request.connect_timeout = kConnectTimeout;
  request.is_webhook = false;
  request.pool = "lambda-runtime";
  request.needs_whole_body = true;
  request.max_body_bytes = kMaxPayloadBytes;
  return request;
}

boost::asio::awaitable<Result<LambdaInvocation>> LambdaRuntimeApi::next() {
  HttpRequest asked = request("GET", "invocation/next");
  asked.deadline = clock_.monotonic() + kNever;
  Exchange exchange = co_await http_.send(std::move(asked));
  if (const auto* failure = std::get_if<Failure>(&exchange.result)) {
    co_return unreachable(*failure);
  }
  auto& answer = std::get<Answer>(exchange.result);
  LambdaInvocation invocation;
  invocation.request_id = text_of(answer, "Lambda-Runtime-Aws-Request-Id");
  if (answer.status != 200 || invocation.request_id.empty()) {
    co_return unexpected("invocation/next", answer.status);
  }
  invocation.deadline = deadline_in(answer);
  invocation.trace_header = text_of(answer, "Lambda-Runtime-Trace-Id");
  invocation.function_arn = text_of(answer, "Lambda-Runtime-Invoked-Function-Arn");
  invocation.payload = std::move(answer.body);
  co_return invocation;
}

boost::asio::awaitable<Result<void>> LambdaRuntimeApi::tell(HttpRequest told) {
  const Exchange exchange = co_await http_.send(std::move(told));
  if (const auto* failure = std::get_if<Failure>(&exchange.result)) {
    co_return unreachable(*failure);
  }
  const int status = std::get<Answer>(exchange.result).status;
  if (status < 200 || status > 299) {
    co_return unexpected("an invocation's result", status);
  }
  co_return Result<void>{};
}

boost::asio::awaitable<Result<void>> LambdaRuntimeApi::respond(std::string request_id,
                                                               std::string result) {
  HttpRequest told =
      request("POST", fmt::format("invocation/{}/response", percent_encode(request_id)));
  told.headers.push_back({"Content-Type", "application/json"});
  told.body = std::move(result);
  co_return co_await tell(std::move(told));
}

HttpRequest LambdaRuntimeApi::error_request(std::string_view path,
                                            const FunctionError& error) const {
  HttpRequest told = request("POST", path);
  told.headers.push_back({"Content-Type", "application/vnd.aws.lambda.error+json"});
  told.headers.push_back({"Lambda-Runtime-Function-Error-Type", in_header(error.type)});
  told.body = R"({"errorMessage":)";
  append_json_string(told.body, error.message);
  told.body += R"(,"errorType":)";
  append_json_string(told.body, error.type);
  told.body += R"(,"stackTrace":[]})";
  return told;
}

boost::asio::awaitable<Result<void>> LambdaRuntimeApi::fail(std::string request_id,
                                                            FunctionError error) {
  HttpRequest told =
      error_request(fmt::format("invocation/{}/error", percent_encode(request_id)), error);
  co_return co_await tell(std::move(told));
}

boost::asio::awaitable<Result<void>> LambdaRuntimeApi::fail_init(FunctionError error) {
  HttpRequest told = error_request("init/error", error);
  co_return co_await tell(std::move(told));
}

}  // namespace dispatcher
