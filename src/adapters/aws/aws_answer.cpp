#include "adapters/aws/aws_answer.hpp"

#include <boost/crc.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/parse_options.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <span>

namespace dispatcher {
namespace {

constexpr std::size_t kMaxCodeBytes = 100;
constexpr std::size_t kMaxMessageBytes = 400;
// An unmet condition's answer has the item with it, which nests up to 32 deep, each level in two.
constexpr std::size_t kMaxAnswerDepth = 128;

using Codes = std::span<const std::string_view>;

// As botocore's standard retry mode has them.
constexpr std::array<std::string_view, 15> kThrottled{"Throttling",
                                                      "ThrottlingException",
                                                      "ThrottledException",
                                                      "RequestThrottledException",
                                                      "TooManyRequestsException",
                                                      "ProvisionedThroughputExceededException",
                                                      "TransactionInProgressException",
                                                      "RequestLimitExceeded",
                                                      "BandwidthLimitExceeded",
                                                      "LimitExceededException",
                                                      "LimitExceeded",
                                                      "RequestThrottled",
                                                      "SlowDown",
                                                      "PriorRequestNotComplete",
                                                      "EC2ThrottledException"};
constexpr std::array<std::string_view, 8> kTransient{
    "RequestTimeout",     "RequestTimeoutException",     "InternalError",
    "InternalFailure",    "InternalServerError",         "InternalServiceError",
    "ServiceUnavailable", "TransactionConflictException"};
constexpr std::array<std::string_view, 4> kClock{"RequestTimeTooSkewed", "RequestInTheFuture",
                                                 "InvalidSignatureException",
                                                 "SignatureDoesNotMatch"};
// Some services say it of an old signature too: `set_clock` is tried first, then these.
constexpr std::array<std::string_view, 7> kCredentials{
    "ExpiredToken",         "ExpiredTokenException", "UnrecognizedClientException",
    "InvalidClientTokenId", "TokenRefreshRequired",  "InvalidToken",
    "RequestExpired"};
constexpr std::array<std::string_view, 7> kRefused{"AccessDenied",
                                                   "AccessDeniedException",
                                                   "NotAuthorized",
                                                   "MissingAuthenticationToken",
                                                   "MissingAuthenticationTokenException",
                                                   "IncompleteSignature",
                                                   "OptInRequired"};
constexpr std::array<std::string_view, 2> kNotFound{"ResourceNotFoundException",
                                                    "ResourceNotFound"};
constexpr std::array<std::string_view, 3> kConflict{"ConditionalCheckFailedException",
                                                    "TransactionCanceledException",
                                                    "IdempotentParameterMismatchException"};

bool is_in(Codes codes, std::string_view code) {
  return std::find(codes.begin(), codes.end(), code) != codes.end();
}

std::string text_of(const boost::json::object& object, std::string_view key) {
  const auto* value = object.if_contains({key.data(), key.size()});
  if (value == nullptr || !value->is_string()) {
    return {};
  }
  return {value->get_string().data(), value->get_string().size()};
}

// What stands between <name> and </name>, the first time.
std::string_view element_of(std::string_view xml, std::string_view name) {
  const std::string open = "<" + std::string{name} + ">";
  const std::string close = "</" + std::string{name} + ">";
  const auto begin = xml.find(open);
  if (begin == std::string_view::npos) {
    return {};
  }
  const auto end = xml.find(close, begin);
  if (end == std::string_view::npos) {
    return {};
  }
  return xml.substr(begin + open.size(), end - begin - open.size());
}

// `com.amazonaws.dynamodb.v20120810#ResourceNotFoundException:http://…` → what is in the middle.
std::string bare_code(std::string_view code) {
  code = code.substr(0, code.find(':'));
  const auto hash = code.find('#');
  code.remove_prefix(hash == std::string_view::npos ? 0 : hash + 1);
  const bool is_word = std::all_of(code.begin(), code.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_';
  });
  return is_word ? std::string{code.substr(0, kMaxCodeBytes)} : std::string{};
}

// One line of bounded length. What AWS says of a signature repeats the request's headers, with the
// session token in it.
std::string shown_message(std::string message, std::string_view code) {
  if (code.find("Signature") != std::string_view::npos) {
    return {};
  }
  std::replace_if(
      message.begin(), message.end(),
      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
  if (message.size() > kMaxMessageBytes) {
    std::size_t end = kMaxMessageBytes;
    while (end > 0 && (static_cast<unsigned char>(message[end]) & 0xC0U) == 0x80U) {
      --end;  // not through the middle of a character
    }
    message.resize(end);
  }
  return message;
}

// What it does not know stays refused: a redirect, or an interim answer, is not AWS.
void judge(AwsFault& fault, int status) {
  const std::string_view code = fault.code;
  const auto is = [&](ErrorKind kind, AwsRemedy remedy) {
    fault.kind = kind;
    fault.remedy = remedy;
  };
  if (is_in(kThrottled, code) || status == 429) {
    is(ErrorKind::retry_later, AwsRemedy::slow_down);
  } else if (is_in(kTransient, code) || status >= 500) {
    is(ErrorKind::retry_later, AwsRemedy::wait);
  } else if (is_in(kClock, code)) {
    is(ErrorKind::refused, AwsRemedy::set_clock);
  } else if (is_in(kCredentials, code)) {
    is(ErrorKind::refused, AwsRemedy::new_credentials);
  } else if (is_in(kRefused, code) || (code.empty() && (status == 401 || status == 403))) {
    is(ErrorKind::refused, AwsRemedy::none);
  } else if (is_in(kNotFound, code)) {
    is(ErrorKind::not_found, AwsRemedy::none);
  } else if (is_in(kConflict, code)) {
    is(ErrorKind::conflict, AwsRemedy::none);
  } else if (status >= 400) {
    is(ErrorKind::invalid, AwsRemedy::none);
  }
}

}  // namespace

AwsFault fault_of(const Answer& answer, AwsProtocol protocol) {
  AwsFault fault;
  std::string message;
  if (protocol == AwsProtocol::query) {
    fault.code = bare_code(element_of(answer.body, "Code"));
    message = element_of(answer.body, "Message");
  } else {
    fault.code = bare_code(answer.header("x-amzn-errortype").value_or(""));
    boost::json::parse_options options;
    options.max_depth = kMaxAnswerDepth;
    boost::json::error_code error;
    const auto value = boost::json::parse(answer.body, error, {}, options);
    if (!error && value.is_object()) {
      const auto& object = value.get_object();
      if (fault.code.empty()) {
        fault.code = bare_code(text_of(object, "__type"));
      }
      message = text_of(object, "message");
      if (message.empty()) {
        message = text_of(object, "Message");
      }
    }
  }
  fault.message = shown_message(std::move(message), fault.code);
  judge(fault, answer.status);
  return fault;
}

std::string request_id_of(const Answer& answer) {
  const auto id = answer.header("x-amzn-requestid");
  return std::string{id ? *id : answer.header("x-amz-request-id").value_or("")};
}

bool is_damaged(const Answer& answer) {
  const auto header = answer.header("x-amz-crc32");
  std::uint32_t expected = 0;
  if (!header || std::from_chars(header->data(), header->data() + header->size(), expected).ec !=
                     std::errc{}) {
    return false;
  }
  boost::crc_32_type crc;
  crc.process_bytes(answer.body.data(), answer.body.size());
  return crc.checksum() != expected;
}

}  // namespace dispatcher
