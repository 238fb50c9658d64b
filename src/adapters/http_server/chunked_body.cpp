#include "adapters/http_server/chunked_body.hpp"

#include <algorithm>

namespace dispatcher {
namespace {

// A chunk's size has at most this many hex digits: 2^60 is past every limit, and the sum cannot
// overflow.
constexpr std::uint64_t kMaxChunkSize = std::uint64_t{1} << 60U;

int digit_of(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

bool is_text(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return c == '\t' || (byte >= 0x20 && byte != 0x7F);
}

}  // namespace

ChunkedBody::Place ChunkedBody::after_size(char c) {
  if (const int digit = digit_of(c); digit >= 0) {
    chunk_left_ = chunk_left_ * 16 + static_cast<std::uint64_t>(digit);
    const bool is_size = chunk_left_ < kMaxChunkSize && ++skipped_ <= kMaxSizeDigits;
    return is_size ? Place::size : Place::broken;
  }
  if (place_ == Place::size_begin) {
    return Place::broken;
  }
  if (c == '\r') {
    return Place::size_feed;
  }
  return c == ';' || c == ' ' || c == '\t' ? Place::extension : Place::broken;
}

ChunkedBody::Place ChunkedBody::after_skipped(char c, std::size_t max_bytes, Place same,
                                              Place feed) {
  if (c == '\r') {
    return feed;
  }
  return is_text(c) && ++skipped_ <= max_bytes ? same : Place::broken;
}

ChunkedBody::Place ChunkedBody::after(char c) {
  const auto expect = [c](char wanted, Place next) { return c == wanted ? next : Place::broken; };
  switch (place_) {
    case Place::size_begin:
    case Place::size: return after_size(c);
    case Place::extension:
      return after_skipped(c, kMaxExtensionBytes, Place::extension, Place::size_feed);
    case Place::size_feed:
      skipped_ = 0;
      return expect('\n', chunk_left_ > 0 ? Place::data : Place::trailer_begin);
    case Place::data_return: return expect('\r', Place::data_feed);
    case Place::data_feed: return expect('\n', Place::size_begin);
    case Place::trailer_begin:
      return after_skipped(c, kMaxTrailerBytes, Place::trailer, Place::last_feed);
    case Place::trailer:
      return after_skipped(c, kMaxTrailerBytes, Place::trailer, Place::trailer_feed);
    case Place::trailer_feed: return expect('\n', Place::trailer_begin);
    case Place::last_feed: return expect('\n', Place::end);
    case Place::data:
    case Place::end:
    case Place::broken: break;
  }
  return Place::broken;
}

ChunkedBody::Step ChunkedBody::feed(std::string_view input, std::string& body) {
  std::size_t at = 0;
  while (at < input.size() && place_ != Place::end) {
    if (place_ == Place::data) {
      if (chunk_left_ > max_body_bytes_ - std::min(max_body_bytes_, body.size())) {
        return {State::too_large, at};
      }
      const auto taken =
          static_cast<std::size_t>(std::min<std::uint64_t>(chunk_left_, input.size() - at));
      body.append(input, at, taken);
      at += taken;
      chunk_left_ -= taken;
      place_ = chunk_left_ == 0 ? Place::data_return : Place::data;
      continue;
    }
    place_ = after(input[at]);
    if (place_ == Place::broken) {
      return {State::malformed, at};
    }
    ++at;
  }
  return {place_ == Place::end ? State::complete : State::needs_more, at};
}

}  // namespace dispatcher
