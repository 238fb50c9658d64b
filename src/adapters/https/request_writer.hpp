// A request as bytes: its head and its body in one buffer, so that it leaves in one write. Pure.
#pragma once

#include "ports/http_client.hpp"

#include <optional>
#include <string>

namespace dispatcher {

// Replaces `out`. A Failure (`protocol`) when something in the request would change what the bytes
// say: a CR, LF or NUL in a header, a header that is the client's to write, a space in the target.
// The failure names the header, never its value.
[[nodiscard]] std::optional<Failure> write_request(const HttpRequest& request, std::string& out);

}  // namespace dispatcher
