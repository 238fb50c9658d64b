#include "adapters/http_server/request_head.hpp"

#include <boost/algorithm/string/predicate.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

namespace dispatcher {
namespace {

using boost::algorithm::iequals;

constexpr HeadFault kBadRequestLine{400, "Malformed request line"};
constexpr HeadFault kBadHeader{400, "Malformed header"};
constexpr HeadFault kBadHost{400, "The Host header is missing, repeated or malformed"};
constexpr HeadFault kBadLength{400, "Malformed or repeated Content-Length"};
constexpr HeadFault kBadCoding{400, "Malformed or repeated Transfer-Encoding"};
constexpr HeadFault kTwoLengths{400, "Both Transfer-Encoding and Content-Length"};
constexpr HeadFault kUnknownCoding{501, "Only the transfer coding chunked is supported"};
constexpr HeadFault kUnknownExpectation{417, "Only the expectation 100-continue is supported"};
constexpr HeadFault kUnknownVersion{505, "Only HTTP/1.0 and HTTP/1.1 are supported"};

using CharacterSet = std::array<bool, 256>;

// tchar of RFC 9110, section 5.6.2.
constexpr CharacterSet make_token_characters() {
  CharacterSet set{};
  for (const char c : std::string_view{"!#$%&'*+-.^_`|~0123456789"
                                       "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"}) {
    set[static_cast<unsigned char>(c)] = true;
  }
  return set;
}

// Field values: tab, space, visible characters and bytes past ASCII (obs-text).
constexpr CharacterSet make_value_characters() {
  CharacterSet set{};
  for (std::size_t c = 0x20; c < set.size(); ++c) {
    set[c] = c != 0x7F;
  }
  set['\t'] = true;
  return set;
}

// A target as clients write it: no space, no control character. Bytes past ASCII are not URI
// characters, but curl sends those that it was given.
constexpr CharacterSet make_target_characters() {
  CharacterSet set = make_value_characters();
  set['\t'] = false;
  set[' '] = false;
  return set;
}

constexpr CharacterSet kToken = make_token_characters();
constexpr CharacterSet kValue = make_value_characters();
constexpr CharacterSet kTarget = make_target_characters();

bool is_made_of(std::string_view text, const CharacterSet& set) {
  return std::all_of(text.begin(), text.end(),
                     [&](char c) { return set[static_cast<unsigned char>(c)]; });
}

bool is_token(std::string_view text) {
  return !text.empty() && is_made_of(text, kToken);
}

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) {
    return {};
  }
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// A line, taken off the front of `text` with its CRLF.
std::string_view take_line(std::string_view& text) {
  const std::size_t end = text.find("\r\n");
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 2);
  return line;
}

// Calls `use` with each element of a comma-separated list that is not empty.
template <class Use>
void for_each_element(std::string_view list, Use use) {
  while (!list.empty()) {
    const std::size_t end = std::min(list.find(','), list.size());
    if (const auto element = trimmed(list.substr(0, end)); !element.empty()) {
      use(element);
    }
    list.remove_prefix(std::min(end + 1, list.size()));
  }
}

// The origin form of `http://host/path?query`, which a client sends to what it takes for a proxy.
std::string_view without_authority(std::string_view target) {
  const std::size_t begin = target.find("://") + 3;
  const std::size_t path = target.find_first_of("/?", begin);
  return path == std::string_view::npos ? std::string_view{} : target.substr(path);
}

std::optional<HeadFault> read_target(std::string_view target, RequestHead& head) {
  if (!is_made_of(target, kTarget)) {
    return kBadRequestLine;
  }
  const bool is_absolute = boost::algorithm::istarts_with(target, "http://") ||
                           boost::algorithm::istarts_with(target, "https://");
  if (is_absolute) {
    target = without_authority(target);
  } else if (target.empty() || (target[0] != '/' && target != "*")) {
    return kBadRequestLine;
  }
  const std::size_t question = std::min(target.find('?'), target.size());
  head.path = target.substr(0, question);
  if (head.path.empty()) {
    head.path = "/";
  }
  head.query = target.substr(std::min(question + 1, target.size()));
  return std::nullopt;
}

std::optional<HeadFault> read_version(std::string_view version, RequestFraming& framing) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const bool is_version = version.size() == 8 && version.starts_with("HTTP/") &&
                          is_digit(version[5]) && version[6] == '.' && is_digit(version[7]);
  if (!is_version) {
    return kBadRequestLine;
  }
  if (version[5] != '1') {
    return kUnknownVersion;
  }
  framing.is_http_1_0 = version[7] == '0';
  framing.keeps_alive = !framing.is_http_1_0;
  return std::nullopt;
}

std::optional<HeadFault> read_request_line(std::string_view line, ParsedHead& parsed) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) {
    return kBadRequestLine;
  }
  const std::string_view method = line.substr(0, first);
  if (!is_token(method)) {
    return kBadRequestLine;
  }
  parsed.head.method = method;
  parsed.framing.is_head_method = method == "HEAD";
  if (const auto fault = read_version(line.substr(last + 1), parsed.framing)) {
    return fault;
  }
  return read_target(line.substr(first + 1, last - first - 1), parsed.head);
}

