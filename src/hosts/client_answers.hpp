// What client commands make of a service's answers.
#pragma once

#include "base/result.hpp"
#include "hosts/services.hpp"
#include "model/exchange.hpp"

#include <boost/asio/awaitable.hpp>

#include <ostream>
#include <string>
#include <string_view>

namespace dispatcher {

// Prints `dispatcher: MESSAGE` as one line and returns the exit status: 2 for what the user has to
// change (`invalid`), else 1.
int report_error(std::ostream& err, const Error& error);

// What an answer that is no success says: its status and `detail`.
[[nodiscard]] Error answer_error(const Answer& answer);

// Whether an answer asks to try again later.
[[nodiscard]] bool is_busy(const Answer& answer);

// Sends until the answer does not ask to try again, kMaxTries times. With `is_repeatable` a request
// that may have been done already is sent again too.
inline constexpr int kMaxTries = 6;
[[nodiscard]] boost::asio::awaitable<Result<Answer>> request_patiently(ClientPorts ports,
                                                                       TriggersRequest request,
                                                                       bool is_repeatable);

}  // namespace dispatcher
