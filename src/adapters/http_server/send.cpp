#include "adapters/http_server/send.hpp"

#include "adapters/http_server/answer_text.hpp"
#include "adapters/http_server/wait.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <iterator>

namespace dispatcher {
namespace {

using boost::asio::awaitable;

// Bodies up to this size are copied behind their head: one TLS record, one piece for the kernel.
constexpr std::size_t kMergedBodyBytes = 8 * 1024;

// What of two texts is left after `sent` bytes of both.
struct Rest {
  std::string_view first;
  std::string_view second;
};

Rest rest_of(std::string_view first, std::string_view second, std::size_t sent) {
  if (sent < first.size()) {
    return {first.substr(sent), second};
  }
  return {second.substr(sent - first.size()), {}};
}

// The rest of what `step` was the first write of.
awaitable<bool> send_rest(ServerConnection& connection, std::string first, std::string second,
                          IoStep step) {
  const auto patience = connection.loop.shared.limits.write_idle_time;
  connection.charge.set(first.capacity() + second.capacity());
  std::size_t sent = step.bytes;
  while (step.state == IoState::wants_write || step.state == IoState::wants_read) {
    const MonoTime deadline = monotonic_now() + patience;
    const Wait wait = co_await wait_for(connection, step.state, deadline);
    if (wait != Wait::ready) {
      co_return false;
    }
    const Rest rest = rest_of(first, second, sent);
    step = connection.transport.write(rest.first, rest.second);
    sent += step.bytes;
  }
  co_return step.state == IoState::done;
}

awaitable<bool> send_both(ServerConnection& connection, std::string first, std::string second) {
  const IoStep step = connection.transport.write(first, second);
  if (step.state == IoState::done) {
    co_return true;
  }
  co_return co_await send_rest(connection, std::move(first), std::move(second), step);
}

// Asks for the next piece; a stream that throws is one that is cut short.
struct Piece {
  std::optional<std::string> bytes;
  bool has_failed = false;
};

awaitable<Piece> next_piece(ServerConnection& connection, BodyStream& stream) {
  Piece piece;
  try {
    piece.bytes = co_await stream.next();
    piece.has_failed = !piece.bytes && stream.is_cut_short();
  } catch (const std::exception& bug) {
    connection.loop.shared.log.error("an exception ended a streamed answer",
                                     {{"error", bug.what()}});
    piece.has_failed = true;
  }
  co_return piece;
}

// `head` goes out together with the first piece.
awaitable<bool> send_stream(ServerConnection& connection, std::string head,
                            std::unique_ptr<BodyStream> stream, bool is_chunked) {
  std::string before = std::move(head);
  for (;;) {
    Piece piece = co_await next_piece(connection, *stream);
    if (piece.has_failed) {
      co_return false;
    }
    if (!piece.bytes) {
      break;
    }
    if (piece.bytes->empty()) {
      continue;  // an empty chunk would be the last one
    }
    if (is_chunked) {
      fmt::format_to(std::back_inserter(before), "{:x}\r\n", piece.bytes->size());
    }
    const bool is_sent = co_await send_both(connection, std::move(before), std::move(*piece.bytes));
    if (!is_sent) {
      co_return false;
    }
    before = is_chunked ? "\r\n" : "";
  }
  if (is_chunked) {
    before += "0\r\n\r\n";
  }
  co_return co_await send_text(connection, std::move(before));
}

AnswerFraming framing_of(ServerConnection& connection, const AnswerContext& context,
                         const ServerAnswer& answer, MonoTime now) {
  AnswerFraming framing;
  framing.is_http_1_0 = context.framing.is_http_1_0;
  framing.is_head_method = context.framing.is_head_method;
  const bool ends_by_closing = answer.stream != nullptr && framing.is_http_1_0;
  framing.keeps_alive = context.framing.keeps_alive && context.afterwards == After::next &&
                        !answer.close && !ends_by_closing && !connection.loop.is_stopping;
  framing.date = connection.loop.date(now);
  framing.process_time = now - context.started;
  return framing;
}

After after_answer(const AnswerContext& context, const AnswerFraming& framing) {
  if (context.afterwards != After::next) {
    return context.afterwards;
  }
  return framing.keeps_alive ? After::next : After::end;
}

// Writes what the socket takes of a whole answer; what it does not take is left in `out` and
// `answer.body`, with the step that says how much of both is gone.
IoStep write_now(ServerConnection& connection, ServerAnswer& answer, bool has_body) {
  std::string& out = connection.loop.out;
  if (!has_body) {
    answer.body.clear();
  } else if (answer.body.size() <= kMergedBodyBytes) {
    out += answer.body;
    answer.body.clear();
  }
  return connection.transport.write(out, answer.body);
}

// Reads and drops until the client ends its side, or is silent, or time is up.
awaitable<void> drain(ServerConnection& connection, std::chrono::milliseconds time) {
  const HttpServerLimits& limits = connection.loop.shared.limits;
  const MonoTime end = monotonic_now() + time;
  for (;;) {
    const IoStep step = connection.transport.read_raw(connection.loop.scratch);
    if (step.state == IoState::ended || step.state == IoState::failed) {
      co_return;
    }
    const MonoTime now = monotonic_now();
    const MonoTime deadline = std::min(end, now + limits.linger_idle_time);
    const bool must_wait =
        step.state == IoState::wants_read || step.bytes < LoopContext::kReadBytes;
    if (now >= end) {
      co_return;
    }
    Wait wait = Wait::ready;
    if (must_wait) {
      wait = co_await wait_for(connection, IoState::wants_read, deadline);
    }
    if (wait != Wait::ready) {
      co_return;
    }
  }
}

}  // namespace

awaitable<After> send_answer(ServerConnection& connection, AnswerContext context,
                             ServerAnswer answer) {
  const MonoTime now = monotonic_now();
  const AnswerFraming framing = framing_of(connection, context, answer, now);
  const bool has_body = sends_body(answer, framing);
  std::string& out = connection.loop.out;
  out.clear();
  append_answer_head(out, answer, framing);
  connection.last_active = now;

  bool is_sent = true;
  if (answer.stream && has_body) {
    const bool is_chunked = is_sent_chunked(answer, framing);
    std::string head = out;
    is_sent =
        co_await send_stream(connection, std::move(head), std::move(answer.stream), is_chunked);
    connection.last_active = monotonic_now();
  } else if (const IoStep step = write_now(connection, answer, has_body);
             step.state != IoState::done) {
    std::string head = out;  // the loop's buffer is another connection's while this one waits
    is_sent = co_await send_rest(connection, std::move(head), std::move(answer.body), step);
    connection.last_active = monotonic_now();
  }
  co_return is_sent ? after_answer(context, framing) : After::reset;
}

awaitable<bool> send_text(ServerConnection& connection, std::string text) {
  return send_both(connection, std::move(text), std::string{});
}

awaitable<void> end_connection(ServerConnection& connection, After after) {
  if (after == After::reset) {
    connection.transport.reset_on_close();
  }
  if (after == After::reset || after == After::gone) {
    co_return;
  }
  connection.transport.end_writing();
  const IoStep step = connection.transport.read_raw(connection.loop.scratch);
  const bool may_still_send =
      after != After::end || !connection.unread().empty() || step.state == IoState::done;
  std::string{}.swap(connection.input);  // an assignment would keep the memory
  std::string{}.swap(connection.body);
  connection.settle_charge();
  if (may_still_send && step.state != IoState::ended && step.state != IoState::failed) {
    const HttpServerLimits& limits = connection.loop.shared.limits;
    co_await drain(connection,
                   after == After::linger_briefly ? limits.linger_idle_time : limits.linger_time);
  }
}

}  // namespace dispatcher
