// The Lambda Runtime API (version 2018-06-01): plain HTTP to the address that Lambda gives.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
#pragma once

#include "ports/clock.hpp"
#include "ports/http_client.hpp"
#include "ports/lambda_runtime.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace dispatcher {

// `127.0.0.1:9001`, as AWS_LAMBDA_RUNTIME_API has it. Empty for what is no host and port. Pure.
[[nodiscard]] std::optional<WebhookUrl> parse_runtime_address(std::string_view text);

class LambdaRuntimeApi final : public LambdaRuntime {
 public:
  // Of one answer; the result of an invocation may be 6 MB, and so may its payload.
  static constexpr std::size_t kMaxPayloadBytes = 8 * 1024 * 1024;
  // For telling; `next` alone waits without a limit.
  static constexpr std::chrono::seconds kTimeout{5};

  // `http` and `clock` outlive it.
  LambdaRuntimeApi(HttpClient& http, const Clock& clock, WebhookUrl address)
      : http_(http), clock_(clock), address_(std::move(address)) {}

  [[nodiscard]] boost::asio::awaitable<Result<LambdaInvocation>> next() override;
  [[nodiscard]] boost::asio::awaitable<Result<void>> respond(std::string request_id,
                                                             std::string result) override;
  [[nodiscard]] boost::asio::awaitable<Result<void>> fail(std::string request_id,
                                                          FunctionError error) override;
  [[nodiscard]] boost::asio::awaitable<Result<void>> fail_init(FunctionError error) override;

 private:
  [[nodiscard]] HttpRequest request(std::string method, std::string_view path) const;
  [[nodiscard]] boost::asio::awaitable<Result<void>> tell(HttpRequest request);
  [[nodiscard]] HttpRequest error_request(std::string_view path, const FunctionError& error) const;

  HttpClient& http_;
  const Clock& clock_;
  WebhookUrl address_;
};

}  // namespace dispatcher
