#include "model/exchange.hpp"

#include <boost/algorithm/string/predicate.hpp>

namespace dispatcher {

std::string_view to_string(FailureKind kind) {
  switch (kind) {
    case FailureKind::timeout: return "timeout";
    case FailureKind::connect: return "connect";
    case FailureKind::dns: return "dns";
    case FailureKind::tls: return "tls";
    case FailureKind::reset: return "reset";
    case FailureKind::protocol: return "protocol";
    case FailureKind::blocked: return "blocked";
    case FailureKind::aborted: return "aborted";
  }
  return "unknown";
}

std::string Failure::text() const {
  std::string out{to_string(kind)};
  out += ": ";
  out += message;
  return out;
}

std::optional<std::string_view> Answer::header(std::string_view name) const {
  for (const HttpHeader& header : headers) {
    if (boost::algorithm::iequals(header.name, name)) {
      return header.value;
    }
  }
  return std::nullopt;
}

}  // namespace dispatcher
