// Listening sockets, and how many connections the process may have.
#pragma once

#include "base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace dispatcher {

class OwnedSocket {
 public:
  explicit OwnedSocket(int descriptor = -1) : descriptor_(descriptor) {}
  ~OwnedSocket();
  OwnedSocket(OwnedSocket&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  OwnedSocket& operator=(OwnedSocket&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }

  [[nodiscard]] int get() const { return descriptor_; }
  [[nodiscard]] int release() { return std::exchange(descriptor_, -1); }

 private:
  int descriptor_;
};

struct Listeners {
  std::vector<OwnedSocket> sockets;  // listening, not blocking
  std::string host;                  // the address, without brackets
  std::uint16_t port = 0;            // the real one
};

// `count` sockets on one address, among which the kernel spreads the connections. Errors as those
// of HttpServer::start.
[[nodiscard]] Result<Listeners> listen_on(const std::string& host, std::uint16_t port,
                                          std::size_t count);

// `127.0.0.1:8080`, `[::1]:8080`
[[nodiscard]] std::string address_text(const std::string& host, std::uint16_t port);

// `127.0.0.1`, `::1`: whom an accepted socket is connected to. Empty when it is gone.
[[nodiscard]] std::string remote_ip_of(int socket);

// Raises this process's limit of open files to what it may be, and returns it.
[[nodiscard]] std::size_t raise_open_file_limit();

}  // namespace dispatcher
