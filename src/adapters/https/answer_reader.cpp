#include "adapters/https/answer_reader.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>

#include <algorithm>
#include <cstring>
#include <limits>

namespace dispatcher {
namespace {

namespace http = boost::beast::http;
using boost::beast::string_view;
using boost::system::error_code;

// Room for the longest head, and for some body behind it.
constexpr std::size_t kMaxBuffer = kMaxHeaderBytes + 1024;
constexpr std::size_t kFirstBuffer = 4096;
constexpr std::size_t kUsualHeaders = 8;
constexpr std::string_view kHttp = "HTTP/";
constexpr std::size_t kHttp2FrameHeader = 9;

std::string_view view(string_view text) {
  return {text.data(), text.size()};
}

// What an HTTP/2 server says first: a SETTINGS frame (type 4) on stream 0 (RFC 9113, section 3.4).
bool is_http2_settings(std::string_view bytes) {
  return bytes.size() >= kHttp2FrameHeader && bytes[3] == 4 && bytes[5] == 0 && bytes[6] == 0 &&
         bytes[7] == 0 && bytes[8] == 0;
}

}  // namespace

// Fills an Answer from what Beast's parser finds.
class AnswerReader::Parser final : public http::basic_parser<false> {
 public:
  explicit Parser(const BodyPolicy& policy) : policy_(policy) {
    header_limit(kMaxHeaderBytes);
    body_limit(boost::none);  // ours is in `keep`, where what fits of a longer body is kept
    eager(true);
    skip(policy.has_none);
    answer.headers.reserve(kUsualHeaders);
  }

  Answer answer;
  bool is_too_long = false;
  bool has_too_many_headers = false;

 private:
  void on_request_impl(http::verb /*method*/, string_view /*name*/, string_view /*target*/,
                       int /*version*/, error_code& /*ec*/) override {}
  void on_response_impl(int code, string_view /*reason*/, int /*version*/,
                        error_code& ec) override {
    answer.status = code;
    if (code < 100) {
      ec = http::error::bad_status;
    }
  }

  void on_field_impl(http::field /*field*/, string_view name, string_view value,
                     error_code& ec) override {
    if (++fields_ > kMaxHeaders) {
      has_too_many_headers = true;
      ec = http::error::header_limit;
      return;
    }
    if (!is_header_done()) {  // else it is a trailer
      answer.headers.push_back({std::string{view(name)}, std::string{view(value)}});
    }
  }

  void on_header_impl(error_code& /*ec*/) override {}

  void on_body_init_impl(const boost::optional<std::uint64_t>& length, error_code& ec) override {
    if (policy_.needs_whole && length && *length > policy_.max_bytes) {
      is_too_long = true;
      ec = http::error::body_limit;
    }
  }

  std::size_t on_body_impl(string_view body, error_code& ec) override { return keep(body, ec); }
  void on_chunk_header_impl(std::uint64_t /*size*/, string_view /*extensions*/,
                            error_code& /*ec*/) override {}
  std::size_t on_chunk_body_impl(std::uint64_t /*remain*/, string_view body,
                                 error_code& ec) override {
    return keep(body, ec);
  }
  void on_finish_impl(error_code& /*ec*/) override {}

  std::size_t keep(string_view body, error_code& ec) {
    const std::size_t fits = std::min(body.size(), policy_.max_bytes - answer.body.size());
    answer.body.append(body.data(), fits);
    if (fits < body.size()) {
      is_too_long = true;
      ec = http::error::body_limit;
    }
    return body.size();
  }

