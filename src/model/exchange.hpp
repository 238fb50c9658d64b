// What one HTTP request came to: the answer that was read, or why there is none.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace dispatcher {

struct HttpHeader {
  std::string name;
  std::string value;
};

// Where a request broke. The names are the first words of an attempt's `error`.
enum class FailureKind : std::uint8_t {
  timeout,   // a deadline passed: connecting, the handshake, writing or reading
  connect,   // refused, unreachable
  dns,       // the name did not resolve
  tls,       // handshake or certificate
  reset,     // the connection ended before the headers of an answer were complete
  protocol,  // what came back is not HTTP, or is past its limits
  blocked,   // refused by policy before any byte left
  aborted,   // given up by us: the process is stopping; an `error` calls it `reset`
};

[[nodiscard]] std::string_view to_string(FailureKind kind);

struct Failure {
  FailureKind kind = FailureKind::protocol;
  std::string message;  // without the kind; never with a path, a query or a header's value

  // `connect: connection refused`
  [[nodiscard]] std::string text() const;
};

struct Answer {
  int status = 0;
  std::vector<HttpHeader> headers;
  std::string body;  // up to the request's limit

  // The first header of that name, in any case; empty when there is none.
  [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const;
};

struct Exchange {
  std::variant<Failure, Answer> result;
  std::string remote_address;  // `127.0.0.1:8443`, `[::1]:8443`; empty when none was connected to
};

}  // namespace dispatcher
