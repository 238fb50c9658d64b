#include "adapters/https/https_client.hpp"

#include "adapters/https/answer_reader.hpp"
#include "adapters/https/connector.hpp"
#include "adapters/https/https_core.hpp"
#include "adapters/https/request_writer.hpp"

#include <algorithm>

namespace dispatcher {
namespace {

namespace asio = boost::asio;

// More are freed when an exchange ends.
constexpr std::size_t kMaxSpareBuffers = 64;
// A buffer that one large request made is not kept.
constexpr std::size_t kMaxSpareRequestBytes = 64 * 1024;

// Buffers for the time of an exchange.
class BorrowedBuffers {
 public:
  explicit BorrowedBuffers(HttpsCore& core) : core_(core) {
    if (core.spare_buffers.empty()) {
      buffers_ = std::make_unique<ExchangeBuffers>();
    } else {
      buffers_ = std::move(core.spare_buffers.back());
      core.spare_buffers.pop_back();
    }
  }
  ~BorrowedBuffers() {
    if (core_.spare_buffers.size() < kMaxSpareBuffers &&
        buffers_->request.capacity() <= kMaxSpareRequestBytes) {
      core_.spare_buffers.push_back(std::move(buffers_));
    }
  }
  BorrowedBuffers(const BorrowedBuffers&) = delete;
  BorrowedBuffers& operator=(const BorrowedBuffers&) = delete;

  [[nodiscard]] ExchangeBuffers* get() const { return buffers_.get(); }

