// Calling AWS: one action of one service, signed, retried, within one deadline.
#pragma once

#include "base/result.hpp"
#include "base/time.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/system/result.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace dispatcher {

enum class AwsService : std::uint8_t { dynamodb, secrets_manager, cloudwatch };

struct AwsCall {
  AwsService service = AwsService::dynamodb;
  std::string action;  // `UpdateItem`
  // The input: JSON, or for CloudWatch the form's parameters behind Action and Version.
  std::string body;
  // By when the call has ended, its retries and waits included. Empty: after the client's own
  // limit.
  std::optional<MonoTime> deadline;
};

struct AwsAnswer {
  std::string body;  // JSON; XML of CloudWatch
  std::string request_id;
};

// The kinds: `retry_later`, AWS could not be reached, throttled or failed, still after the retries,
// or until the deadline; `refused`, the credentials are not accepted, or may not do this;
// `not_found`, the table or the secret does not exist; `conflict`, a condition was not met;
// `invalid`, the call or the settings are wrong; `stopped`.
struct AwsError {
  Error error;
  std::string code;  // AWS's, as `ConditionalCheckFailedException`; empty when no answer came
  std::string body;  // of the answer, of a `conflict`: the item, or the reasons
};

[[noreturn]] inline void throw_exception_from_error(const AwsError& error,
                                                    const boost::source_location& where) {
  throw_exception_from_error(error.error, where);
}

using AwsResult = boost::system::result<AwsAnswer, AwsError>;

// Belongs to one loop; several calls at once.
class AwsApi {
 public:
  virtual ~AwsApi() = default;

  // A call may have been done although it failed, and have been done twice when it was retried:
  // what must happen once needs a condition in it. No message holds credentials.
  [[nodiscard]] virtual boost::asio::awaitable<AwsResult> call(AwsCall call) = 0;

  // AWS's clock, as far as its answers' dates tell it from ours: no more than needed is added to or
  // taken from ours. For times that others compare with theirs.
  [[nodiscard]] virtual WallTime now() const = 0;
};

}  // namespace dispatcher
