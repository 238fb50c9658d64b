// Checks how answers are read: split anywhere, hostile or plain, within their limits; and how
// requests are written.
#include "adapters/https/answer_reader.hpp"
#include "adapters/https/request_writer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

namespace dispatcher {
namespace {

// Gives `bytes` to the reader in pieces; returns how many it took before it was over.
std::size_t give(AnswerReader& reader, std::string_view bytes, std::size_t piece) {
  std::size_t given = 0;
  while (given < bytes.size() && !reader.is_over()) {
    const auto room = reader.room();
    EXPECT_FALSE(room.empty());
    const std::size_t count = std::min({piece, bytes.size() - given, room.size()});
    std::memcpy(room.data(), bytes.data() + given, count);
    reader.take(count);
    given += count;
  }
  return given;
}

struct Read {
  std::string outcome;  // the failure's text, or the status and the body
  bool may_keep = false;
};

enum class End { open, clean, cut };

Read read(std::string_view bytes, BodyPolicy policy = {}, End end = End::open,
          std::size_t piece = 100'000) {
  std::vector<char> buffer;
  AnswerReader reader{buffer, policy};
  give(reader, bytes, piece);
  if (end != End::open) {
    reader.end(end == End::clean);
  }
  Read read;
  read.may_keep = reader.may_keep_connection();
  if (reader.failure()) {
    read.outcome = reader.failure()->text();
  } else if (!reader.is_over()) {
    read.outcome = reader.has_headers() ? "in the body" : "in the headers";
  } else {
    const Answer answer = reader.take_answer();
    read.outcome = std::to_string(answer.status) + " " + answer.body;
  }
  return read;
}

BodyPolicy whole(std::size_t max_bytes = 64 * 1024) {
  BodyPolicy policy;
  policy.needs_whole = true;
  policy.max_bytes = max_bytes;
  return policy;
}

TEST(answer_reader, an_answer_is_read_however_it_is_cut) {
  const std::string bytes =
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3;a=b\r\nabc\r\n2\r\nde\r\n0\r\nTrailer: x\r\n\r\n";
  for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
    const Read got = read(bytes, whole(), End::open, piece);
    EXPECT_EQ(got.outcome, "201 abcde") << piece;
    EXPECT_TRUE(got.may_keep) << piece;
  }
}

TEST(answer_reader, headers_are_given_as_they_came) {
  std::vector<char> buffer;
  AnswerReader reader{buffer, {}};
  give(reader,
       "HTTP/1.1 429 Too Many\r\nRetry-After:  7 \r\nX: 1\r\nX: 2\r\nContent-Length: 0\r\n\r\n",
       1000);
  ASSERT_TRUE(reader.is_over());
  const Answer answer = reader.take_answer();
  EXPECT_EQ(answer.header("retry-after"), "7");
  EXPECT_EQ(answer.headers.size(), 4U);
}

TEST(answer_reader, which_connections_are_kept) {
  struct Case {
    std::string_view bytes;
    bool may_keep;
  };
  for (const Case& one : {
           Case{"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", true},
           {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx", false},
           {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxHTTP/1.1 200 OK\r\n", false},
           {"HTTP/1.1 204 No Content\r\n\r\n", true},
           {"HTTP/1.1 204 No Content\r\n\r\nx", false},
           {"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", false},
           {"HTTP/1.0 200 OK\r\nContent-Length: 1\r\nConnection: keep-alive\r\n\r\nx", true},
           {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nx", false},
       }) {
    EXPECT_EQ(read(one.bytes).may_keep, one.may_keep) << one.bytes;
  }
}

TEST(answer_reader, what_is_not_http_fails_at_its_first_bytes) {
  using std::string_literals::operator""s;
  for (const std::string& bytes : {"<html>"s, "\x15\x03\x01"s, "SSH-2.0"s, "HTTX/1.1"s,
                                   "\0\0\0\0\0\0\0\0\0\0"s, "\r\n"s, "http/1.1 200 OK\r\n\r\n"s}) {
    EXPECT_EQ(read(bytes, {}, End::open, 1).outcome, "protocol: what came back is not HTTP/1.x");
  }
  const std::string settings{"\0\0\x12\x04\0\0\0\0\0\0\x03", 11};
  EXPECT_EQ(read(settings, {}, End::open, 1).outcome,
            "protocol: the server speaks HTTP/2 only; HTTP/1.1 is needed");
}

TEST(answer_reader, malformed_answers_are_a_protocol_failure) {
  for (const char* bytes : {
           "HTTP/2.0 200 OK\r\n\r\n",
           "HTTP/1.1 abc OK\r\n\r\n",
           "HTTP/1.1 20 OK\r\n\r\n",
           "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n",
           "HTTP/1.1 101 Switching Protocols\r\n\r\n",
           "HTTP/1.1 099 Odd\r\n\r\n",
       }) {
    EXPECT_TRUE(read(bytes).outcome.starts_with("protocol: ")) << bytes << read(bytes).outcome;
  }
}

TEST(answer_reader, endless_headers_end_at_the_limit) {
  std::string many = "HTTP/1.1 200 OK\r\n";
  for (std::size_t i = 0; i <= kMaxHeaders; ++i) {
    many += "A: b\r\n";
  }
  EXPECT_EQ(read(many + "\r\n").outcome, "protocol: the answer has more than 100 headers");
  for (const std::size_t piece : {1000U, 4096U, 100'000U}) {
    std::vector<char> buffer;
    AnswerReader reader{buffer, {}};
    const std::string endless = "HTTP/1.1 200 OK\r\nA: " + std::string(1'000'000, 'x');
    EXPECT_LT(give(reader, endless, piece), 2 * kMaxHeaderBytes);
    ASSERT_TRUE(reader.failure());
    EXPECT_EQ(reader.failure()->text(), "protocol: the answer's headers are longer than 16 KiB");
    EXPECT_LT(buffer.capacity(), 2 * kMaxHeaderBytes);
  }
}

TEST(answer_reader, a_head_of_nearly_the_limit_is_read) {
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nA: ";
  const std::string bytes =
      head + std::string(kMaxHeaderBytes - head.size() - 4, 'x') + "\r\n\r\nok";
  EXPECT_EQ(read(bytes, {}, End::open, 700).outcome, "200 ok");
}

TEST(answer_reader, an_endless_chunk_header_ends_the_answer) {
  const std::string bytes =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;" + std::string(1'000'000, 'x');
  EXPECT_EQ(read(bytes, whole(), End::open, 5000).outcome,
            "protocol: the answer has a line that is too long");
  EXPECT_EQ(read(bytes, {}, End::open, 5000).outcome, "200 ");
}

TEST(answer_reader, interim_answers_are_skipped_but_not_without_end) {
  std::string bytes;
  for (int i = 0; i < kMaxInterimAnswers; ++i) {
    bytes += "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
  }
  EXPECT_EQ(read(bytes + "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").outcome, "200 ");
  EXPECT_EQ(read(bytes + "HTTP/1.1 102 Processing\r\n\r\n").outcome,
            "protocol: the server sends interim answers without end");
  EXPECT_EQ(read("HTTP/1.1 100 Continue\r\n\r\ngarbage").outcome,
            "protocol: what came back is not HTTP/1.x");
}

TEST(answer_reader, an_end_before_complete_headers_is_a_reset) {
  EXPECT_EQ(read("", {}, End::clean).outcome, "reset: the connection ended before an answer");
  for (const char* bytes : {"H", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\nA: b\r\n"}) {
    EXPECT_EQ(read(bytes, {}, End::clean).outcome,
              "reset: the connection ended within the answer's headers")
        << bytes;
  }
}

struct BodyCase {
  const char* body;
  End end;
  const char* lenient;
  const char* strict;
};

TEST(answer_reader, faults_of_the_body_count_only_where_it_must_be_whole) {
  const char* const cut = "reset: the connection ended within the answer's body";
  for (const BodyCase& one : {
           BodyCase{"Content-Length: 9\r\n\r\nshort", End::clean, "200 short", cut},
           {"Content-Length: 9\r\n\r\nshort", End::cut, "200 short", cut},
           {"\r\nto the end", End::clean, "200 to the end", "200 to the end"},
           {"\r\nto the end", End::cut, "200 to the end", cut},
           {"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", End::clean, "200 abc", cut},
           {"Transfer-Encoding: chunked\r\n\r\n3\r\nabcdefgh\r\n", End::clean, "200 abc",
            "protocol: "},
           {"Transfer-Encoding: chunked\r\n\r\nzz\r\n", End::clean, "200 ", "protocol: "},
           {"Content-Length: 5\r\n\r\nabcde", End::open, "200 abcde", "200 abcde"},
       }) {
    const std::string bytes = std::string{"HTTP/1.1 200 OK\r\n"} + one.body;
    EXPECT_EQ(read(bytes, {}, one.end).outcome, one.lenient) << one.body;
    EXPECT_TRUE(read(bytes, whole(), one.end).outcome.starts_with(one.strict))
        << one.body << read(bytes, whole(), one.end).outcome;
  }
}

TEST(answer_reader, a_body_past_the_limit_is_cut_or_refused) {
  BodyPolicy lenient;
  lenient.max_bytes = 4;
  for (const char* framing : {"Content-Length: 6\r\n\r\nabcdef", "\r\nabcdef",
                              "Transfer-Encoding: chunked\r\n\r\n6\r\nabcdef\r\n0\r\n\r\n"}) {
    const std::string bytes = std::string{"HTTP/1.1 200 OK\r\n"} + framing;
    EXPECT_EQ(read(bytes, lenient).outcome, "200 abcd") << framing;
    EXPECT_FALSE(read(bytes, lenient).may_keep) << framing;
    EXPECT_EQ(read(bytes, whole(4)).outcome, "protocol: the answer's body is longer than 4 bytes")
        << framing;
  }
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabcd", whole(4)).outcome, "200 abcd");
}

TEST(answer_reader, the_answer_to_a_head_has_no_body) {
  BodyPolicy policy = whole();
  policy.has_none = true;
  const Read got = read("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n", policy);
  EXPECT_EQ(got.outcome, "200 ");
  EXPECT_TRUE(got.may_keep);
}

HttpRequest request_to(const char* url) {
  HttpRequest request;
  request.url = *parse_webhook_url(url);
  request.body = "{}";
  return request;
}

TEST(request_writer, a_request_is_head_and_body) {
  HttpRequest request = request_to("https://user:p%40ss@example.com:8443/a/b?c=d");
  request.headers = {{"webhook-id", "1"}};
  std::string out;
  ASSERT_FALSE(write_request(request, out));
  EXPECT_EQ(out,
            "POST /a/b?c=d HTTP/1.1\r\nHost: example.com:8443\r\n"
            "Authorization: Basic dXNlcjpwQHNz\r\nwebhook-id: 1\r\nContent-Length: 2\r\n\r\n{}");
  request = request_to("http://[::1]/");
  request.method = "GET";
  request.body.clear();
  request.max_idle_connections = 0;
  ASSERT_FALSE(write_request(request, out));
  EXPECT_EQ(out, "GET / HTTP/1.1\r\nHost: [::1]\r\nConnection: close\r\n\r\n");
}

TEST(request_writer, what_would_change_the_request_is_refused_without_its_value) {
  struct Case {
    HttpHeader header;
    const char* says;
  };
  for (const Case& one : {Case{{"X", "secret\r\nHost: evil"}, "header X has a line break"},
                          {{"X", "secret\nb"}, "header X has a line break"},
                          {{"X", std::string{"secret\0b", 8}}, "header X has a line break"},
                          {{"A b", "secret"}, "name is not a token"},
                          {{"", "secret"}, "name is not a token"},
                          {{"HOST", "secret"}, "header HOST is the client's"},
                          {{"content-length", "secret"}, "is the client's"},
                          {{"Transfer-Encoding", "secret"}, "is the client's"},
                          {{"Connection", "secret"}, "is the client's"}}) {
    HttpRequest request = request_to("https://example.com/");
    request.headers = {one.header};
    std::string out;
    const auto failure = write_request(request, out);
    ASSERT_TRUE(failure) << one.says;
    EXPECT_EQ(failure->kind, FailureKind::protocol);
    EXPECT_NE(failure->message.find(one.says), std::string::npos) << failure->message;
    EXPECT_EQ(failure->message.find("secret"), std::string::npos);
  }
  HttpRequest request = request_to("https://example.com/");
  std::string out;
  request.url.target = "/secret HTTP/1.1\r\nA: b";
  EXPECT_TRUE(write_request(request, out));
  request.url.target = "secret";
  EXPECT_TRUE(write_request(request, out));
  request.url.target = "/";
  request.method = "POST /";
  EXPECT_TRUE(write_request(request, out));
}

}  // namespace
}  // namespace dispatcher
