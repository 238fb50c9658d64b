// The bytes of one connection, as its TLS (or nothing) in between sees them: what has been received
// is taken from a buffer that the exchange under way fills, what is sent goes straight to the
// socket. Never blocks.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace dispatcher {

enum class Io {
  done,          // some bytes, or the step asked for
  wants_input,   // again when something has been received
  wants_output,  // again when the socket takes bytes
  ended,         // the other side has said that it is done
  failed,
};

struct Wire {
  int socket = -1;              // non-blocking; another's to close
  std::span<const char> input;  // received, not taken yet
  bool is_ended = false;        // nothing more will be received
  int error = 0;                // errno of what broke the connection

  // As many bytes as fit are taken; `count` is how many.
  Io read(std::span<char> into, std::size_t& count);
  Io write(std::string_view bytes, std::size_t& count);
};

// Whether an unused connection is still as it was left: what can be read from one is its end, or
// nothing that it should have sent.
[[nodiscard]] bool is_silent(int socket);

}  // namespace dispatcher
