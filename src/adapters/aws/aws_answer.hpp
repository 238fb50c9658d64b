// What an answer of AWS means. Pure.
#pragma once

#include "adapters/aws/aws_settings.hpp"
#include "model/exchange.hpp"
#include "ports/aws_api.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace dispatcher {

// What an error of AWS asks the client for.
enum class AwsRemedy : std::uint8_t {
  none,             // sending it again will not help
  wait,             // it may work later
  slow_down,        // the same, but it is our rate that is too high
  set_clock,        // the signature's time is too far from AWS's
  new_credentials,  // they have ended, or were taken back
};

struct AwsFault {
  std::string code;  // without its namespace: `ConditionalCheckFailedException`
  std::string message;
  ErrorKind kind = ErrorKind::refused;
  AwsRemedy remedy = AwsRemedy::none;
};

// The code as a header or the body says it; empty when it says none.
[[nodiscard]] AwsFault fault_of(const Answer& answer, AwsProtocol protocol);

// As the answer names it; empty when it does not.
[[nodiscard]] std::string request_id_of(const Answer& answer);

// A body that is not what its checksum (DynamoDB's) says.
[[nodiscard]] bool is_damaged(const Answer& answer);

}  // namespace dispatcher
