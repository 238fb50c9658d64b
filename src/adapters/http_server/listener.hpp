// Listening sockets, and how many connections the process may have.
#pragma once

#include "adapters/http_server/owned_descriptor.hpp"
#include "base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace dispatcher {

struct Listeners {
  std::vector<OwnedDescriptor> sockets;  // listening, not blocking
  std::string host;                      // the address, without brackets
  std::uint16_t port = 0;                // the real one
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
