// AWS Lambda's side of a function: what it is invoked with, and where its answers go.
#pragma once

#include "base/result.hpp"
#include "base/time.hpp"

#include <boost/asio/awaitable.hpp>

#include <optional>
#include <string>

namespace dispatcher {

struct LambdaInvocation {
  std::string request_id;
  std::string payload;               // JSON
  std::optional<WallTime> deadline;  // when Lambda ends the process
  std::string trace_header;          // X-Ray's; empty: none
  std::string function_arn;          // that was invoked; empty: unknown
};

// What Lambda counts as an error of the function, and shows. No secret is in it.
struct FunctionError {
  std::string type;  // `Category.Reason`
  std::string message;
};

// Belongs to one loop; one call at a time. Errors: `retry_later`, Lambda could not be reached;
// `refused`, it does not take what it was told.
class LambdaRuntime {
 public:
  virtual ~LambdaRuntime() = default;

  // Waits, without a limit, until the function is invoked. Lambda may freeze the process meanwhile.
  [[nodiscard]] virtual boost::asio::awaitable<Result<LambdaInvocation>> next() = 0;

  // The invocation's result: JSON.
  [[nodiscard]] virtual boost::asio::awaitable<Result<void>> respond(std::string request_id,
                                                                     std::string result) = 0;
  [[nodiscard]] virtual boost::asio::awaitable<Result<void>> fail(std::string request_id,
                                                                  FunctionError error) = 0;
  // The process cannot begin to take invocations, and ends.
  [[nodiscard]] virtual boost::asio::awaitable<Result<void>> fail_init(FunctionError error) = 0;
};

}  // namespace dispatcher
