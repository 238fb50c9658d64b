// A webhook's URL, taken apart once. It is a secret: its path is the credential.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace dispatcher {

struct WebhookUrl {
  bool is_https = true;
  std::string host;         // lower case; an IPv6 address without its brackets
  bool host_is_ip = false;  // an address in its usual notation (a zone id makes it none)
  std::uint16_t port = 443;
  std::string target;             // path and query, at least `/`
  std::string basic_credentials;  // `user:password` of the URL, percent-decoded; empty for none

  // `https://host` or `https://host:8443`: what a log may show.
  [[nodiscard]] std::string display() const;
  // The Host header: without the scheme's default port.
  [[nodiscard]] std::string host_header() const;
};

// An absolute http or https URL with a host, of at most 8,192 bytes; a fragment is dropped. Empty
// for anything else. Whether `http` or the address is allowed is not asked here.
[[nodiscard]] std::optional<WebhookUrl> parse_webhook_url(std::string_view text);

// What is wrong with one that is none, in words that show nothing of it. Empty when it is one.
[[nodiscard]] std::optional<std::string_view> fault_of_webhook_url(std::string_view text);

}  // namespace dispatcher