 private:
  HttpsCore& core_;
  std::unique_ptr<ExchangeBuffers> buffers_;
};

// One request on one connection.
struct Conversation {
  HttpsCore* core;
  const HttpRequest* request;
  ClientConnection* connection;
  ExchangeBuffers* buffers;
  Watch* watch;
  AnswerReader* reader;
};

// How much of what has come can be read now. Anything but `wants_input` ends the answer.
Io read_available(const Conversation& talk) {
  for (;;) {
    std::size_t count = 0;
    const Io io = talk.connection->read(talk.reader->room(), count);
    if (io != Io::done) {
      return io;
    }
    talk.reader->take(count);
    if (talk.reader->is_over()) {
      return Io::done;
    }
  }
}

// True when the whole request was written. Otherwise the answer, if there is one, came early, or
// the connection or the time ended; what was received before that is still to be read.
asio::awaitable<bool> send_request(Conversation talk) {
  talk.watch->phase = "sending the request";
  std::string_view unsent = talk.buffers->request;
  while (!unsent.empty()) {
    std::size_t count = 0;
    const Io io = talk.connection->write(unsent, count);
    if (io == Io::done) {
      unsent.remove_prefix(count);
      continue;
    }
    if (io == Io::wants_input) {
      co_await receive(talk.connection, talk.buffers, talk.watch);
    } else if (io == Io::wants_output) {
      co_await wait_for_output(talk.connection, talk.buffers, talk.watch);
      if (read_available(talk) != Io::wants_input || talk.reader->has_headers()) {
        co_return false;
      }
    } else {
      co_return false;
    }
    if (talk.watch->stop != Stop::none) {
      co_return false;
    }
  }
  co_return true;
}

// The answer's body has a deadline of its own where it need not be whole.
void begin_body(const Conversation& talk) {
  talk.watch->phase = "reading the answer";
  if (talk.request->needs_whole_body) {
    return;
  }
  Deadlines& deadlines = *talk.core->deadlines;
  deadlines.set(*talk.watch,
                std::min(talk.request->deadline, deadlines.now() + talk.request->max_body_time));
}

asio::awaitable<void> read_answer(Conversation talk) {
  talk.watch->phase = "waiting for an answer";
  bool is_in_body = false;
  for (;;) {
    const Io io = read_available(talk);
    if (talk.reader->is_over()) {
      co_return;
    }
    if (io != Io::wants_input) {
      talk.reader->end(io == Io::ended);
      co_return;
    }
    if (talk.reader->has_headers() && !is_in_body) {
      is_in_body = true;
      begin_body(talk);
    }
    if (talk.watch->stop != Stop::none) {
      co_return;
    }
    co_await receive(talk.connection, talk.buffers, talk.watch);
  }
}

// What the conversation came to.
std::variant<Failure, Answer> result_of(const Conversation& talk) {
  if (talk.reader->failure()) {
    return *talk.reader->failure();
  }
  const bool has_answer =
      talk.reader->has_headers() && (talk.reader->is_over() || !talk.request->needs_whole_body);
  if (has_answer) {
    return talk.reader->take_answer();
  }
  return stopped(*talk.watch);
}

struct Said {
  std::variant<Failure, Answer> result;
  bool may_keep = false;
  bool was_dead = false;  // the connection ended, or broke, before a byte of an answer
};

asio::awaitable<Said> converse(HttpsCore* core, const HttpRequest* request,
                               ClientConnection* connection, ExchangeBuffers* buffers,
                               Watch* watch) {
  BodyPolicy policy;
  policy.needs_whole = request->needs_whole_body;
  policy.max_bytes = request->max_body_bytes;
  policy.has_none = request->method == "HEAD";
  AnswerReader reader{buffers->answer, policy};
  const Conversation talk{core, request, connection, buffers, watch, &reader};
  const bool is_sent = co_await send_request(talk);
  if (watch->stop == Stop::none && !reader.is_over()) {
    co_await read_answer(talk);
  }
  if (connection->tls) {
    if (auto session = connection->tls->take_session()) {
      core->sessions.put(connection->origin, std::move(session));
    }
  }
  Said said;
  said.was_dead = !reader.has_begun() && watch->stop == Stop::none;
  said.may_keep = is_sent && watch->stop == Stop::none && reader.may_keep_connection() &&
                  connection->is_drained();
  said.result = result_of(talk);
  co_return said;
}

// A kept connection, or the right to open one; neither while enough are being opened.
struct Found {
  std::unique_ptr<ClientConnection> kept;
  bool may_open = false;
};

Found find_connection(HttpsCore& core, const HttpRequest& request) {
  Found found;
  if (request.max_idle_connections > 0) {
    found.kept = core.pool.take(origin_of(request));
  }
  found.may_open = !found.kept && core.gate.enter(origin_of(request));
  return found;
}

asio::awaitable<Exchange> exchange(std::shared_ptr<HttpsCore> core, HttpRequest request) {
  const BorrowedBuffers buffers{*core};
  auto failure = write_request(request, buffers.get()->request);
  if (!failure) {
    failure = refuse_target(*core, request);
  }
  if (failure) {
    co_return Exchange{std::move(*failure), {}};
  }
  Watch watch;
  watch.phase = "connecting";
  core->deadlines->set(watch, request.deadline);
  bool may_be_kept = true;
  for (;;) {
    Found found;
    while (may_be_kept && watch.stop == Stop::none) {
      found = find_connection(*core, request);
      if (found.kept || found.may_open) {
        break;
      }
      co_await core->gate.wait(origin_of(request), &watch);
    }
    if (watch.stop != Stop::none) {
      core->gate.wake_one(origin_of(request));  // what it may have been woken for is the next one's
      co_return Exchange{stopped(watch), {}};
    }
    std::unique_ptr<ClientConnection> connection = std::move(found.kept);
    const bool is_reused = connection != nullptr;
    if (!is_reused) {
      OpenedConnection opened =
          co_await open_connection(core.get(), &request, buffers.get(), &watch);
      if (found.may_open) {
        core->gate.leave(origin_of(request));
      }
      if (auto* why = std::get_if<Failure>(&opened.result)) {
        co_return Exchange{std::move(*why), std::move(opened.remote_address)};
      }
      connection = std::move(std::get<std::unique_ptr<ClientConnection>>(opened.result));
    }
    Said said = co_await converse(core.get(), &request, connection.get(), buffers.get(), &watch);
    // As a rule it was closed while it was idle, just before the request came. RFC 9110, section
    // 9.2.2 lets a POST be repeated by who knows that this does no harm: a webhook's receiver tells
    // by its id what it has seen already, and whoever cannot be asked twice keeps no connections.
    if (said.was_dead && is_reused) {
      may_be_kept = false;
      continue;
    }
    Exchange made{std::move(said.result), connection->remote_address};
    if (said.may_keep) {
      core->pool.keep(std::move(connection), request.max_idle_connections);
    }
    core->gate.wake_one(origin_of(request));
    co_return made;
  }
}

}  // namespace

Result<std::unique_ptr<HttpsClient>> HttpsClient::make(asio::any_io_executor loop,
                                                       const Clock& clock, HttpsOptions options) {
  auto tls = ClientTls::make(options.ca_files);
  if (!tls) {
    return tls.error();
  }
  auto shared = std::make_shared<const ClientTls>(std::move(*tls));
  auto core =
      std::make_shared<HttpsCore>(std::move(loop), clock, std::move(options), std::move(shared));
  return std::unique_ptr<HttpsClient>(new HttpsClient{std::move(core)});
}

std::unique_ptr<HttpsClient> HttpsClient::make_plain(asio::any_io_executor loop,
                                                     const Clock& clock) {
  auto tls = std::make_shared<const ClientTls>(ClientTls::make_empty());
  auto core = std::make_shared<HttpsCore>(std::move(loop), clock, HttpsOptions{}, std::move(tls));
  return std::unique_ptr<HttpsClient>(new HttpsClient{std::move(core)});
}

std::unique_ptr<HttpsClient> HttpsClient::sibling() const {
  auto core = std::make_shared<HttpsCore>(core_->loop, core_->deadlines->clock(), core_->options,
                                          core_->tls);
  return std::unique_ptr<HttpsClient>(new HttpsClient{std::move(core)});
}

HttpsClient::HttpsClient(std::shared_ptr<HttpsCore> core) : core_(std::move(core)) {}

HttpsClient::~HttpsClient() {
  abort();
}

asio::awaitable<Exchange> HttpsClient::send(HttpRequest request) {
  return exchange(core_, std::move(request));
}

void HttpsClient::abort() {
  core_->deadlines->abort_all();
  core_->resolver->cancel();
  core_->pool.clear();
}

std::uint64_t HttpsClient::connections_opened() const {
  return core_->connections_opened;
}
std::uint64_t HttpsClient::sessions_resumed() const {
  return core_->sessions_resumed;
}
std::size_t HttpsClient::idle_connections() const {
  return core_->pool.size();
}

}  // namespace dispatcher
