// What client commands make of a service's answers.
#pragma once

#include "base/result.hpp"
#include "hosts/services.hpp"
#include "model/exchange.hpp"

#include <boost/asio/awaitable.hpp>

#include <ostream>
#include <span>
#include <string>
#include <string_view>

namespace dispatcher {

// Prints `dispatcher: MESSAGE` as one line and returns the exit status: 2 for what the user has to
// change (`invalid`), else 1.
int report_error(std::ostream& err, const Error& error);

// What an answer that is no success says: its status and `detail`.
[[nodiscard]] Error answer_error(const Answer& answer);

// How a field of the service's API is given on the command line.
struct FlagName {
  std::string_view field;
  std::string_view flag;
};

// Prints why the service refused and returns the exit status. Where all that a 422 finds fault with
// is of these fields: a line for each, `dispatcher: --flag: what is wrong`, and 2.
int report_refusal(std::ostream& err, const Answer& answer, std::span<const FlagName> flags);

// Whether an answer asks to try again later.
[[nodiscard]] bool is_busy(const Answer& answer);

// Sends until the answer does not ask to try again, kMaxTries times. With `is_repeatable` a request
// that may have been done already is sent again too.
inline constexpr int kMaxTries = 6;
[[nodiscard]] boost::asio::awaitable<Result<Answer>> request_patiently(ClientPorts ports,
                                                                       TriggersRequest request,
                                                                       bool is_repeatable);

// A request with a JSON body, or with none.
[[nodiscard]] TriggersRequest json_request(std::string method, std::string path,
                                           std::string body = {});

}  // namespace dispatcher
