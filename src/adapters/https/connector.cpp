#include "adapters/https/connector.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace dispatcher {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);

// Of a name's addresses, after those refused by policy.
constexpr std::size_t kMaxAddressesTried = 8;
// Idle connections closed to go on when the process has no descriptor left.
constexpr std::size_t kDroppedForDescriptors = 16;

asio::ip::address to_asio(const IpAddress& address) {
  if (address.is_v6) {
    asio::ip::address_v6::bytes_type bytes;
    std::copy(address.bytes.begin(), address.bytes.end(), bytes.begin());
    return asio::ip::address_v6{bytes};
  }
  return asio::ip::address_v4{
      {address.bytes[0], address.bytes[1], address.bytes[2], address.bytes[3]}};
}

std::string remote_text(const tcp::endpoint& endpoint) {
  const std::string address = endpoint.address().to_string();
  return (endpoint.address().is_v6() ? "[" + address + "]" : address) + ":" +
         std::to_string(endpoint.port());
}

Failure blocked(const HttpRequest& request, const IpAddress& address) {
  if (!request.url.is_https) {
    return {FailureKind::blocked, "only https is allowed (ALLOW_TARGETS can exempt a network)"};
  }
  return {FailureKind::blocked,
          "address " + to_string(address) + " is not public (ALLOW_TARGETS can exempt it)"};
}

bool may_use(const HttpsCore& core, const HttpRequest& request, const IpAddress& address) {
  return !request.is_webhook ||
         may_connect(core.options.allow_targets, request.url.is_https, address);
}

Failure connect_failure(const error_code& error) {
  const auto connect = [](std::string message) {
    return Failure{FailureKind::connect, std::move(message)};
  };
  switch (error.value()) {
    case ECONNREFUSED: return connect("connection refused");
    case ENETUNREACH: return connect("network unreachable");
    case EHOSTUNREACH: return connect("host unreachable");
    case ETIMEDOUT: return connect("no answer to connecting");
    case ECONNRESET: return {FailureKind::reset, "the connection ended as it was made"};
    case EMFILE:
    case ENFILE: return connect("too many open files (raise the limit, or lower MAX_CONCURRENCY)");
    default: return connect(error.message());
  }
}

// The addresses that may be connected to, in order; a failure when there is none.
struct Targets {
  std::vector<IpAddress> addresses;
  std::optional<Failure> failure;
};

Targets allowed_of(const HttpsCore& core, const HttpRequest& request,
                   const std::vector<IpAddress>& found) {
  Targets targets;
  for (const IpAddress& address : found) {
    if (may_use(core, request, address) && targets.addresses.size() < kMaxAddressesTried) {
      targets.addresses.push_back(address);
    }
  }
  if (targets.addresses.empty()) {
    targets.failure = blocked(request, found.front());
  }
  return targets;
}

asio::awaitable<Targets> find_targets(HttpsCore* core, const HttpRequest* request, Watch* watch) {
  const Host host = classify_host(request->url.host);
  if (host.kind == HostKind::address) {
    co_return Targets{{host.address}, std::nullopt};  // refuse_target has looked at it
  }
  watch->phase = "resolving the name";
  Lookup lookup = co_await core->resolver->resolve(request->url.host, watch);
  if (watch->stop != Stop::none) {
    co_return Targets{{}, stopped(*watch)};
  }
  if (lookup.addresses.empty()) {
    co_return Targets{{}, Failure{FailureKind::dns, std::move(lookup.error)}};
  }
  co_return allowed_of(*core, *request, lookup.addresses);
}

struct Attempted {
  std::optional<tcp::socket> socket;
  error_code error;
};

// By the watch's deadline, which is this address's own.
asio::awaitable<Attempted> connect_to(HttpsCore* core, tcp::endpoint endpoint, Watch* watch) {
  Attempted attempted;
  tcp::socket socket{core->loop};
  socket.open(endpoint.protocol(), attempted.error);
  if (attempted.error.value() == EMFILE || attempted.error.value() == ENFILE) {
    core->pool.drop_oldest(kDroppedForDescriptors);
    socket.open(endpoint.protocol(), attempted.error);
  }
  if (attempted.error || watch->stop != Stop::none) {
    co_return attempted;
  }
  {
    const Waiting waiting{*watch, socket};
    std::tie(attempted.error) = co_await socket.async_connect(endpoint, kAwait);
  }
  if (!attempted.error) {
    error_code ignored;  // a socket that cannot be without delay works too
    socket.set_option(tcp::no_delay{true}, ignored);
    socket.non_blocking(true, attempted.error);
    attempted.socket.emplace(std::move(socket));
  }
  co_return attempted;
}

struct Connected {
  std::variant<Failure, std::unique_ptr<ClientConnection>> result;
};

// Every address in turn, each with an equal share of the time that is left.
asio::awaitable<Connected> connect_to_any(HttpsCore* core, const HttpRequest* request,
                                          std::vector<IpAddress> addresses, MonoTime connect_by,
                                          Watch* watch) {
  watch->phase = "connecting";
  Failure last{FailureKind::connect, "no address"};
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    const auto left = static_cast<MonoTime::duration::rep>(addresses.size() - i);
    const MonoTime now = core->deadlines->now();
    core->deadlines->set(*watch, now + (connect_by - now) / left);
    const tcp::endpoint endpoint{to_asio(addresses[i]), request->url.port};
    Attempted attempted = co_await connect_to(core, endpoint, watch);
    if (attempted.socket) {
      ++core->connections_opened;
      co_return Connected{std::make_unique<ClientConnection>(
          Origin{origin_of(*request)}, std::move(*attempted.socket), remote_text(endpoint))};
    }
    if (watch->stop == Stop::none) {
      last = connect_failure(attempted.error);
      continue;
    }
    last = stopped(*watch);
    if (watch->stop == Stop::aborted || core->deadlines->now() >= connect_by) {
      break;
    }
  }
  co_return Connected{std::move(last)};
}

