#include "adapters/http_server/connection.hpp"

#include "adapters/http_server/answer_text.hpp"
#include "adapters/http_server/receive.hpp"
#include "adapters/http_server/send.hpp"
#include "adapters/http_server/wait.hpp"

#include <exception>

namespace dispatcher {
namespace {

using boost::asio::awaitable;

// What an idle connection keeps of its input buffer: the next request needs it again.
constexpr std::size_t kKeptInputBytes = 2 * 1024;

// A connection that holds no more of a request than this is not counted.
constexpr std::size_t kUnchargedBytes = 4 * 1024;

constexpr HeadFault kBodyTooLarge{413, "Request body is too large"};
constexpr HeadFault kNoMemory{503, "The service is overloaded, try again"};
constexpr HeadFault kTooManyConnections{503, "Too many connections, try again"};

ServerAnswer internal_error() {
  ServerAnswer answer;
  answer.status = 500;
  answer.content_type = "text/plain; charset=utf-8";
  answer.body = "Internal Server Error";
  return answer;
}

ServerAnswer answer_to_bug(const Log& log, std::string_view what) {
  log.error("an exception left a request unanswered", {{"error", what}});
  return internal_error();
}

// What `call` answers; an exception of the service's is a bug, which ends no other request.
template <class Call>
auto guarded(const Log& log, Call call) -> decltype(call()) {
  try {
    return call();
  } catch (const std::exception& bug) {
    return answer_to_bug(log, bug.what());
  } catch (...) {
    return answer_to_bug(log, "not a std::exception");
  }
}

ServerAnswer answer_to(const ServerShared& shared, const HeadFault& fault) {
  ServerAnswer answer =
      guarded(shared.log, [&] { return shared.service.error(fault.status, fault.detail); });
  if (fault.status == 503) {
    answer.headers.push_back({"Retry-After", "1"});
  }
  return answer;
}

std::optional<ServerAnswer> refusal_of(const ServerShared& shared, const ParsedHead& parsed) {
  auto refusal = guarded(shared.log, [&] { return shared.service.refuse_early(parsed.head); });
  if (refusal) {
    return refusal;
  }
  if (parsed.framing.content_length > shared.limits.max_body_bytes) {
    return answer_to(shared, kBodyTooLarge);
  }
  if (!shared.memory.has_room_for(parsed.framing.content_length)) {
    return answer_to(shared, kNoMemory);
  }
  return std::nullopt;
}

// Answers a request without its body, and goes on with the next one where that is cheap.
awaitable<After> refuse(ServerConnection& connection, AnswerContext context, ServerAnswer refusal) {
  const RequestFraming& framing = context.framing;
  // Who asked whether to send its body may send it or not: what would come next is unknown.
  const bool is_droppable =
      !framing.is_chunked && !framing.expects_continue &&
      framing.content_length <= connection.loop.shared.limits.max_dropped_body_bytes;
  if (framing.has_body() && !is_droppable) {
    context.afterwards = After::linger;
  }
  const After after = co_await send_answer(connection, context, std::move(refusal));
  if (after != After::next || !framing.has_body()) {
    const bool must_linger = after == After::end && framing.has_body();
    co_return must_linger ? After::linger : after;
  }
  const bool is_dropped = co_await drop_body(connection, framing.content_length);
  co_return is_dropped ? After::next : After::linger;
}

// Answers a request whose end is not known, and closes.
awaitable<After> give_up(ServerConnection& connection, AnswerContext context, HeadFault fault) {
  context.afterwards = fault.status == 408 ? After::linger_briefly : After::linger;
  ServerAnswer answer = answer_to(connection.loop.shared, fault);
  co_return co_await send_answer(connection, context, std::move(answer));
}

awaitable<ReceivedBody> receive_expected_body(ServerConnection& connection,
                                              RequestFraming framing) {
  if (framing.expects_continue && connection.unread().empty()) {
    std::string go_ahead = "HTTP/1.1 100 Continue\r\n\r\n";
    const bool is_sent = co_await send_text(connection, std::move(go_ahead));
    if (!is_sent) {
      co_return Gone{};
    }
  }
  co_return co_await receive_body(connection, framing);
}

awaitable<ServerAnswer> ask_service(ServerConnection& connection, RequestHead head) {
  std::string body;
  body.swap(connection.body);
  const ServerShared& shared = connection.loop.shared;
  try {
    co_return co_await shared.service.serve(std::move(head), std::move(body));
  } catch (const std::exception& bug) {
    co_return answer_to_bug(shared.log, bug.what());
  } catch (...) {
    co_return answer_to_bug(shared.log, "not a std::exception");
  }
}

awaitable<After> serve_parsed(ServerConnection& connection, ParsedHead parsed) {
  AnswerContext context;
  context.framing = parsed.framing;
  context.started = monotonic_now();
  parsed.head.remote_ip = connection.remote_ip;
  if (auto refusal = refusal_of(connection.loop.shared, parsed)) {
    co_return co_await refuse(connection, context, std::move(*refusal));
  }
  if (parsed.framing.has_body()) {
    const ReceivedBody received = co_await receive_expected_body(connection, parsed.framing);
    if (const auto* fault = std::get_if<HeadFault>(&received)) {
      co_return co_await give_up(connection, context, *fault);
    }
    if (std::holds_alternative<Gone>(received)) {
      co_return After::gone;
    }
  }
  ServerAnswer answer = co_await ask_service(connection, std::move(parsed.head));
  co_return co_await send_answer(connection, context, std::move(answer));
}

awaitable<After> serve_request(ServerConnection& connection) {
  ReceivedHead received = co_await receive_head(connection);
  if (auto* parsed = std::get_if<ParsedHead>(&received)) {
    co_return co_await serve_parsed(connection, std::move(*parsed));
  }
  if (const auto* fault = std::get_if<HeadFault>(&received)) {
    AnswerContext context;
    context.started = monotonic_now();
    co_return co_await give_up(connection, context, *fault);
  }
  co_return After::end;
}

}  // namespace

std::string_view LoopContext::date(MonoTime now) {
  if (now >= date_until_) {
    date_ = format_http_date(
        std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now()));
    date_until_ = now + std::chrono::milliseconds{500};
  }
  return date_;
}

void ServerConnection::use_input(std::size_t bytes) {
  input_begin += bytes;
  if (input_begin < input.size()) {
    return;
  }
  input_begin = 0;
  if (input.capacity() > kKeptInputBytes) {
    std::string{}.swap(input);  // an assignment would keep the memory
  } else {
    input.clear();
  }
}

void ServerConnection::drop_used_input() {
  input.erase(0, input_begin);
  input_begin = 0;
}

bool ServerConnection::try_charge() {
  const std::size_t held = input.capacity() + body.capacity();
  return charge.try_set(held > kUnchargedBytes ? held : 0);
}

void ServerConnection::settle_charge() {
  const std::size_t held = input.capacity() + body.capacity();
  charge.set(held > kUnchargedBytes ? held : 0);
}

awaitable<void> serve_connection(ServerConnection& connection) {
  connection.last_active = monotonic_now();
  if (connection.transport.is_tls()) {
    const bool is_open = co_await shake_hands(connection);
    if (!is_open) {
      co_return;
    }
  }
  After after = After::next;
  while (after == After::next) {
    after = co_await serve_request(connection);
    connection.settle_charge();
  }
  co_await end_connection(connection, after);
}

awaitable<void> turn_away(ServerConnection& connection) {
  AnswerContext context;
  context.started = monotonic_now();
  co_await end_connection(connection, co_await give_up(connection, context, kTooManyConnections));
}

}  // namespace dispatcher
