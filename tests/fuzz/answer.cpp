// Promise: an HTTP answer means the same in whatever pieces it comes; what is kept of it stays
// within its limits; and in the end there is an answer or a reason why not, never both. The first
// line has an `H` for the answer to a HEAD, a `W` when the whole body is needed, and a `C` for a
// clean end.
#include "adapters/https/answer_reader.hpp"

#include "fuzz/fuzz_target.hpp"

#include <algorithm>
#include <cstring>
#include <string>

namespace dispatcher::fuzz {
namespace {

constexpr std::size_t kMaxBody = 200;
constexpr std::size_t kMaxBuffer = 64 * 1024;

struct Read {
  std::optional<Failure> failure;
  Answer answer;
  bool has_headers = false;
  bool may_keep = false;
  bool was_over = false;  // before the connection ended
};

void put(AnswerReader& reader, std::string_view piece) {
  while (!piece.empty() && !reader.is_over()) {
    const auto room = reader.room();
    promise(!room.empty(), "there is room while the answer is not over");
    const std::size_t size = std::min(room.size(), piece.size());
    std::memcpy(room.data(), piece.data(), size);
    piece.remove_prefix(size);
    reader.take(size);
  }
}

Read finish(AnswerReader& reader, bool is_clean) {
  Read read;
  read.was_over = reader.is_over();
  read.may_keep = reader.may_keep_connection();
  reader.end(is_clean);
  promise(reader.is_over(), "the end of the connection is the end of the answer");
  read.failure = reader.failure();
  read.has_headers = reader.has_headers();
  promise(read.has_headers != read.failure.has_value(), "there is an answer or a reason why not");
  if (read.has_headers) {
    read.answer = reader.take_answer();
  }
  return read;
}

Read read_whole(std::string_view input, BodyPolicy policy, bool is_clean) {
  std::vector<char> buffer;
  AnswerReader reader{buffer, policy};
  put(reader, input);
  return finish(reader, is_clean);
}

Read read_pieces(std::string_view input, BodyPolicy policy, bool is_clean) {
  std::vector<char> buffer;
  AnswerReader reader{buffer, policy};
  Pieces pieces{input};
  while (!input.empty()) {
    put(reader, pieces.take(input));
  }
  promise(buffer.size() <= kMaxBuffer, "the buffer stays within its limit");
  return finish(reader, is_clean);
}

bool is_same(const Answer& left, const Answer& right) {
  return left.status == right.status && left.body == right.body &&
         std::equal(left.headers.begin(), left.headers.end(), right.headers.begin(),
                    right.headers.end(), [](const HttpHeader& a, const HttpHeader& b) {
                      return a.name == b.name && a.value == b.value;
                    });
}

// A head that is malformed and has no end is one or the other.
bool is_same_reason(FailureKind left, FailureKind right) {
  const auto is_of_head = [](FailureKind kind) {
    return kind == FailureKind::protocol || kind == FailureKind::reset;
  };
  return left == right || (is_of_head(left) && is_of_head(right));
}

void check_limits(const Answer& answer, bool has_no_body) {
  promise(answer.status >= 200 && answer.status <= 999, "a status has three digits and is final");
  promise(answer.body.size() <= kMaxBody, "a body is kept up to its limit");
  promise(!has_no_body || answer.body.empty(), "the answer to a HEAD has no body");
  promise(answer.headers.size() <= kMaxHeaders, "headers are limited");
  for (const HttpHeader& header : answer.headers) {
    promise(header.value.find_first_of(std::string_view{"\r\n\0", 3}) == std::string::npos,
            "a header's value is one line");
  }
}

void check(std::string_view input) {
  const std::string_view options = take_line(input);
  const auto has = [options](char c) { return options.find(c) != std::string_view::npos; };
  const BodyPolicy policy{has('W'), kMaxBody, has('H')};
  const Read whole = read_whole(input, policy, has('C'));
  const Read cut = read_pieces(input, policy, has('C'));
  promise(whole.failure.has_value() == cut.failure.has_value(), "pieces change no outcome");
  promise(!whole.failure || is_same_reason(whole.failure->kind, cut.failure->kind),
          "pieces change no reason");
  if (whole.has_headers) {
    promise(whole.was_over == cut.was_over, "pieces do not change where it ends");
    promise(is_same(whole.answer, cut.answer), "pieces change no answer");
    check_limits(whole.answer, policy.has_none);
  }
  promise(!whole.may_keep || !whole.failure, "no connection is kept after a failure");
}

const Registration kTarget{"answer", check};

}  // namespace
}  // namespace dispatcher::fuzz
