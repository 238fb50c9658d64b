// The answer of `POST /endpoints/{id}/test` as people read it. Pure.
#pragma once

#include <string>
#include <string_view>

namespace dispatcher {

// What was sent, what came back, and what that means. Unless `reveals`, of the URL the scheme and
// the host alone: its path is a credential.
[[nodiscard]] std::string test_exchange_text(std::string_view answer, bool reveals);

// Whether the receiver answered 2xx.
[[nodiscard]] bool is_test_delivered(std::string_view answer);

}  // namespace dispatcher
