// Reading one HTTP/1.x answer out of the bytes that come, within limits, as a state machine without
// a socket. Interim (1xx) answers are skipped.
#pragma once

#include "model/exchange.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace dispatcher {

inline constexpr std::size_t kMaxHeaderBytes = 16 * 1024;  // status line and headers of one answer
inline constexpr std::size_t kMaxHeaders = 100;            // and trailers
inline constexpr int kMaxInterimAnswers = 8;

struct BodyPolicy {
  bool needs_whole = false;  // else what comes of it is kept, and its faults are none
  std::size_t max_bytes = 64 * 1024;
  bool has_none = false;  // the answer to a HEAD
};

class AnswerReader {
 public:
  // `buffer` holds what has come and was not read yet; it is the reader's while it lives, and may
  // grow to a little over kMaxHeaderBytes.
  AnswerReader(std::vector<char>& buffer, BodyPolicy policy);
  ~AnswerReader();
  AnswerReader(const AnswerReader&) = delete;
  AnswerReader& operator=(const AnswerReader&) = delete;

  // Where the next bytes go: never empty while the answer is not over.
  [[nodiscard]] std::span<char> room();
  // That many bytes have been put there.
  void take(std::size_t count);
  // No more will come. `is_clean` when the other side said so (a TLS close_notify, a TCP end).
  void end(bool is_clean);

  [[nodiscard]] bool has_begun() const { return has_begun_; }
  [[nodiscard]] bool has_headers() const;
  // Nothing more is to be read: the answer is complete, or has failed, or is past its limit.
  [[nodiscard]] bool is_over() const { return is_over_; }
  // Over, complete, the other side keeps the connection, and nothing came after the answer.
  [[nodiscard]] bool may_keep_connection() const;

  // Why there is no answer; empty when there is one, or not yet.
  [[nodiscard]] const std::optional<Failure>& failure() const { return failure_; }
  [[nodiscard]] Answer take_answer();

 private:
  class Parser;

  void parse();
  bool has_known_beginning();
  bool parse_step();
  void finish_message();
  void fail(FailureKind kind, std::string message);
  void body_fault(FailureKind kind, std::string message);

  std::vector<char>& buffer_;
  std::size_t begin_ = 0;  // what is unread lies in [begin_, end_)
  std::size_t end_ = 0;
  BodyPolicy policy_;
  std::unique_ptr<Parser> parser_;
  std::optional<Failure> failure_;
  int interim_answers_ = 0;
  bool has_begun_ = false;
  bool is_http_ = false;
  bool is_over_ = false;
  bool is_complete_ = false;
};

}  // namespace dispatcher
