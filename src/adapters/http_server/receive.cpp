#include "adapters/http_server/receive.hpp"

#include "adapters/http_server/chunked_body.hpp"
#include "adapters/http_server/wait.hpp"

#include <algorithm>
#include <optional>

namespace dispatcher {
namespace {

using boost::asio::awaitable;

constexpr HeadFault kNotHttp{400, "Invalid HTTP request received"};
constexpr HeadFault kHeadTooLarge{431, "Request header fields are too large"};
constexpr HeadFault kHeadTooSlow{408, "The request's headers did not come in time"};
constexpr HeadFault kBadChunk{400, "Malformed chunked body"};
constexpr HeadFault kBodyTooLarge{413, "Request body is too large"};
constexpr HeadFault kBodyTooSlow{408, "The request's body did not come in time"};
constexpr HeadFault kNoMemory{503, "The service is overloaded, try again"};

// A body of up to this size gets its memory at once; a larger one as it comes, so that announcing
// one costs a client as much as it costs us.
constexpr std::uint64_t kReservedBodyBytes = 64 * 1024;

// A client may end a body with a line break that it does not count (RFC 9112, section 2.2).
void skip_empty_lines(ServerConnection& connection) {
  while (connection.unread().starts_with("\r\n")) {
    connection.use_input(2);
  }
}

ReceivedHead parse_head(ServerConnection& connection, const HeadScanner& scanner) {
  const HttpServerLimits& limits = connection.loop.shared.limits;
  if (scanner.size() > limits.max_header_bytes || scanner.header_lines() > limits.max_headers) {
    return kHeadTooLarge;
  }
  auto parsed =
      parse_request_head(connection.unread().substr(0, scanner.size()), scanner.header_lines());
  if (const auto* fault = std::get_if<HeadFault>(&parsed)) {
    return *fault;
  }
  connection.use_input(scanner.size());
  return std::get<ParsedHead>(std::move(parsed));
}

// Nothing: more input is needed.
std::optional<ReceivedHead> take_head(ServerConnection& connection, HeadScanner& scanner) {
  if (scanner.size() == 0) {
    skip_empty_lines(connection);
  }
  const std::string_view unread = connection.unread();
  if (unread.empty() || unread == "\r") {
    return std::nullopt;
  }
  const auto state =
      can_begin_request(unread[0]) ? scanner.scan(unread) : HeadScanner::State::malformed;
  if (state == HeadScanner::State::malformed) {
    return kNotHttp;
  }
  if (state == HeadScanner::State::complete) {
    return parse_head(connection, scanner);
  }
  if (unread.size() >= connection.loop.shared.limits.max_header_bytes) {
    return kHeadTooLarge;
  }
  return connection.try_charge() ? std::nullopt : std::optional<ReceivedHead>{kNoMemory};
}

// Memory for `bytes` more of a body of this length: twice as much each time, never past its end.
void make_room(std::string& body, std::size_t bytes, std::uint64_t length) {
  const std::size_t needed = body.size() + bytes;
  if (needed > body.capacity()) {
    const std::uint64_t wanted = std::max<std::uint64_t>(2 * body.capacity(), kReservedBodyBytes);
    // A string that grows in place takes twice its size, whatever is asked for.
    std::string larger;
    larger.reserve(std::max(needed, static_cast<std::size_t>(std::min(wanted, length))));
    larger.append(body);
    body = std::move(larger);
  }
}

std::optional<ReceivedBody> take_known_length(ServerConnection& connection, std::uint64_t length) {
  std::string& body = connection.body;
  const std::string_view unread = connection.unread();
  const auto taken =
      static_cast<std::size_t>(std::min<std::uint64_t>(length - body.size(), unread.size()));
  make_room(body, taken, length);
  body.append(unread.substr(0, taken));
  connection.use_input(taken);
  return body.size() == length ? std::optional<ReceivedBody>{BodyIsWhole{}} : std::nullopt;
}

std::optional<ReceivedBody> take_chunks(ServerConnection& connection, ChunkedBody& chunks) {
  const auto step = chunks.feed(connection.unread(), connection.body);
  connection.use_input(step.consumed);
  switch (step.state) {
    case ChunkedBody::State::complete: return BodyIsWhole{};
    case ChunkedBody::State::malformed: return kBadChunk;
    case ChunkedBody::State::too_large: return kBodyTooLarge;
    case ChunkedBody::State::needs_more: break;
  }
  return std::nullopt;
}

MonoTime body_deadline(const HttpServerLimits& limits, MonoTime started, std::size_t received) {
  return started + limits.body_time +
         std::chrono::seconds{received /
                              std::max<std::size_t>(1, limits.min_body_bytes_per_second)};
}

}  // namespace

awaitable<ReceivedHead> receive_head(ServerConnection& connection) {
  const HttpServerLimits& limits = connection.loop.shared.limits;
  HeadScanner scanner;
  MonoTime deadline = connection.last_active + limits.idle_time;
  bool has_begun = false;
  for (;;) {
    if (auto received = take_head(connection, scanner)) {
      co_return std::move(*received);
    }
    if (!has_begun && !connection.unread().empty()) {
      has_begun = true;
      deadline = monotonic_now() + limits.header_time;
    }
    connection.is_idle = !has_begun;
    const Fill fill = co_await fill_input(connection, deadline);
    connection.is_idle = false;
    if (fill == Fill::expired && has_begun) {
      co_return kHeadTooSlow;
    }
    if (fill != Fill::some) {
      co_return Gone{};
    }
  }
}

awaitable<ReceivedBody> receive_body(ServerConnection& connection, RequestFraming framing) {
  const HttpServerLimits& limits = connection.loop.shared.limits;
  ChunkedBody chunks{limits.max_body_bytes};
  MonoTime started{};
  for (;;) {
    auto received = framing.is_chunked ? take_chunks(connection, chunks)
                                       : take_known_length(connection, framing.content_length);
    if (received) {
      co_return *received;
    }
    if (!connection.try_charge()) {
      co_return kNoMemory;
    }
    if (started == MonoTime{}) {
      started = monotonic_now();
    }
    const Fill fill =
        co_await fill_input(connection, body_deadline(limits, started, connection.body.size()));
    if (fill == Fill::expired) {
      co_return kBodyTooSlow;
    }
    if (fill == Fill::gone) {
      co_return Gone{};
    }
  }
}

awaitable<bool> drop_body(ServerConnection& connection, std::uint64_t bytes) {
  const MonoTime deadline = monotonic_now() + connection.loop.shared.limits.body_time;
  for (;;) {
    const auto dropped =
        static_cast<std::size_t>(std::min<std::uint64_t>(bytes, connection.unread().size()));
    connection.use_input(dropped);
    bytes -= dropped;
    if (bytes == 0) {
      co_return true;
    }
    const Fill fill = co_await fill_input(connection, deadline);
    if (fill != Fill::some) {
      co_return false;
    }
  }
}

}  // namespace dispatcher
