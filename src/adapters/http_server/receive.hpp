// Reading one request from a connection, within the limits of size, time and memory.
#pragma once

#include "adapters/http_server/connection.hpp"

#include <variant>

namespace dispatcher {

// The client has gone, or never asked for anything: there is nobody to answer.
struct Gone {};

using ReceivedHead = std::variant<Gone, ParsedHead, HeadFault>;

// The next request's line and headers, waiting for them as long as the connection may be idle.
[[nodiscard]] boost::asio::awaitable<ReceivedHead> receive_head(ServerConnection& connection);

struct BodyIsWhole {};
using ReceivedBody = std::variant<Gone, BodyIsWhole, HeadFault>;

// Puts the request's body into `connection.body`.
[[nodiscard]] boost::asio::awaitable<ReceivedBody> receive_body(ServerConnection& connection,
                                                                RequestFraming framing);

// Reads and drops the body of a request that was answered without it. False when the client has
// gone or is too slow.
[[nodiscard]] boost::asio::awaitable<bool> drop_body(ServerConnection& connection,
                                                     std::uint64_t bytes);

}  // namespace dispatcher