// What the headers say about framing, while they are read.
struct Seen {
  int hosts = 0;
  int lengths = 0;
  int codings = 0;
  bool says_close = false;
  bool says_keep_alive = false;
};

std::optional<HeadFault> read_length(std::string_view value, Seen& seen, RequestFraming& framing) {
  // A list of equal lengths is legal to accept, and legal to refuse: no client of ours sends one.
  const auto [end, error] =
      std::from_chars(value.data(), value.data() + value.size(), framing.content_length);
  const bool is_number = error == std::errc{} && end == value.data() + value.size();
  return is_number && ++seen.lengths == 1 ? std::nullopt : std::optional{kBadLength};
}

std::optional<HeadFault> read_coding(std::string_view value, Seen& seen, RequestFraming& framing) {
  if (++seen.codings > 1 || value.empty()) {
    return kBadCoding;
  }
  if (iequals(value, "chunked")) {
    framing.is_chunked = true;
    return std::nullopt;
  }
  // The last coding must be chunked, or the body's end would be unknown.
  std::string_view last;
  for_each_element(value, [&](std::string_view element) { last = element; });
  return iequals(last, "chunked") ? kUnknownCoding : kBadCoding;
}

void read_connection(std::string_view value, Seen& seen) {
  for_each_element(value, [&](std::string_view option) {
    seen.says_close = seen.says_close || iequals(option, "close");
    seen.says_keep_alive = seen.says_keep_alive || iequals(option, "keep-alive");
  });
}

bool is_host(std::string_view value) {
  return value.find_first_of(" \t/?#@,\\") == std::string_view::npos;
}

std::optional<HeadFault> read_framing_header(std::string_view name, std::string_view value,
                                             Seen& seen, RequestFraming& framing) {
  // The lengths of the names tell most headers apart without comparing them.
  switch (name.size()) {
    case 4:
      if (iequals(name, "host") && (++seen.hosts > 1 || !is_host(value))) {
        return kBadHost;
      }
      break;
    case 6:
      if (iequals(name, "expect")) {
        framing.expects_continue = iequals(value, "100-continue");
        return framing.expects_continue ? std::nullopt : std::optional{kUnknownExpectation};
      }
      break;
    case 10:
      if (iequals(name, "connection")) {
        read_connection(value, seen);
      }
      break;
    case 14:
      return iequals(name, "content-length") ? read_length(value, seen, framing) : std::nullopt;
    case 17:
      return iequals(name, "transfer-encoding") ? read_coding(value, seen, framing) : std::nullopt;
    default: break;
  }
  return std::nullopt;
}

std::optional<HeadFault> read_header(std::string_view line, Seen& seen, ParsedHead& parsed) {
  // A name is a token: this refuses folded lines and a space before the colon too.
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) {
    return kBadHeader;
  }
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = trimmed(line.substr(colon + 1));
  if (!is_made_of(value, kValue)) {
    return kBadHeader;
  }
  parsed.head.headers.push_back({std::string{name}, std::string{value}});
  return read_framing_header(name, value, seen, parsed.framing);
}

std::optional<HeadFault> settle_framing(const Seen& seen, RequestFraming& framing) {
  if (seen.hosts == 0 && !framing.is_http_1_0) {
    return kBadHost;
  }
  if (seen.codings > 0 && seen.lengths > 0) {
    return kTwoLengths;
  }
  if (seen.codings > 0 && framing.is_http_1_0) {
    return kBadCoding;  // HTTP/1.0 has none: whoever forwarded it did not read it (RFC 9112, 6.1)
  }
  framing.keeps_alive = !seen.says_close && (framing.keeps_alive || seen.says_keep_alive);
  framing.expects_continue = framing.expects_continue && !framing.is_http_1_0;
  return std::nullopt;
}

}  // namespace

HeadScanner::State HeadScanner::scan(std::string_view input) {
  while (scanned_ < input.size()) {
    const void* found = std::memchr(input.data() + scanned_, '\n', input.size() - scanned_);
    if (found == nullptr) {
      break;
    }
    const auto feed = static_cast<std::size_t>(static_cast<const char*>(found) - input.data());
    if (feed == scanned_ || input[feed - 1] != '\r') {
      return State::malformed;  // a lone line feed ends a line for some servers and not for others
    }
    const bool is_empty_line = feed == scanned_ + 1;
    scanned_ = feed + 1;
    ++lines_;
    if (is_empty_line) {
      return lines_ >= 2 ? State::complete : State::malformed;
    }
  }
  return State::needs_more;
}

std::variant<ParsedHead, HeadFault> parse_request_head(std::string_view text,
                                                       std::size_t header_lines) {
  ParsedHead parsed;
  if (const auto fault = read_request_line(take_line(text), parsed)) {
    return *fault;
  }
  Seen seen;
  parsed.head.headers.reserve(header_lines);
  for (std::size_t i = 0; i < header_lines; ++i) {
    if (const auto fault = read_header(take_line(text), seen, parsed)) {
      return *fault;
    }
  }
  if (const auto fault = settle_framing(seen, parsed.framing)) {
    return *fault;
  }
  return parsed;
}

bool can_begin_request(char first) {
  return kToken[static_cast<unsigned char>(first)];
}

}  // namespace dispatcher
