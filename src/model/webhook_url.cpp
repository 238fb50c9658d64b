#include "model/webhook_url.hpp"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include <algorithm>

namespace dispatcher {
namespace {

constexpr std::size_t kMaxUrlBytes = 8192;

std::string lower(std::string_view text) {
  std::string out{text};
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
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
  namespace urls = boost::urls;
  if (text.size() > kMaxUrlBytes) {
    return std::nullopt;
  }
  const auto parsed = urls::parse_uri(text);
  if (!parsed || !parsed->has_authority()) {
    return std::nullopt;
  }
  const urls::url_view view = *parsed;
  WebhookUrl url;
  if (view.scheme_id() != urls::scheme::https && view.scheme_id() != urls::scheme::http) {
    return std::nullopt;
  }
  url.is_https = view.scheme_id() == urls::scheme::https;
  url.host_is_ip =
      view.host_type() == urls::host_type::ipv4 || view.host_type() == urls::host_type::ipv6;
  url.host = lower(std::string{view.host_address()});
  if (url.host.empty()) {
    return std::nullopt;
  }
  url.port = url.is_https ? 443 : 80;
  if (view.has_port() && !view.port().empty()) {
    url.port = view.port_number();
    if (url.port == 0) {  // also what a number past 65535 reads as
      return std::nullopt;
    }
  }
  url.target = std::string{view.encoded_path()};
  if (url.target.empty()) {
    url.target = "/";
  }
  if (view.has_query()) {
    url.target += "?" + std::string{view.encoded_query()};
  }
  if (view.has_userinfo()) {
    url.basic_credentials = view.user() + ":" + view.password();
  }
  return url;
}

}  // namespace dispatcher
