// A new connection: the name resolved, every address checked, one connected to, the handshake done.
#pragma once

#include "adapters/https/https_core.hpp"

#include <boost/asio/awaitable.hpp>

#include <variant>

namespace dispatcher {

struct OpenedConnection {
  std::variant<Failure, std::unique_ptr<ClientConnection>> result;
  std::string remote_address;  // also of a connection whose handshake failed
};

// Why a request is refused before anything is looked up; nothing is opened and nothing sent for it.
[[nodiscard]] std::optional<Failure> refuse_target(const HttpsCore& core,
                                                   const HttpRequest& request);

// By the watch's deadline. What was received behind the handshake is in `buffers`, where the
// connection's wire finds it.
[[nodiscard]] boost::asio::awaitable<OpenedConnection> open_connection(HttpsCore* core,
                                                                       const HttpRequest* request,
                                                                       ExchangeBuffers* buffers,
                                                                       Watch* watch);

// Reads what has come into `buffers`, once the connection's wire has nothing left. Does not say how
// it went: the wire knows, and the watch.
[[nodiscard]] boost::asio::awaitable<void> receive(ClientConnection* connection,
                                                   ExchangeBuffers* buffers, Watch* watch);

// Until the socket takes bytes again, or something has come that can be read.
[[nodiscard]] boost::asio::awaitable<void> wait_for_output(ClientConnection* connection,
                                                           ExchangeBuffers* buffers, Watch* watch);

}  // namespace dispatcher