void took(ClientConnection& connection, const ExchangeBuffers& buffers, const error_code& error,
          std::size_t count) {
  connection.wire.input = {buffers.received.data(), count};
  if (error) {
    connection.wire.is_ended = true;
    connection.wire.error = error == asio::error::eof ? 0 : error.value();
  }
}

TlsPeer tls_peer(const HttpRequest& request) {
  const Host host = classify_host(request.url.host);
  if (host.kind == HostKind::address) {
    return {{}, host.address};
  }
  std::string name = request.url.host;
  if (name.ends_with('.')) {
    name.pop_back();  // RFC 6066: without the trailing dot; nor have certificates one
  }
  return {std::move(name), std::nullopt};
}

asio::awaitable<std::optional<Failure>> shake_hands(HttpsCore* core, const HttpRequest* request,
                                                    ClientConnection* connection,
                                                    ExchangeBuffers* buffers, Watch* watch) {
  watch->phase = "TLS handshake";
  connection->tls.emplace(*core->tls, connection->wire, tls_peer(*request),
                          core->sessions.find(connection->origin.view()));
  for (;;) {
    const Io io = connection->tls->handshake();
    if (io == Io::done) {
      core->sessions_resumed += connection->tls->has_resumed() ? 1 : 0;
      co_return std::nullopt;
    }
    if (io == Io::wants_input) {
      co_await receive(connection, buffers, watch);
    } else if (io == Io::wants_output) {
      co_await wait_for_output(connection, buffers, watch);
    } else {
      co_return connection->tls->failure();
    }
    if (watch->stop != Stop::none) {
      co_return stopped(*watch);
    }
  }
}

}  // namespace

std::optional<Failure> refuse_target(const HttpsCore& core, const HttpRequest& request) {
  const Host host = classify_host(request.url.host);
  const auto allowed_http = [](const AllowedTarget& target) { return !target.is_https; };
  const auto& exempt = core.options.allow_targets;
  if (request.is_webhook && !request.url.is_https &&
      std::none_of(exempt.begin(), exempt.end(), allowed_http)) {
    return blocked(request, host.address);
  }
  if (host.kind == HostKind::invalid) {
    // For a webhook it is a matter of policy: somebody's resolver may take it for an address.
    return Failure{request.is_webhook ? FailureKind::blocked : FailureKind::dns,
                   "the host is neither a name nor an address in its usual notation"};
  }
  if (host.kind == HostKind::address && !may_use(core, request, host.address)) {
    return blocked(request, host.address);
  }
  return std::nullopt;
}

asio::awaitable<OpenedConnection> open_connection(HttpsCore* core, const HttpRequest* request,
                                                  ExchangeBuffers* buffers, Watch* watch) {
  const MonoTime connect_by =
      std::min(request->deadline, core->deadlines->now() + request->connect_timeout);
  core->deadlines->set(*watch, connect_by);
  Targets targets = co_await find_targets(core, request, watch);
  if (targets.failure) {
    co_return OpenedConnection{std::move(*targets.failure), {}};
  }
  Connected connected =
      co_await connect_to_any(core, request, std::move(targets.addresses), connect_by, watch);
  if (auto* failure = std::get_if<Failure>(&connected.result)) {
    co_return OpenedConnection{std::move(*failure), {}};
  }
  auto connection = std::move(std::get<std::unique_ptr<ClientConnection>>(connected.result));
  core->deadlines->set(*watch, request->deadline);
  std::string remote = connection->remote_address;
  if (request->url.is_https) {
    auto failure = co_await shake_hands(core, request, connection.get(), buffers, watch);
    if (failure) {
      co_return OpenedConnection{std::move(*failure), std::move(remote)};
    }
  }
  co_return OpenedConnection{std::move(connection), std::move(remote)};
}

asio::awaitable<void> receive(ClientConnection* connection, ExchangeBuffers* buffers,
                              Watch* watch) {
  if (watch->stop != Stop::none || !connection->wire.input.empty() || connection->wire.is_ended) {
    co_return;
  }
  const Waiting waiting{*watch, connection->socket};
  const auto [error, count] =
      co_await connection->socket.async_read_some(asio::buffer(buffers->received), kAwait);
  if (error != asio::error::operation_aborted) {  // else the watch says why
    took(*connection, *buffers, error, count);
  }
}

asio::awaitable<void> wait_for_output(ClientConnection* connection, ExchangeBuffers* buffers,
                                      Watch* watch) {
  using asio::experimental::awaitable_operators::operator||;
  tcp::socket& socket = connection->socket;
  Wire& wire = connection->wire;
  if (watch->stop != Stop::none) {
    co_return;
  }
  const Waiting waiting{*watch, socket};
  if (!wire.input.empty() || wire.is_ended) {
    co_await socket.async_wait(tcp::socket::wait_write, kAwait);
    co_return;
  }
  // An answer may come before the request is written to its end, and writing may then never go on.
  co_await (socket.async_wait(tcp::socket::wait_write, kAwait) ||
            socket.async_wait(tcp::socket::wait_read, kAwait));
  error_code error;
  const std::size_t count = socket.read_some(asio::buffer(buffers->received), error);
  if (error != asio::error::would_block && error != asio::error::try_again) {
    took(*connection, *buffers, error, count);
  }
}

}  // namespace dispatcher
