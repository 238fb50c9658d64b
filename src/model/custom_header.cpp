#include "model/custom_header.hpp"

#include "model/endpoint_limits.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace dispatcher {
namespace {

// They say where the message goes, where it ends and what becomes of the connection (RFC 9110,
// section 7.6.1), or what it holds and who sent it: each request has those already.
constexpr std::array<std::string_view, 14> kOurs{"host",
                                                 "content-length",
                                                 "transfer-encoding",
                                                 "connection",
                                                 "keep-alive",
                                                 "te",
                                                 "trailer",
                                                 "upgrade",
                                                 "expect",
                                                 "proxy-connection",
                                                 "http2-settings",
                                                 "content-type",
                                                 "user-agent",
                                                 "x-webhook-signature"};

constexpr std::string_view kOurPrefix = "webhook-";

bool is_token_character(char c) {
  const bool is_alphanumeric =
      (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  return is_alphanumeric || std::string_view{"!#$%&'*+-.^_`|~"}.find(c) != std::string_view::npos;
}

std::string lower(std::string_view text) {
  std::string out{text};
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

}  // namespace

std::optional<std::string_view> fault_of_header_name(std::string_view name) {
  if (name.empty() || !std::all_of(name.begin(), name.end(), is_token_character)) {
    return "a header's name has letters, digits and !#$%&'*+-.^_`|~ alone";
  }
  if (name.size() > endpoint_limits::kMaxHeaderNameBytes) {
    return "a header's name has at most 128 bytes";
  }
  const std::string known = lower(name);
  if (known.starts_with(kOurPrefix) ||
      std::find(kOurs.begin(), kOurs.end(), known) != kOurs.end()) {
    return "this header is the dispatcher's own to send";
  }
  return std::nullopt;
}

std::optional<std::string_view> fault_of_header_value(std::string_view value) {
  if (value.size() > endpoint_limits::kMaxHeaderValueBytes) {
    return "a header's value has at most 4,096 bytes";
  }
  const bool is_clean = std::all_of(value.begin(), value.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return c == '\t' || (byte >= 0x20 && byte != 0x7F);
  });
  if (!is_clean) {
    return "a header's value has no line ends and no other control characters";
  }
  // They are no part of a value (RFC 9110, section 5.5): what was given would not be what arrives.
  const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
  if (!value.empty() && (is_blank(value.front()) || is_blank(value.back()))) {
    return "a header's value begins and ends with no blank and no tab";
  }
  return std::nullopt;
}

}  // namespace dispatcher