  BodyPolicy policy_;
  std::size_t fields_ = 0;
};

AnswerReader::AnswerReader(std::vector<char>& buffer, BodyPolicy policy)
    : buffer_(buffer), policy_(policy), parser_(std::make_unique<Parser>(policy)) {
  if (buffer_.size() < kFirstBuffer) {
    buffer_.resize(kFirstBuffer);
  }
}

AnswerReader::~AnswerReader() = default;

std::span<char> AnswerReader::room() {
  if (begin_ == end_) {
    begin_ = end_ = 0;
  } else if (end_ == buffer_.size() && begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ == buffer_.size()) {
    buffer_.resize(std::min(buffer_.size() * 2, kMaxBuffer));
  }
  return std::span{buffer_}.subspan(end_);
}

void AnswerReader::take(std::size_t count) {
  has_begun_ = has_begun_ || count > 0;
  end_ += count;
  parse();
  // A line of chunked encoding that fills the buffer has no end in sight.
  if (!is_over_ && end_ - begin_ >= kMaxBuffer) {
    body_fault(FailureKind::protocol, "the answer has a line that is too long");
  }
}

void AnswerReader::parse() {
  if (!has_known_beginning()) {
    return;
  }
  while (!is_over_ && begin_ < end_ && parse_step()) {
  }
}

// Says what is wrong with the first bytes, instead of waiting for a line's end that may never come.
bool AnswerReader::has_known_beginning() {
  if (is_http_ || is_over_) {
    return is_http_;
  }
  const std::string_view bytes{buffer_.data() + begin_, end_ - begin_};
  if (bytes.starts_with('\0') && bytes.size() < kHttp2FrameHeader) {
    return false;
  }
  if (is_http2_settings(bytes)) {
    fail(FailureKind::protocol, "the server speaks HTTP/2 only; HTTP/1.1 is needed");
    return false;
  }
  if (!kHttp.starts_with(bytes.substr(0, kHttp.size()))) {
    fail(FailureKind::protocol, "what came back is not HTTP/1.x");
    return false;
  }
  is_http_ = bytes.size() >= kHttp.size();
  return is_http_;
}

// False when more bytes are needed.
bool AnswerReader::parse_step() {
  error_code ec;
  begin_ += parser_->put(boost::asio::const_buffer{buffer_.data() + begin_, end_ - begin_}, ec);
  if (ec == http::error::need_more) {
    ec = {};
  } else if (ec) {
    if (parser_->has_too_many_headers) {
      body_fault(FailureKind::protocol,
                 "the answer has more than " + std::to_string(kMaxHeaders) + " headers");
    } else if (ec == http::error::header_limit) {
      body_fault(FailureKind::protocol, "the answer's headers are longer than " +
                                            std::to_string(kMaxHeaderBytes / 1024) + " KiB");
    } else if (parser_->is_too_long) {
      body_fault(FailureKind::protocol, "the answer's body is longer than " +
                                            std::to_string(policy_.max_bytes) + " bytes");
    } else {
      body_fault(FailureKind::protocol, "malformed answer: " + ec.message());
    }
    return false;
  }
  if (parser_->is_done()) {
    finish_message();
    return !is_over_;
  }
  return false;
}

void AnswerReader::finish_message() {
  const int status = parser_->answer.status;
  if (status >= 200) {
    is_over_ = is_complete_ = true;
  } else if (status == 101) {
    fail(FailureKind::protocol, "the answer has status " + std::to_string(status));
  } else if (++interim_answers_ > kMaxInterimAnswers) {
    fail(FailureKind::protocol, "the server sends interim answers without end");
  } else {
    parser_ = std::make_unique<Parser>(policy_);
    is_http_ = false;
    if (begin_ < end_) {
      has_known_beginning();
    }
  }
}

void AnswerReader::end(bool is_clean) {
  if (is_over_) {
    return;
  }
  if (!has_headers()) {
    if (begin_ < end_ && buffer_[begin_] == '\0') {
      fail(FailureKind::protocol, "what came back is not HTTP/1.x");
    } else {
      fail(FailureKind::reset, has_begun_ ? "the connection ended within the answer's headers"
                                          : "the connection ended before an answer");
    }
    return;
  }
  error_code ec;
  parser_->put_eof(ec);
  if (ec || !is_clean) {
    body_fault(FailureKind::reset, "the connection ended within the answer's body");
  } else {
    is_over_ = true;  // the end of the connection was the end of the body
  }
}

bool AnswerReader::has_headers() const {
  return parser_->is_header_done() && parser_->answer.status >= 200 && !failure_;
}

bool AnswerReader::may_keep_connection() const {
  return is_complete_ && begin_ == end_ && parser_->keep_alive();
}

Answer AnswerReader::take_answer() {
  return std::move(parser_->answer);
}

void AnswerReader::fail(FailureKind kind, std::string message) {
  failure_ = Failure{kind, std::move(message)};
  is_over_ = true;
}

// Behind complete headers a fault counts only for who needs the whole body.
void AnswerReader::body_fault(FailureKind kind, std::string message) {
  if (has_headers() && !policy_.needs_whole) {
    is_over_ = true;
  } else {
    fail(kind, std::move(message));
  }
}

}  // namespace dispatcher
