// Writing answers to a connection, and ending it.
#pragma once

#include "adapters/http_server/connection.hpp"

namespace dispatcher {

// What becomes of a connection after a request.
enum class After {
  next,            // the next request
  end,             // closed: the client knows, and has nothing under way
  linger,          // closed, but the client may still be sending what nobody will read
  linger_briefly,  // the same for a client that was too slow
  gone,            // the client has closed it
  reset,           // cut, so that a client that still reads sees that something is missing
};

// How an answer came to be asked for.
struct AnswerContext {
  RequestFraming framing;
  MonoTime started{};              // when the request's headers were complete
  After afterwards = After::next;  // unless the answer ends the connection
};

// `context.afterwards`, or `end` when the answer ends the connection, or `reset`.
[[nodiscard]] boost::asio::awaitable<After> send_answer(ServerConnection& connection,
                                                        AnswerContext context, ServerAnswer answer);

// False when the client does not take it in time, or has gone.
[[nodiscard]] boost::asio::awaitable<bool> send_text(ServerConnection& connection,
                                                     std::string text);

// Does what `after` says, up to closing the socket, which is the caller's.
[[nodiscard]] boost::asio::awaitable<void> end_connection(ServerConnection& connection,
                                                          After after);

}  // namespace dispatcher
