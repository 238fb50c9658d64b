// What an invocation of the function asks for, and what it is answered. Pure.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace dispatcher {

// A run over the inbox: EventBridge's schedule, `{}` by hand, anything that asks for nothing else.
struct RunOrder {
  std::optional<std::int64_t> max_events;  // `{"max_events":n}`
  bool is_dry_run = false;                 // `{"dry_run":true}`
};

// `{"release":{"reason":…}}`: what is in review for that reason becomes due again.
struct ReleaseOrder {
  std::string reason;
};

// Records of a DynamoDB Stream.
struct StreamOrder {};

using LambdaOrder = std::variant<RunOrder, ReleaseOrder, StreamOrder>;

// `invalid` names the member whose value is wrong. What is not JSON, or no object, starts a run.
[[nodiscard]] Result<LambdaOrder> read_order(std::string_view payload);

// `{"statusCode":200,"body":"…"}`
[[nodiscard]] std::string function_answer(std::string_view body);

}  // namespace dispatcher
