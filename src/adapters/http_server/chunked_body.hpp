// Reading a request's body in the chunked transfer coding (RFC 9112, section 7.1), strictly. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace dispatcher {

class ChunkedBody {
 public:
  // Of a chunk's size, which has 64 bits: more are zeros without end.
  static constexpr std::size_t kMaxSizeDigits = 16;
  // One chunk's extensions, and all trailers together; both are read and dropped.
  static constexpr std::size_t kMaxExtensionBytes = 256;
  static constexpr std::size_t kMaxTrailerBytes = 8 * 1024;

  enum class State { needs_more, complete, malformed, too_large };

  explicit ChunkedBody(std::size_t max_body_bytes) : max_body_bytes_(max_body_bytes) {}

  struct Step {
    State state = State::needs_more;
    std::size_t consumed = 0;  // of `input`: all of it while more is needed
  };

  // Appends what `input` holds of the body to `body`, which it alone appends to. `too_large` comes
  // as soon as a chunk is announced that would pass the limit.
  [[nodiscard]] Step feed(std::string_view input, std::string& body);

 private:
  enum class Place {
    size_begin,
    size,
    extension,
    size_feed,
    data,
    data_return,
    data_feed,
    trailer_begin,
    trailer,
    trailer_feed,
    last_feed,
    end,
    broken,
  };

  // The place after one byte that is not data.
  [[nodiscard]] Place after(char c);
  [[nodiscard]] Place after_size(char c);
  [[nodiscard]] Place after_skipped(char c, std::size_t max_bytes, Place same, Place feed);

  std::size_t max_body_bytes_;
  Place place_ = Place::size_begin;
  std::uint64_t chunk_left_ = 0;
  std::size_t skipped_ = 0;  // bytes of this chunk's size and extensions, or of the trailers
};

}  // namespace dispatcher
