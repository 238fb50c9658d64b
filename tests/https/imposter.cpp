#include "https/imposter.hpp"

#include "base/check.hpp"

#include <openssl/err.h>

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>

namespace dispatcher::test {
namespace {

using std::chrono::milliseconds;

// No call of a script waits longer; a test that needs it has failed anyway.
constexpr milliseconds kPatience{10'000};
constexpr milliseconds kPoll{20};

sockaddr_storage address_of(const std::string& text, std::uint16_t port, socklen_t& size) {
  sockaddr_storage storage{};
  if (text.find(':') != std::string::npos) {
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&storage);
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    DISPATCHER_CHECK(inet_pton(AF_INET6, text.c_str(), &v6->sin6_addr) == 1);
    size = sizeof *v6;
  } else {
    auto* v4 = reinterpret_cast<sockaddr_in*>(&storage);
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    DISPATCHER_CHECK(inet_pton(AF_INET, text.c_str(), &v4->sin_addr) == 1);
    size = sizeof *v4;
  }
  return storage;
}

// Only the one protocol that is configured.
int select_protocol(SSL* /*ssl*/, const unsigned char** out, unsigned char* out_size,
                    const unsigned char* offered, unsigned int size, void* wanted) {
  const auto& name = *static_cast<const std::string*>(wanted);
  for (unsigned int i = 0; i < size; i += 1U + offered[i]) {
    if (std::string_view{reinterpret_cast<const char*>(offered) + i + 1, offered[i]} == name) {
      *out = offered + i + 1;
      *out_size = offered[i];
      return SSL_TLSEXT_ERR_OK;
    }
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

std::size_t content_length(const std::string& head) {
  const std::size_t at = head.find("Content-Length: ");
  return at == std::string::npos ? 0 : std::stoul(head.substr(at + 16));
}

}  // namespace

Peer::Peer(int socket, SSL_CTX* context, const std::atomic<bool>& is_stopping)
    : socket_(socket), is_stopping_(is_stopping) {
  const int on = 1;
  setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const timeval patience{10, 0};
  setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (context != nullptr) {
    ssl_.reset(SSL_new(context));
    SSL_set_fd(ssl_.get(), socket_);
  }
}

Peer::~Peer() {
  if (socket_ >= 0) {
    close();
  }
}

bool Peer::wait_readable() {
  for (milliseconds waited{0}; waited < kPatience && !is_stopping_; waited += kPoll) {
    pollfd descriptor{socket_, POLLIN, 0};
    if (::poll(&descriptor, 1, static_cast<int>(kPoll.count())) > 0) {
      return true;
    }
  }
  return false;
}

bool Peer::handshake() {
  const timeval patience{10, 0};
  setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ERR_clear_error();
  return SSL_accept(ssl_.get()) == 1;
}

long Peer::read_some(char* into, std::size_t size) {
  if (ssl_ && SSL_pending(ssl_.get()) > 0) {
    return SSL_read(ssl_.get(), into, static_cast<int>(size));
  }
  if (!wait_readable()) {
    return -1;
  }
  ERR_clear_error();
  return ssl_ ? SSL_read(ssl_.get(), into, static_cast<int>(size)) : ::recv(socket_, into, size, 0);
}

std::string Peer::read_request() {
  char bytes[4096];
  for (;;) {
    const std::size_t end = unread_.find("\r\n\r\n");
    if (end != std::string::npos) {
      const std::size_t whole = end + 4 + content_length(unread_.substr(0, end));
      if (unread_.size() >= whole) {
        const std::string request = unread_.substr(0, whole);
        unread_.erase(0, whole);
        return request;
      }
    }
    const long count = read_some(bytes, sizeof bytes);
    if (count <= 0) {
      return {};
    }
    unread_.append(bytes, static_cast<std::size_t>(count));
  }
}

void Peer::read_bytes(std::size_t count) {
  char bytes[4096];
  for (std::size_t seen = 0; seen < count;) {
    const long got = read_some(bytes, std::min(count - seen, sizeof bytes));
    if (got <= 0) {
      return;
    }
    seen += static_cast<std::size_t>(got);
  }
}

bool Peer::write(std::string_view bytes) {
  if (bytes.empty()) {
    return true;
  }
  ERR_clear_error();
  const auto size = static_cast<long>(bytes.size());
  return ssl_ ? SSL_write(ssl_.get(), bytes.data(), static_cast<int>(size)) == size
              : ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL) == size;
}

void Peer::write_slowly(std::string_view bytes, milliseconds pause) {
  for (const char& byte : bytes) {
    if (is_stopping_ || !write({&byte, 1})) {
      return;
    }
    std::this_thread::sleep_for(pause);
  }
}

void Peer::write_raw(std::string_view bytes) {
  [[maybe_unused]] const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

void Peer::hold() {
  char bytes[4096];
  while (wait_readable() && ::recv(socket_, bytes, sizeof bytes, 0) > 0) {
  }
}

void Peer::wait() {
  while (!is_stopping_) {
    std::this_thread::sleep_for(kPoll);
  }
}

bool Peer::renew_keys() {
  ERR_clear_error();
  return !is_stopping_ && SSL_key_update(ssl_.get(), SSL_KEY_UPDATE_NOT_REQUESTED) == 1 &&
         SSL_do_handshake(ssl_.get()) == 1;
}

void Peer::reset() {
  const linger at_once{1, 0};
  setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close_raw();
}

void Peer::close() {
  if (ssl_ && SSL_is_init_finished(ssl_.get()) == 1) {
    ERR_clear_error();
    SSL_shutdown(ssl_.get());
  }
  close_raw();
}

void Peer::close_raw() {
  ::close(socket_);
  socket_ = -1;
}

std::string Peer::server_name() const {
  const char* name = SSL_get_servername(ssl_.get(), TLSEXT_NAMETYPE_host_name);
  return name != nullptr ? name : "";
}

bool Peer::was_resumed() const {
  return SSL_session_reused(ssl_.get()) == 1;
}

Imposter::Imposter(Script script, const ServerTls* tls, const std::string& address,
                   std::uint16_t port)
    : script_(std::move(script)) {
  if (tls != nullptr) {
    context_.reset(SSL_CTX_new(TLS_server_method()));
    protocol_ = tls->protocol;
    SSL_CTX_set_security_level(context_.get(), tls->security_level);
    SSL_CTX_set_max_proto_version(context_.get(), tls->max_version);
    SSL_CTX_set_alpn_select_cb(context_.get(), select_protocol, &protocol_);
    if (!tls->sends_tickets) {
      SSL_CTX_set_num_tickets(context_.get(), 0);
    }
    DISPATCHER_CHECK(SSL_CTX_use_certificate_chain_file(context_.get(), tls->certificate.c_str()) ==
                     1);
    DISPATCHER_CHECK(
        SSL_CTX_use_PrivateKey_file(context_.get(), tls->key.c_str(), SSL_FILETYPE_PEM) == 1);
  }
  socklen_t size = 0;
  sockaddr_storage storage = address_of(address, port, size);
  listener_ = ::socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  DISPATCHER_CHECK(::bind(listener_, reinterpret_cast<sockaddr*>(&storage), size) == 0);
  DISPATCHER_CHECK(::listen(listener_, 128) == 0);
  DISPATCHER_CHECK(::getsockname(listener_, reinterpret_cast<sockaddr*>(&storage), &size) == 0);
  port_ = ntohs(storage.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6*>(&storage)->sin6_port
                                              : reinterpret_cast<sockaddr_in*>(&storage)->sin_port);
  acceptor_ = std::thread{[this] { accept_all(); }};
}

Imposter::~Imposter() {
  is_stopping_ = true;
  acceptor_.join();
  for (std::thread& thread : threads_) {
    thread.join();
  }
  ::close(listener_);
}

void Imposter::accept_all() {
  // OpenSSL writes without MSG_NOSIGNAL. For the script's threads alone: the client must do
  // without.
  sigset_t pipe;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
  while (!is_stopping_) {
    pollfd descriptor{listener_, POLLIN, 0};
    if (::poll(&descriptor, 1, static_cast<int>(kPoll.count())) <= 0) {
      continue;
    }
    const int accepted = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (accepted < 0) {
      continue;
    }
    const int number = connections_++;
    threads_.emplace_back([this, accepted, number] {
      Peer peer{accepted, context_.get(), is_stopping_};
      script_(peer, number);
    });
  }
}

std::uint16_t closed_port() {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  socklen_t size = 0;
  sockaddr_storage storage = address_of("127.0.0.1", 0, size);
  DISPATCHER_CHECK(::bind(socket, reinterpret_cast<sockaddr*>(&storage), size) == 0);
  DISPATCHER_CHECK(::getsockname(socket, reinterpret_cast<sockaddr*>(&storage), &size) == 0);
  ::close(socket);
  return ntohs(reinterpret_cast<sockaddr_in*>(&storage)->sin_port);
}

Imposter::Script always(std::string answer) {
  return [answer = std::move(answer)](Peer& peer, int /*connection*/) {
    while (!peer.read_request().empty() && peer.write(answer)) {
    }
  };
}

Imposter::Script always_tls(std::string answer) {
  return [answer = std::move(answer)](Peer& peer, int /*connection*/) {
    if (!peer.handshake()) {
      return;
    }
    while (!peer.read_request().empty() && peer.write(answer)) {
    }
  };
}

}  // namespace dispatcher::test
