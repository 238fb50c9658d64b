// One client's bytes, plain or through TLS, without ever waiting: the connection's coroutine waits
// for the socket and calls again.
#pragma once

#include "adapters/http_server/tls_context.hpp"

#include <cstddef>
#include <span>
#include <string_view>

namespace dispatcher {

enum class IoState {
  done,         // some bytes went through, or the handshake is complete
  wants_read,   // call again when the socket is readable
  wants_write,  // call again, with the same bytes, when it is writable
  ended,        // the client has sent its last byte
  failed,       // the connection is broken
};

struct IoStep {
  IoState state = IoState::failed;
  std::size_t bytes = 0;
};

class Transport {
 public:
  // `socket` does not block and stays the caller's; `tls` is null for plain HTTP.
  Transport(int socket, Tls tls) : socket_(socket), tls_(std::move(tls)) {}

  [[nodiscard]] bool is_tls() const { return tls_ != nullptr; }

  [[nodiscard]] IoState handshake();
  [[nodiscard]] IoStep read(std::span<char> buffer);
  // Bytes that TLS has taken from the socket already, for which the socket may not become readable.
  [[nodiscard]] bool holds_input() const;
  // One after the other. Writes as much as the socket takes: `bytes` of both together are gone,
  // also when the state is not `done`; `done` when all are.
  [[nodiscard]] IoStep write(std::string_view first, std::string_view second);

  // Tells the client that nothing more comes.
  void end_writing();
  // Closing the socket will tell the client that the connection broke.
  void reset_on_close();
  // The same at once, as far as that goes before closing: nothing is sent or received any more.
  void cut();
  // Takes bytes from under TLS, to drop them after end_writing.
  [[nodiscard]] IoStep read_raw(std::span<char> buffer);

 private:
  [[nodiscard]] IoStep write_plain(std::string_view first, std::string_view second);
  [[nodiscard]] IoStep write_tls(std::string_view bytes);
  [[nodiscard]] IoState state_of(int returned) const;

  int socket_;
  Tls tls_;
};

}  // namespace dispatcher
