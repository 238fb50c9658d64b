// What can be expected to fail returns a Result; an exception is a bug.
#pragma once

#include <boost/system/result.hpp>

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace dispatcher {

// Named by what the caller may do about it.
enum class ErrorKind {
  retry_later,  // transient: the same call may succeed later (disk full, busy, network)
  overloaded,   // a queue is at its limit: shed the work now, ask again in a second
  refused,      // will not be done, however often it is asked
  invalid,      // the caller's input is wrong
  not_found,    // the thing named does not exist
  conflict,     // somebody else holds it, or it is already something else
  stopped,      // this process is shutting down
};

[[nodiscard]] constexpr std::string_view to_string(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::retry_later: return "retry_later";
    case ErrorKind::overloaded: return "overloaded";
    case ErrorKind::refused: return "refused";
    case ErrorKind::invalid: return "invalid";
    case ErrorKind::not_found: return "not_found";
    case ErrorKind::conflict: return "conflict";
    case ErrorKind::stopped: return "stopped";
  }
  return "unknown";
}

// The message says what was being done, to what, what happened, and what to try. It never holds a
// secret.
struct Error {
  ErrorKind kind = ErrorKind::refused;
  std::string message;
};

// Found by boost::system::result through ADL when `value()` is called on an error: that is a bug.
[[noreturn]] inline void throw_exception_from_error(const Error& error,
                                                    const boost::source_location& /*where*/) {
  throw std::logic_error("value() of a failed Result: " + error.message);
}

template <class T>
using Result = boost::system::result<T, Error>;

[[nodiscard]] inline Error make_error(ErrorKind kind, std::string message) {
  return Error{kind, std::move(message)};
}

}  // namespace dispatcher
