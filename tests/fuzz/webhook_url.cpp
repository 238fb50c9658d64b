// Promise: a webhook's URL that is accepted is one URL to Boost.URL too, with the same host and
// port; it is read again as itself, and what a log may show of it has neither path nor credentials.
#include "model/webhook_url.hpp"

#include "fuzz/fuzz_target.hpp"
#include "model/url_list.hpp"

#include <boost/url/parse.hpp>

#include <algorithm>
#include <string>

namespace dispatcher::fuzz {
namespace {

bool is_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7F; });
}

std::string_view view(boost::core::string_view text) {
  return {text.data(), text.size()};
}

void check_against_boost(std::string_view text, const WebhookUrl& url) {
  text = text.substr(0, text.find('#'));  // a fragment is dropped, whatever it has
  const auto judged = boost::urls::parse_uri({text.data(), text.size()});
  promise(judged.has_value(), "what is accepted is a URI");
  std::string host{view(judged->encoded_host())};
  std::transform(host.begin(), host.end(), host.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  const bool is_v6 = url.host.find(':') != std::string::npos;
  const std::string expected = is_v6 ? "[" + url.host + "]" : url.host;
  // Boost.URL 1.81 takes `127.0.0.1x` for the address before the x.
  const bool is_cut_short =
      judged->host_type() == boost::urls::host_type::ipv4 && expected.starts_with(host);
  promise(host == expected || is_cut_short, "Boost.URL finds the same host");
  const bool has_port = judged->has_port() && !judged->port().empty();
  promise(host != expected || url.port == (has_port       ? judged->port_number()
                                           : url.is_https ? 443
                                                          : 80),
          "Boost.URL finds the same port");
  promise(judged->has_userinfo() == !url.basic_credentials.empty(),
          "Boost.URL finds the same credentials");
}

void check_url(std::string_view text) {
  const auto url = parse_webhook_url(text);
  if (!url) {
    return;
  }
  promise(!url->host.empty() && is_printable(url->host), "a host has visible characters alone");
  promise(url->host.find_first_of("/?#@\\%[]") == std::string::npos, "a host ends where it ends");
  promise(url->target.starts_with('/') && is_printable(url->target),
          "a target is fit for a request");
  promise(url->target.find('#') == std::string::npos, "a fragment is not sent");
  promise(url->port != 0, "a port is a port");
  check_against_boost(text, *url);
  const std::string shown = url->display();
  promise(std::count(shown.begin(), shown.end(), '/') == 2 && shown.find('@') == std::string::npos,
          "what is shown ends at the host");
  const auto again = parse_webhook_url(shown + url->target);
  promise(again && again->host == url->host && again->port == url->port &&
              again->target == url->target && again->is_https == url->is_https &&
              again->host_is_ip == url->host_is_ip,
          "a URL written again is the same URL");
}

void check(std::string_view input) {
  check_url(input);
  for (const std::string& url : split_url_list(input)) {
    promise(!url.empty() && url.front() != ' ' && url.back() != ' ', "a list has whole URLs");
    check_url(url);
  }
}

const Registration kTarget{"webhook_url", check};

}  // namespace
}  // namespace dispatcher::fuzz
