// What an invocation of the function asks for, and what it is answered. Pure.
#pragma once

#include "base/result.hpp"
#include "model/delivery.hpp"
#include "ports/event_table.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace dispatcher {

// A run over the inbox: EventBridge's schedule, `{}` by hand, anything that asks for nothing else.
struct RunOrder {
  std::optional<std::int64_t> max_events;  // `{"max_events":n}`
  bool is_dry_run = false;                 // `{"dry_run":true}`
};

// `{"release":{"reason":…}}`: what is in review for that reason becomes due again.
struct ReleaseOrder {
  ReviewReason reason = ReviewReason::rejected;
};

// Records of a DynamoDB Stream: each event that came, and where its record stands.
struct StreamOrder {
  struct Inserted {
    EventKey key;
    std::string sequence_number;
  };
  std::vector<Inserted> inserted;
  std::int64_t expired = 0;     // pending events that the table's own expiry took
  std::int64_t unreadable = 0;  // insertions of something that has no key of ours
};

using LambdaOrder = std::variant<RunOrder, ReleaseOrder, StreamOrder>;

// `invalid` names the member whose value is wrong. What is not JSON, or no object, starts a run.
[[nodiscard]] Result<LambdaOrder> read_order(std::string_view payload);

// `{"batchItemFailures":[{"itemIdentifier":"…"},…]}`: the stream gives those records again.
[[nodiscard]] std::string stream_answer(const std::vector<std::string>& sequence_numbers);

// `{"statusCode":200,"body":"…"}`
[[nodiscard]] std::string function_answer(std::string_view body);

}  // namespace dispatcher
