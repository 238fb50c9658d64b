// Waiting for a client's socket, with a deadline.
#pragma once

#include "adapters/http_server/connection.hpp"

namespace dispatcher {

enum class Wait { ready, expired, cut };

// For the direction that `wants` names (`wants_read` or `wants_write`).
[[nodiscard]] boost::asio::awaitable<Wait> wait_for(ServerConnection& connection, IoState wants,
                                                    MonoTime deadline);

enum class Fill { some, expired, gone };

// Appends what one read gives to the connection's input, waiting for it until the deadline.
[[nodiscard]] boost::asio::awaitable<Fill> fill_input(ServerConnection& connection,
                                                      MonoTime deadline);

// True when the client and we speak TLS. False: not in time, or not at all.
[[nodiscard]] boost::asio::awaitable<bool> shake_hands(ServerConnection& connection);

}  // namespace dispatcher
