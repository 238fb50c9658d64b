// Promise: a request is read as every strict server reads it, and what two servers could read
// differently is refused.
#include "adapters/http_server/request_head.hpp"

#include <gtest/gtest.h>

#include <string>

namespace dispatcher {
namespace {

std::variant<ParsedHead, HeadFault> parse(std::string_view text) {
  HeadScanner scanner;
  if (scanner.scan(text) != HeadScanner::State::complete) {
    return HeadFault{0, "not complete"};
  }
  return parse_request_head(text.substr(0, scanner.size()), scanner.header_lines());
}

ParsedHead parsed(std::string_view text) {
  auto result = parse(text);
  if (const auto* fault = std::get_if<HeadFault>(&result)) {
    ADD_FAILURE() << fault->status << " " << fault->detail << " for " << text;
    return {};
  }
  return std::get<ParsedHead>(std::move(result));
}

int fault_of(std::string_view text) {
  const auto result = parse(text);
  const auto* fault = std::get_if<HeadFault>(&result);
  return fault == nullptr ? 200 : fault->status;
}

// A request with these headers.
std::string with(std::string_view headers) {
  return "POST / HTTP/1.1\r\nHost: a\r\n" + std::string{headers} + "\r\n";
}

TEST(RequestHead, the_line_and_the_headers_come_apart) {
  const ParsedHead request = parsed(
      "GET /events/export?format=csv&a=? HTTP/1.1\r\nHost: a:8080\r\nX-One:  1 "
      "\t\r\nx-empty:\r\n\r\n");
  EXPECT_EQ(request.head.method, "GET");
  EXPECT_EQ(request.head.path, "/events/export");
  EXPECT_EQ(request.head.query, "format=csv&a=?");
  ASSERT_EQ(request.head.headers.size(), 3U);
  EXPECT_EQ(request.head.headers[1].name, "X-One");
  EXPECT_EQ(request.head.headers[1].value, "1");
  EXPECT_EQ(request.head.headers[2].value, "");
  EXPECT_TRUE(request.framing.keeps_alive);
  EXPECT_FALSE(request.framing.has_body());
}

TEST(RequestHead, every_form_of_a_target_gives_its_path) {
  EXPECT_EQ(parsed("GET http://a.example:80/x?y HTTP/1.1\r\nHost: a\r\n\r\n").head.path, "/x");
  EXPECT_EQ(parsed("GET HTTP://a.example?y HTTP/1.1\r\nHost: a\r\n\r\n").head.query, "y");
  EXPECT_EQ(parsed("GET http://a.example HTTP/1.1\r\nHost: a\r\n\r\n").head.path, "/");
  EXPECT_EQ(parsed("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").head.path, "*");
  EXPECT_EQ(parsed("GET /%C3%A9 HTTP/1.1\r\nHost: a\r\n\r\n").head.path, "/%C3%A9");
}

TEST(RequestHead, request_lines_that_are_none_are_refused) {
  for (const char* line : {"GET",
                           "GET /",
                           "GET /  HTTP/1.1",
                           "GET / /b HTTP/1.1",
                           " GET / HTTP/1.1",
                           "GET\t/ HTTP/1.1",
                           "GET x HTTP/1.1",
                           "GET  HTTP/1.1",
                           "G(T / HTTP/1.1",
                           "GET / HTTP/1.10",
                           "GET / http/1.1",
                           "GET / HTTP/1.1 ",
                           "GET /\x01 HTTP/1.1",
                           "GET /\x7f HTTP/1.1",
                           "CONNECT a:80 HTTP/1.1",
                           "GET / HTTP/x.1",
                           "GET /a\rb HTTP/1.1",
                           "GET http://a b/x HTTP/1.1",
                           "GET http://a\rb/x HTTP/1.1",
                           "GET http://\x01 HTTP/1.1"}) {
    EXPECT_EQ(fault_of(std::string{line} + "\r\nHost: a\r\n\r\n"), 400) << line;
  }
  EXPECT_EQ(fault_of("GET / HTTP/2.0\r\nHost: a\r\n\r\n"), 505);
  EXPECT_EQ(fault_of("PRI * HTTP/2.0\r\n\r\n"), 505);
}

TEST(RequestHead, headers_that_are_none_are_refused) {
  for (const char* header :
       {"NoColon\r\n", ": empty name\r\n", "Name : space before the colon\r\n", "Na me: x\r\n",
        " Leading: space\r\n", "Folded: a\r\n b\r\n", "Folded: a\r\n\tb\r\n",
        "Nul: a\x01"
        "b\r\n",
        "Return: a\rb\r\n", "(): x\r\n", "Del: \x7f\r\n"}) {
    EXPECT_EQ(fault_of(with(header)), 400) << header;
  }
  EXPECT_EQ(fault_of(with(std::string_view{"Nul: a\0b\r\n", 10})), 400);
  EXPECT_EQ(fault_of(with("Latin: \xe9\r\n")), 200);
}

TEST(RequestHead, lines_end_in_return_and_feed_alone) {
  for (const char* text : {"GET / HTTP/1.1\nHost: a\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\n\r\n",
                           "GET / HTTP/1.1\r\nHost: a\r\n\n", "\n"}) {
    HeadScanner scanner;
    EXPECT_EQ(scanner.scan(text), HeadScanner::State::malformed) << text;
  }
}

TEST(RequestHead, a_head_is_found_however_it_is_cut) {
  const std::string text = "GET /a HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\nGET /b";
  for (std::size_t step = 1; step < text.size(); ++step) {
    HeadScanner scanner;
    auto state = HeadScanner::State::needs_more;
    for (std::size_t size = step; state == HeadScanner::State::needs_more; size += step) {
      state = scanner.scan(std::string_view{text}.substr(0, size));
    }
    ASSERT_EQ(state, HeadScanner::State::complete) << step;
    EXPECT_EQ(scanner.size(), text.size() - 6);
    EXPECT_EQ(scanner.header_lines(), 2U);
  }
}

TEST(RequestHead, a_host_is_there_exactly_once) {
  EXPECT_EQ(fault_of("GET / HTTP/1.1\r\n\r\n"), 400);
  EXPECT_EQ(fault_of("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"), 400);
  EXPECT_EQ(fault_of("GET / HTTP/1.1\r\nHost: a b\r\n\r\n"), 400);
  EXPECT_EQ(fault_of("GET / HTTP/1.1\r\nHost: a@b\r\n\r\n"), 400);
  EXPECT_EQ(fault_of("GET / HTTP/1.1\r\nHost:\r\n\r\n"), 200);
  EXPECT_EQ(fault_of("GET / HTTP/1.0\r\n\r\n"), 200);
}

TEST(RequestHead, a_length_is_one_number) {
  EXPECT_EQ(parsed(with("Content-Length: 12\r\n")).framing.content_length, 12U);
  EXPECT_EQ(parsed(with("content-length: 007\r\n")).framing.content_length, 7U);
  for (const char* length : {"", "-1", "+1", "1 2", "1,1", "0x10", "1.0", "18446744073709551616"}) {
    EXPECT_EQ(fault_of(with("Content-Length: " + std::string{length} + "\r\n")), 400) << length;
  }
  EXPECT_EQ(fault_of(with("Content-Length: 1\r\nContent-Length: 1\r\n")), 400);
  EXPECT_EQ(fault_of(with("Content-Length: 1\r\nContent-Length: 2\r\n")), 400);
}

TEST(RequestHead, chunked_is_the_only_coding_and_stands_alone) {
  EXPECT_TRUE(parsed(with("Transfer-Encoding: chunked\r\n")).framing.is_chunked);
  EXPECT_TRUE(parsed(with("transfer-encoding: Chunked\r\n")).framing.is_chunked);
  EXPECT_EQ(fault_of(with("Transfer-Encoding: gzip, chunked\r\n")), 501);
  for (const char* coding :
       {"", "gzip", "identity", "chunked, gzip", "chunked;q=1", "\"chunked\""}) {
    EXPECT_EQ(fault_of(with("Transfer-Encoding: " + std::string{coding} + "\r\n")), 400) << coding;
  }
  EXPECT_EQ(fault_of(with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n")), 400);
  EXPECT_EQ(fault_of(with("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n")), 400);
  EXPECT_EQ(fault_of(with("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n")), 400);
  EXPECT_EQ(fault_of("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), 400);
}

TEST(RequestHead, a_connection_is_kept_as_version_and_header_say) {
  EXPECT_FALSE(parsed(with("Connection: close\r\n")).framing.keeps_alive);
  EXPECT_FALSE(parsed(with("Connection: Upgrade,  CLOSE\r\n")).framing.keeps_alive);
  EXPECT_FALSE(parsed("GET / HTTP/1.0\r\n\r\n").framing.keeps_alive);
  EXPECT_TRUE(parsed("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n").framing.keeps_alive);
  EXPECT_FALSE(parsed(with("Connection: close, keep-alive\r\n")).framing.keeps_alive);
}

TEST(RequestHead, the_one_expectation_is_known_and_others_are_refused) {
  EXPECT_TRUE(parsed(with("Expect: 100-Continue\r\n")).framing.expects_continue);
  EXPECT_EQ(fault_of(with("Expect: something\r\n")), 417);
  EXPECT_FALSE(parsed("GET / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n").framing.expects_continue);
}

}  // namespace
}  // namespace dispatcher
