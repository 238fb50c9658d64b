// What a client may ask of the server: every bound in one place.
#pragma once

#include <chrono>
#include <cstddef>

namespace dispatcher {

// The defaults hold for `serve`; tests scale them down.
struct HttpServerLimits {
  // Request line and headers together, up to and with the empty line. Beyond: 431.
  std::size_t max_header_bytes = 16 * 1024;
  std::size_t max_headers = 100;

  // One request's body, after chunks are put together. Beyond: 413, at once when it is announced.
  std::size_t max_body_bytes = 1024 * 1024;

  // What all connections together may hold of requests not yet answered and answers not yet sent.
  // Beyond: 503.
  std::size_t max_memory_bytes = 256 * 1024 * 1024;

  // Beyond: 503, then closed. Less where the process may not open so many files.
  std::size_t max_connections = 16'384;

  // From a request's first byte to the end of its headers. Beyond: 408.
  std::chrono::milliseconds header_time{10'000};

  // From the end of the headers to the end of the body, and a second more for every
  // `min_body_bytes_per_second` that came. Beyond: 408.
  std::chrono::milliseconds body_time{30'000};
  std::size_t min_body_bytes_per_second = 16 * 1024;

  // How long a connection may stay without a request, before its first one too. Then it is closed.
  std::chrono::milliseconds idle_time{75'000};

  // How long a client may take no byte of an answer that waits for it. Then the connection is cut.
  std::chrono::milliseconds write_idle_time{30'000};

  // The TLS handshake as a whole.
  std::chrono::milliseconds handshake_time{10'000};

  // The rest of a refused request is read and dropped up to this size, so that the connection can
  // be used again; when more is announced it is closed.
  std::size_t max_dropped_body_bytes = 64 * 1024;

  // A connection that is closed while its client still sends is read from and dropped this long,
  // and no longer than the idle time without a byte (nor at all, when it was too slow): a client
  // that has not done sending would get a reset instead of the answer (RFC 9112, section 9.6).
  std::chrono::milliseconds linger_time{30'000};
  std::chrono::milliseconds linger_idle_time{2'000};
};

}  // namespace dispatcher
