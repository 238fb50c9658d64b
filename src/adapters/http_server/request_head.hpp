// Reading a request's first line and headers (RFC 9112), strictly: what two servers in a row could
// read differently is refused, so that no request can hide in another one's body. Pure.
#pragma once

#include "ports/http_service.hpp"

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

namespace dispatcher {

// A request that is answered with an error, after which the connection is closed: where the next
// request would begin is not known.
struct HeadFault {
  int status = 400;
  std::string_view detail;  // a literal
};

// Finds the empty line that ends the headers, over as many reads as it takes, looking at each byte
// once.
class HeadScanner {
 public:
  enum class State { needs_more, complete, malformed };

  // `input` begins with the request's first byte and holds what the last call was given.
  [[nodiscard]] State scan(std::string_view input);

  // When complete: bytes up to and with the empty line, and the lines among them that are headers.
  [[nodiscard]] std::size_t size() const { return scanned_; }
  [[nodiscard]] std::size_t header_lines() const { return lines_ - 2; }

 private:
  std::size_t scanned_ = 0;  // end of the last whole line
  std::size_t lines_ = 0;    // whole lines, the request line and the empty one too
};

// How the rest of a request comes, and what its answer must respect.
struct RequestFraming {
  bool is_http_1_0 = false;
  bool keeps_alive = true;
  bool is_head_method = false;
  bool expects_continue = false;
  bool is_chunked = false;
  std::uint64_t content_length = 0;  // when not chunked

  [[nodiscard]] bool has_body() const { return is_chunked || content_length > 0; }
};

struct ParsedHead {
  RequestHead head;  // `remote_ip` is left empty
  RequestFraming framing;
};

// `text` is what a HeadScanner found complete.
[[nodiscard]] std::variant<ParsedHead, HeadFault> parse_request_head(std::string_view text,
                                                                     std::size_t header_lines);

// What every request begins with; a first byte that is none shows at once that the client speaks
// something else (TLS to a plain port).
[[nodiscard]] bool can_begin_request(char first);

}  // namespace dispatcher
