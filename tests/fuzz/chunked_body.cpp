// Promise: a chunked body is read the same in whatever pieces it comes, never past its limit; one
// that is accepted is what Beast's parser makes of it, and ends where that ends it.
#include "adapters/http_server/chunked_body.hpp"

#include "fuzz/fuzz_target.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include <string>

namespace dispatcher::fuzz {
namespace {

namespace http = boost::beast::http;

constexpr std::size_t kLimit = 300;

struct Decoded {
  ChunkedBody::State state = ChunkedBody::State::needs_more;
  std::size_t consumed = 0;
  std::string body;
};

Decoded decode(std::string_view input) {
  ChunkedBody chunks{kLimit};
  Decoded decoded;
  const auto step = chunks.feed(input, decoded.body);
  decoded.state = step.state;
  decoded.consumed = step.consumed;
  return decoded;
}

Decoded decode_pieces(std::string_view input) {
  ChunkedBody chunks{kLimit};
  Pieces pieces{input};
  Decoded decoded;
  while (decoded.state == ChunkedBody::State::needs_more && !input.empty()) {
    const std::string_view piece = pieces.take(input);
    const auto step = chunks.feed(piece, decoded.body);
    promise(step.state != ChunkedBody::State::needs_more || step.consumed == piece.size(),
            "all of a piece is used while more is needed");
    decoded.state = step.state;
    decoded.consumed += step.consumed;
  }
  return decoded;
}

void check_against_beast(std::string_view input, const Decoded& decoded) {
  http::request_parser<http::string_body> beast;
  beast.eager(true);
  boost::beast::error_code error;
  const std::string text = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" +
                           std::string{input.substr(0, decoded.consumed)};
  std::size_t used = 0;
  while (!beast.is_done() && !error && used < text.size()) {
    used += beast.put(boost::asio::buffer(text.data() + used, text.size() - used), error);
  }
  if (error) {
    return;  // it refuses more in extensions and trailers, or waits for a quote to end
  }
  promise(beast.is_done() && used == text.size(), "Beast ends the body at the same byte");
  promise(beast.get().body() == decoded.body, "Beast reads the same body");
}

void check(std::string_view input) {
  const Decoded whole = decode(input);
  const Decoded cut = decode_pieces(input);
  promise(whole.state == cut.state, "pieces change nothing");
  promise(whole.body.size() <= kLimit && cut.body.size() <= kLimit, "the limit holds");
  if (whole.state != ChunkedBody::State::complete) {
    return;
  }
  promise(whole.body == cut.body && whole.consumed == cut.consumed, "pieces change no byte");
  check_against_beast(input, whole);
}

const Registration kTarget{"chunked_body", check};

}  // namespace
}  // namespace dispatcher::fuzz
