#include "adapters/https/wire.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace dispatcher {

Io Wire::read(std::span<char> into, std::size_t& count) {
  count = std::min(into.size(), input.size());
  if (count == 0) {
    return !is_ended ? Io::wants_input : error == 0 ? Io::ended : Io::failed;
  }
  std::memcpy(into.data(), input.data(), count);
  input = input.subspan(count);
  return Io::done;
}

Io Wire::write(std::string_view bytes, std::size_t& count) {
  count = 0;
  ssize_t sent = 0;
  do {
    sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  } while (sent < 0 && errno == EINTR);
  if (sent >= 0) {
    count = static_cast<std::size_t>(sent);
    return Io::done;
  }
  if (errno == EAGAIN || errno == EWOULDBLOCK) {
    return Io::wants_output;
  }
  error = errno;
  return Io::failed;
}

bool is_silent(int socket) {
  char byte = 0;
  const ssize_t count = ::recv(socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

}  // namespace dispatcher
