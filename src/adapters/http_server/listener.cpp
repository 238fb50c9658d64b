#include "adapters/http_server/listener.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>

namespace dispatcher {
namespace {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  [[nodiscard]] sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

std::optional<SocketAddress> make_address(const std::string& host, std::uint16_t port) {
  SocketAddress address;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&address.storage);
  if (::inet_pton(AF_INET, host.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    address.size = sizeof(sockaddr_in);
    return address;
  }
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
  if (::inet_pton(AF_INET6, host.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    address.size = sizeof(sockaddr_in6);
    return address;
  }
  return std::nullopt;
}

std::uint16_t port_of(const SocketAddress& address) {
  return address.storage.ss_family == AF_INET
             ? ntohs(reinterpret_cast<const sockaddr_in*>(&address.storage)->sin_port)
             : ntohs(reinterpret_cast<const sockaddr_in6*>(&address.storage)->sin6_port);
}

Error cannot_listen(const std::string& host, std::uint16_t port, int code) {
  const std::string where = "cannot listen on " + address_text(host, port) + ": ";
  switch (code) {
    case EADDRINUSE:
      return make_error(ErrorKind::conflict, where + "address already in use (set --listen)");
    case EADDRNOTAVAIL:
      return make_error(ErrorKind::invalid,
                        where + "this machine does not have that address (set --listen)");
    case EACCES:
      return make_error(
          ErrorKind::refused,
          where + "permission denied: ports below 1024 need a privilege (set --listen)");
    default: return make_error(ErrorKind::refused, where + std::strerror(code) + " (set --listen)");
  }
}

void set_option(int socket, int level, int option) {
  const int on = 1;
  // Each is a wish: without it, listening fails with a reason or is a little slower.
  [[maybe_unused]] const int set = ::setsockopt(socket, level, option, &on, sizeof on);
}

// Bound, not yet listening.
Result<OwnedDescriptor> bind_socket(const std::string& host, std::uint16_t port, bool is_shared) {
  const auto address = make_address(host, port);
  if (!address) {
    return make_error(ErrorKind::invalid, "cannot listen on " + address_text(host, port) +
                                              ": not an IPv4 or IPv6 address (set --listen)");
  }
  const int family = address->storage.ss_family;
  OwnedDescriptor socket{::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP)};
  if (socket.get() < 0) {
    return cannot_listen(host, port, errno);
  }
  set_option(socket.get(), SOL_SOCKET, SO_REUSEADDR);
  if (is_shared) {
    set_option(socket.get(), SOL_SOCKET, SO_REUSEPORT);
  }
  if (family == AF_INET6) {
    set_option(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY);
  }
  if (::bind(socket.get(), address->get(), address->size) != 0) {
    return cannot_listen(host, port, errno);
  }
  return socket;
}

Result<OwnedDescriptor> listening_socket(const std::string& host, std::uint16_t port,
                                         bool is_shared) {
  auto socket = bind_socket(host, port, is_shared);
  if (socket && ::listen(socket->get(), SOMAXCONN) != 0) {
    return cannot_listen(host, port, errno);
  }
  return socket;
}

std::uint16_t bound_port(int socket) {
  SocketAddress address;
  address.size = sizeof(address.storage);
  return ::getsockname(socket, address.get(), &address.size) == 0 ? port_of(address) : 0;
}

}  // namespace

std::string address_text(const std::string& host, std::uint16_t port) {
  const std::string number = std::to_string(port);
  return host.find(':') == std::string::npos ? host + ":" + number : "[" + host + "]:" + number;
}

Result<Listeners> listen_on(const std::string& host, std::uint16_t port, std::size_t count) {
  Listeners listeners;
  listeners.host = host == "localhost" ? "127.0.0.1" : host;
  listeners.port = port;
  const bool is_shared = count > 1;
  if (is_shared && port != 0) {
    // SO_REUSEPORT lets two processes of one user share a port without knowing of each other. So
    // first this asks, without it, whether anybody is there.
    if (const auto probe = bind_socket(listeners.host, port, false); !probe) {
      return probe.error();
    }
  }
  while (listeners.sockets.size() < count) {
    auto socket = listening_socket(listeners.host, listeners.port, is_shared);
    if (!socket) {
      return socket.error();
    }
    listeners.port = bound_port(socket->get());
    listeners.sockets.push_back(*std::move(socket));
  }
  return listeners;
}

std::string remote_ip_of(int socket) {
  SocketAddress address;
  address.size = sizeof(address.storage);
  if (::getpeername(socket, address.get(), &address.size) != 0) {
    return {};
  }
  const void* ip = address.storage.ss_family == AF_INET
                       ? static_cast<const void*>(
                             &reinterpret_cast<const sockaddr_in*>(&address.storage)->sin_addr)
                       : &reinterpret_cast<const sockaddr_in6*>(&address.storage)->sin6_addr;
  std::array<char, INET6_ADDRSTRLEN> text{};
  const char* made = ::inet_ntop(address.storage.ss_family, ip, text.data(), text.size());
  return made == nullptr ? std::string{} : std::string{made};
}

std::size_t raise_open_file_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return 1024;  // what every system gives
  }
  const rlimit raised{limit.rlim_max, limit.rlim_max};
  return ::setrlimit(RLIMIT_NOFILE, &raised) == 0 ? raised.rlim_cur : limit.rlim_cur;
}

}  // namespace dispatcher
