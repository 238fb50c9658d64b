#include "model/webhook_url.hpp"

#include <boost/url/ipv4_address.hpp>
#include <boost/url/ipv6_address.hpp>

#include <algorithm>
#include <charconv>
#include <utility>

namespace dispatcher {
namespace {

constexpr std::size_t kMaxUrlBytes = 8192;

// A name of the DNS is shorter still (253, and a dot at its end).
constexpr std::size_t kMaxHostBytes = 254;

bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_one_of(std::string_view set, char c) {
  return set.find(c) != std::string_view::npos;
}

int hex_value(char digit) {
  int value = -1;
  (void)std::from_chars(&digit, &digit + 1, value, 16);  // what is no digit leaves the -1
  return value;
}

std::string lower(std::string_view text) {
  std::string out{text};
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

// RFC 3986: unreserved characters, sub-delimiters, those of `also`, and %XX. Empty when something
// else is in it; else `text` with its escapes decoded.
std::optional<std::string> decoded(std::string_view text, std::string_view also) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '%') {
      const int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
      if (high < 0 || low < 0) {
        return std::nullopt;
      }
      out.push_back(static_cast<char>(high * 16 + low));
      i += 2;
    } else if (is_alphanumeric(c) || is_one_of("-._~!$&'()*+,;=", c) || is_one_of(also, c)) {
      out.push_back(c);
    } else {
      return std::nullopt;
    }
  }
  return out;
}

// Takes `http://` or `https://` off; empty when it is neither.
std::optional<bool> take_scheme(std::string_view& text) {
  const auto end = text.find("://");
  if (end > 5) {  // or there is none
    return std::nullopt;
  }
  const std::string scheme = lower(text.substr(0, end));
  if (scheme != "http" && scheme != "https") {
    return std::nullopt;
  }
  text.remove_prefix(end + 3);
  return scheme == "https";
}

// Sets host and host_is_ip; what follows it is left in `text`. False when it is no host.
bool take_host(std::string_view& text, WebhookUrl& url) {
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == std::string_view::npos ||
        !boost::urls::parse_ipv6_address(text.substr(1, end - 1))) {
      return false;
    }
    url.host = lower(text.substr(1, end - 1));
    url.host_is_ip = true;
    text.remove_prefix(end + 1);
    return true;
  }
  const std::string_view name = text.substr(0, text.find(':'));
  // Narrower than RFC 3986, which allows escapes and so line ends and slashes in a name: what is
  // none in the DNS has no place in a Host header or a log.
  const bool is_name = std::all_of(
      name.begin(), name.end(), [](char c) { return is_alphanumeric(c) || is_one_of("-._", c); });
  if (name.empty() || name.size() > kMaxHostBytes || !is_name) {
    return false;
  }
  url.host = lower(name);
  url.host_is_ip = boost::urls::parse_ipv4_address(name).has_value();
  text.remove_prefix(name.size());
  return true;
}

// `:8443`, `:` or nothing. False when it is none of these.
bool read_port(std::string_view text, WebhookUrl& url) {
  url.port = url.is_https ? 443 : 80;
  if (text.empty() || text == ":") {
    return true;
  }
  text.remove_prefix(1);  // take_host ends at a colon, a bracket or the end
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), url.port);
  return error == std::errc{} && end == text.data() + text.size() && url.port != 0;
}

using Fault = std::optional<std::string_view>;

Fault read_authority(std::string_view text, WebhookUrl& url) {
  const auto at = text.find('@');
  if (at != std::string_view::npos) {
    const auto userinfo = text.substr(0, at);
    const auto credentials = decoded(userinfo, ":");
    if (!credentials) {
      return "the user and password before the @ have a character that needs percent-encoding";
    }
    url.basic_credentials = *credentials;
    if (!is_one_of(userinfo, ':')) {
      url.basic_credentials.push_back(':');
    }
    text.remove_prefix(at + 1);
  }
  if (text.empty() || text.front() == ':') {
    return "there is no host (give https://HOST[:PORT]/PATH)";
  }
  if (!take_host(text, url) || (!text.empty() && text.front() != ':')) {
    return "the host is neither a name of the DNS nor an IP address (one of IPv6 in brackets)";
  }
  if (!read_port(text, url)) {
    return "the port is not one of 1 to 65535";
  }
  return std::nullopt;
}

bool is_blank_or_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte <= 0x20 || byte == 0x7F;
}

// Takes it apart; says what is wrong where that cannot be done.
Fault read_webhook_url(std::string_view text, WebhookUrl& url) {
  if (text.size() > kMaxUrlBytes) {
    return "it has more than 8,192 bytes";
  }
  if (std::any_of(text.begin(), text.end(), is_blank_or_control)) {
    return "it has a blank, a line end or another control character (%20 stands for a blank)";
  }
  const auto is_https = take_scheme(text);
  if (!is_https) {
    return "it does not begin with https:// (give https://HOST[:PORT]/PATH)";
  }
  url.is_https = *is_https;
  const auto authority_end = std::min(text.find_first_of("/?#"), text.size());
  if (const Fault fault = read_authority(text.substr(0, authority_end), url)) {
    return fault;
  }
  text.remove_prefix(authority_end);
  const auto fragment_start = std::min(text.find('#'), text.size());
  const std::string_view target = text.substr(0, fragment_start);
  const std::string_view fragment = text.substr(fragment_start);
  if (!decoded(target, "/?:@") || !decoded(fragment, "#/?:@")) {
    return "its path or query has a character that needs percent-encoding, or a % without its two "
           "digits";
  }
  url.target = target.starts_with('/') ? std::string{target} : "/" + std::string{target};
  return std::nullopt;
}

std::string bracketed(const WebhookUrl& url) {
  return url.host.find(':') == std::string::npos ? url.host : "[" + url.host + "]";
}

}  // namespace

std::string WebhookUrl::host_header() const {
  const std::uint16_t usual = is_https ? 443 : 80;
  return port == usual ? bracketed(*this) : bracketed(*this) + ":" + std::to_string(port);
}

std::string WebhookUrl::display() const {
  return (is_https ? "https://" : "http://") + host_header();
}

std::optional<WebhookUrl> parse_webhook_url(std::string_view text) {
  WebhookUrl url;
  return read_webhook_url(text, url) ? std::nullopt : std::optional{std::move(url)};
}

std::optional<std::string_view> fault_of_webhook_url(std::string_view text) {
  WebhookUrl url;
  return read_webhook_url(text, url);
}

}  // namespace dispatcher
