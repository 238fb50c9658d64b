#include "adapters/http_server/transport.hpp"

#include <openssl/err.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>

namespace dispatcher {
namespace {

bool would_block() {
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

IoStep received(ssize_t bytes) {
  if (bytes > 0) {
    return {IoState::done, static_cast<std::size_t>(bytes)};
  }
  if (bytes == 0) {
    return {IoState::ended, 0};
  }
  return {would_block() ? IoState::wants_read : IoState::failed, 0};
}

iovec as_vector(std::string_view bytes) {
  return {const_cast<char*>(bytes.data()), bytes.size()};  // sendmsg does not write to it
}

}  // namespace

IoState Transport::state_of(int returned) const {
  switch (SSL_get_error(tls_.get(), returned)) {
    case SSL_ERROR_WANT_READ: return IoState::wants_read;
    case SSL_ERROR_WANT_WRITE: return IoState::wants_write;
    case SSL_ERROR_ZERO_RETURN: return IoState::ended;
    default: return IoState::failed;
  }
}

IoState Transport::handshake() {
  ERR_clear_error();  // what is left in the thread's queue would be taken for this connection's
  const int returned = SSL_do_handshake(tls_.get());
  return returned == 1 ? IoState::done : state_of(returned);
}

IoStep Transport::read(std::span<char> buffer) {
  if (!tls_) {
    return read_raw(buffer);
  }
  ERR_clear_error();
  std::size_t bytes = 0;
  const int returned = SSL_read_ex(tls_.get(), buffer.data(), buffer.size(), &bytes);
  return returned == 1 ? IoStep{IoState::done, bytes} : IoStep{state_of(returned), 0};
}

bool Transport::holds_input() const {
  return tls_ != nullptr && SSL_has_pending(tls_.get()) == 1;
}

IoStep Transport::read_raw(std::span<char> buffer) {
  return received(::recv(socket_, buffer.data(), buffer.size(), 0));
}

IoStep Transport::write(std::string_view first, std::string_view second) {
  if (!tls_) {
    return write_plain(first, second);
  }
  IoStep step = write_tls(first);
  if (step.state == IoState::done && !second.empty()) {
    const IoStep more = write_tls(second);
    step = {more.state, step.bytes + more.bytes};
  }
  return step;
}

IoStep Transport::write_plain(std::string_view first, std::string_view second) {
  std::array<iovec, 2> vectors{as_vector(first), as_vector(second)};
  msghdr message{};
  message.msg_iov = vectors.data();
  message.msg_iovlen = vectors.size();
  // One text, the usual case, is cheaper without the kernel's copy of the vectors.
  const ssize_t sent = second.empty() ? ::send(socket_, first.data(), first.size(), MSG_NOSIGNAL)
                                      : ::sendmsg(socket_, &message, MSG_NOSIGNAL);
  if (sent < 0) {
    return {would_block() ? IoState::wants_write : IoState::failed, 0};
  }
  const auto bytes = static_cast<std::size_t>(sent);
  const bool is_all = bytes == first.size() + second.size();
  return {is_all ? IoState::done : IoState::wants_write, bytes};
}

IoStep Transport::write_tls(std::string_view bytes) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    ERR_clear_error();
    std::size_t written = 0;
    const int returned =
        SSL_write_ex(tls_.get(), bytes.data() + done, bytes.size() - done, &written);
    if (returned != 1) {
      return {state_of(returned), done};
    }
    done += written;
  }
  return {IoState::done, done};
}

void Transport::end_writing() {
  if (tls_ && SSL_is_init_finished(tls_.get()) == 1) {
    ERR_clear_error();
    // Not worth waiting for: the TCP end that follows tells the same.
    [[maybe_unused]] const int sent = SSL_shutdown(tls_.get());
  }
  ::shutdown(socket_, SHUT_WR);
}

void Transport::reset_on_close() {
  const linger at_once{1, 0};
  // Without it the client sees an end where there is none; it still misses the last chunk.
  [[maybe_unused]] const int set =
      ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

void Transport::cut() {
  reset_on_close();
  ::shutdown(socket_, SHUT_RDWR);
}

}  // namespace dispatcher
