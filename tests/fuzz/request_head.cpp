// Promise: a request's head is read the same in whatever pieces it comes; what is accepted has one
// reading, which Beast's parser shares, and holds no byte that could begin another line.
#include "adapters/http_server/request_head.hpp"

#include "fuzz/fuzz_target.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>

#include <algorithm>
#include <string>

namespace dispatcher::fuzz {
namespace {

namespace http = boost::beast::http;

bool is_visible(std::string_view text, std::string_view also) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x21 || byte == 0x7F) && also.find(c) == std::string_view::npos) {
      return false;
    }
  }
  return true;
}

// What was found when the input came in pieces.
HeadScanner::State scan_pieces(std::string_view input, HeadScanner& scanner) {
  Pieces pieces{input};
  std::string_view rest = input;
  auto state = HeadScanner::State::needs_more;
  while (state == HeadScanner::State::needs_more && !rest.empty()) {
    (void)pieces.take(rest);
    state = scanner.scan(input.substr(0, input.size() - rest.size()));
  }
  return state;
}

void check_well_formed(const ParsedHead& parsed) {
  const RequestHead& head = parsed.head;
  promise(!head.method.empty() && is_visible(head.method, ""), "a method is a token");
  promise(head.path == "*" || head.path.starts_with('/'), "a path begins with a slash");
  promise(is_visible(head.path, "") && is_visible(head.query, ""), "a target has no white space");
  promise(head.path.find('?') == std::string::npos, "a path ends at its query");
  for (const HttpHeader& header : head.headers) {
    promise(!header.name.empty() && is_visible(header.name, ""), "a header's name is a token");
    promise(is_visible(header.value, " \t"), "a header's value is one line");
  }
  promise(!parsed.framing.is_chunked || parsed.framing.content_length == 0,
          "a body has one way to end");
}

// Whoever stands before us reads the request as we do.
void check_against_beast(std::string_view text, const ParsedHead& parsed) {
  http::request_parser<http::empty_body> beast;
  beast.header_limit(1024 * 1024);
  beast.body_limit(boost::none);
  beast.skip(true);
  boost::beast::error_code error;
  beast.put(boost::asio::buffer(text.data(), text.size()), error);
  if (error) {
    return;  // it refuses more, in places
  }
  const auto& message = beast.get();
  promise(std::string_view{message.method_string().data(), message.method_string().size()} ==
              parsed.head.method,
          "Beast reads the same method");
  promise(beast.chunked() == parsed.framing.is_chunked, "Beast finds the same coding");
  const auto length = beast.content_length();
  promise((length ? *length : 0) == parsed.framing.content_length, "Beast finds the same length");
  promise(beast.keep_alive() == parsed.framing.keeps_alive,
          "Beast keeps the same connections open");
}

void check(std::string_view input) {
  HeadScanner whole;
  const auto state = whole.scan(input);
  HeadScanner cut;
  promise(scan_pieces(input, cut) == state || input.empty(), "pieces change nothing");
  if (state != HeadScanner::State::complete) {
    return;
  }
  promise(cut.size() == whole.size() && cut.header_lines() == whole.header_lines(),
          "pieces change no border");
  const std::string_view text = input.substr(0, whole.size());
  const auto result = parse_request_head(text, whole.header_lines());
  if (const auto* fault = std::get_if<HeadFault>(&result)) {
    promise(fault->status >= 400 && fault->status <= 599 && fault->status != 500 &&
                !fault->detail.empty(),
            "a refusal says why");
    return;
  }
  const auto& parsed = std::get<ParsedHead>(result);
  const std::string_view line = text.substr(0, text.find("\r\n"));
  promise(is_visible(line, " ") && std::count(line.begin(), line.end(), ' ') == 2,
          "a request line has three parts");
  promise(parsed.head.headers.size() == whole.header_lines(), "no header is dropped");
  check_well_formed(parsed);
  check_against_beast(text, parsed);
}

const Registration kTarget{"request_head", check};

}  // namespace
}  // namespace dispatcher::fuzz
