// Promise: whatever AWS answers, its error is a word and one line of bounded length; a profile's
// keys and values are lines without white space around them. The first line is the status, then the
// answer.
#include "adapters/aws/aws_answer.hpp"
#include "adapters/aws/profile_files.hpp"

#include "fuzz/fuzz_target.hpp"

#include <algorithm>
#include <charconv>
#include <string>

namespace dispatcher::fuzz {
namespace {

bool is_word(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_';
  });
}

bool is_one_line(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

void check_answer(int status, std::string_view body) {
  Answer answer;
  answer.status = status;
  answer.body = body;
  answer.headers.push_back({"x-amzn-ErrorType", std::string{body.substr(0, body.find('\n'))}});
  answer.headers.push_back({"x-amz-crc32", std::string{body.substr(0, 10)}});
  for (const AwsProtocol protocol : {AwsProtocol::json, AwsProtocol::query}) {
    const AwsFault fault = fault_of(answer, protocol);
    promise(is_word(fault.code) && fault.code.size() <= 100, "a code is a word");
    promise(is_one_line(fault.message) && fault.message.size() <= 400, "a message is a line");
    promise(status < 500 || fault.kind == ErrorKind::retry_later, "a server's error may pass");
    promise(fault.code.find("Signature") == std::string::npos || fault.message.empty(),
            "what may hold a session's token is not shown");
  }
  (void)is_damaged(answer);
  promise(request_id_of(answer).empty(), "an answer without an id has none");
}

bool is_trimmed(std::string_view text) {
  constexpr std::string_view kSpaces = " \t\r\n";
  return text.empty() || (kSpaces.find(text.front()) == std::string_view::npos &&
                          kSpaces.find(text.back()) == std::string_view::npos);
}

void check_profiles(std::string_view input) {
  for (const auto& [name, keys] : parse_profiles(input)) {
    promise(is_trimmed(name), "a section's name has no white space around it");
    for (const auto& [key, value] : keys) {
      promise(!key.empty() && is_trimmed(key) && is_trimmed(value),
              "a key and a value have no white space around them");
      promise(key.find('\n') == std::string::npos && value.find('\n') == std::string::npos,
              "a key and a value are of one line");
    }
  }
}

void check(std::string_view input) {
  check_profiles(input);
  const std::string_view number = take_line(input);
  int status = 400;
  (void)std::from_chars(number.data(), number.data() + number.size(), status);  // else 400
  check_answer(std::clamp(status, 200, 599), input);
}

const Registration kTarget{"aws", check};

}  // namespace
}  // namespace dispatcher::fuzz
