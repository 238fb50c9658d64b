// Promises checked: a webhook's URL is taken apart as its receiver will see it, hostile spellings
// are refused or mean no other host than they show, and nothing shown of it has the path.
#include "model/webhook_url.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace dispatcher {
namespace {

using namespace std::string_view_literals;

TEST(WebhookUrl, what_is_wrong_with_one_is_said_without_showing_it) {
  struct Case {
    std::string text;
    std::string_view fault;
  };
  const std::vector<Case> cases{
      {"ftp://a.example/hunter2", "does not begin with https://"},
      {"a.example/hunter2", "does not begin with https://"},
      {"", "does not begin with https://"},
      {"https://a.example:99999/hunter2", "port"},
      {"http://127.0.0.1:0/hunter2", "port"},
      {"https://a.example:x/hunter2", "port"},
      {"https://a.example/hunter2 x", "blank"},
      {" https://a.example/hunter2", "blank"},
      {"https://a.example/hunter2\n", "line end"},
      {"https:///hunter2", "no host"},
      {"https://:8443/hunter2", "no host"},
      {"https://user:word@/hunter2", "no host"},
      {"https://a%2Fb.example/hunter2", "host is neither"},
      {"https://[::1/hunter2", "host is neither"},
      {"https://[::1]x/hunter2", "host is neither"},
      {"https://us{er@a.example/hunter2", "before the @"},
      {"https://a.example/hunter2{", "path or query"},
      {"https://a.example/hunter2?%2", "path or query"},
      {"https://a.example/" + std::string(8192, 'x'), "8,192 bytes"},
  };
  for (const Case& c : cases) {
    EXPECT_FALSE(parse_webhook_url(c.text)) << c.text;
    const auto fault = fault_of_webhook_url(c.text);
    ASSERT_TRUE(fault) << c.text;
    EXPECT_NE(fault->find(c.fault), std::string_view::npos) << c.text << ": " << *fault;
    EXPECT_EQ(fault->find("hunter2"), std::string_view::npos) << *fault;
  }
  EXPECT_FALSE(fault_of_webhook_url("https://a.example/x"));
}

TEST(WebhookUrl, is_taken_apart) {
  struct Case {
    std::string_view text;
    std::string_view display;
    std::string_view host;
    std::uint16_t port;
    std::string_view target;
    bool is_ip;
  };
  const std::vector<Case> cases{
      {"https://a.example", "https://a.example", "a.example", 443, "/", false},
      {"https://a.example/", "https://a.example", "a.example", 443, "/", false},
      {"https://a.example/p/q", "https://a.example", "a.example", 443, "/p/q", false},
      {"https://a.example?k=v", "https://a.example", "a.example", 443, "/?k=v", false},
      {"https://a.example/p?", "https://a.example", "a.example", 443, "/p?", false},
      {"https://a.example/p?k=v#f", "https://a.example", "a.example", 443, "/p?k=v", false},
      {"https://a.example#f", "https://a.example", "a.example", 443, "/", false},
      {"HTTPS://A.Example/P%2fq", "https://a.example", "a.example", 443, "/P%2fq", false},
      {"https://a.example:443/", "https://a.example", "a.example", 443, "/", false},
      {"https://a.example:/", "https://a.example", "a.example", 443, "/", false},
      {"https://a.example:8443/", "https://a.example:8443", "a.example", 8443, "/", false},
      {"https://a.example:80/", "https://a.example:80", "a.example", 80, "/", false},
      {"https://a.example:65535/", "https://a.example:65535", "a.example", 65535, "/", false},
      {"http://a.example/", "http://a.example", "a.example", 80, "/", false},
      {"http://a.example:443/", "http://a.example:443", "a.example", 443, "/", false},
      {"https://a.example:00443/", "https://a.example", "a.example", 443, "/", false},
      {"https://a.example/a@b:c;d='e'(f)*!$&+,~", "https://a.example", "a.example", 443,
       "/a@b:c;d='e'(f)*!$&+,~", false},
      {"https://a.example./", "https://a.example.", "a.example.", 443, "/", false},
      {"https://a-b_c.example/", "https://a-b_c.example", "a-b_c.example", 443, "/", false},
      {"https://127.0.0.1/", "https://127.0.0.1", "127.0.0.1", 443, "/", true},
      {"https://[::1]/", "https://[::1]", "::1", 443, "/", true},
      {"https://[::1]:8443/x", "https://[::1]:8443", "::1", 8443, "/x", true},
      {"https://[2001:DB8::A]/", "https://[2001:db8::a]", "2001:db8::a", 443, "/", true},
      {"https://[::ffff:127.0.0.1]/", "https://[::ffff:127.0.0.1]", "::ffff:127.0.0.1", 443, "/",
       true},
      // Old spellings of an IPv4 address are names: whoever resolves them checks what comes out.
      {"https://127.1/", "https://127.1", "127.1", 443, "/", false},
      {"https://2130706433/", "https://2130706433", "2130706433", 443, "/", false},
      {"https://0x7f.0.0.1/", "https://0x7f.0.0.1", "0x7f.0.0.1", 443, "/", false},
      {"https://0177.0.0.1/", "https://0177.0.0.1", "0177.0.0.1", 443, "/", false},
      {"https://127.0.0.1.example/", "https://127.0.0.1.example", "127.0.0.1.example", 443, "/",
       false},
      // Dots and double slashes of a path are the receiver's business.
      {"https://a.example//x/../y", "https://a.example", "a.example", 443, "//x/../y", false},
  };
  for (const Case& c : cases) {
    const auto url = parse_webhook_url(c.text);
    ASSERT_TRUE(url) << c.text;
    EXPECT_EQ(url->is_https, c.display.starts_with("https:")) << c.text;
    EXPECT_EQ(url->display(), c.display) << c.text;
    EXPECT_EQ(url->host, c.host) << c.text;
    EXPECT_EQ(url->port, c.port) << c.text;
    EXPECT_EQ(url->target, c.target) << c.text;
    EXPECT_EQ(url->host_is_ip, c.is_ip) << c.text;
    EXPECT_EQ(url->basic_credentials, "") << c.text;
  }
}

TEST(WebhookUrl, user_and_password_are_apart_from_the_host) {
  struct Case {
    std::string_view text;
    std::string_view credentials;
    std::string_view host;
  };
  const std::vector<Case> cases{
      {"https://user:word@a.example/", "user:word", "a.example"},
      {"https://user@a.example/", "user:", "a.example"},
      {"https://us%3Aer:w%40rd@a.example/", "us:er:w@rd", "a.example"},
      // What stands before the @ is never the host.
      {"https://good.example@evil.example/", "good.example:", "evil.example"},
      {"https://good.example:443@evil.example/", "good.example:443", "evil.example"},
      {"https://good.example%2F@evil.example/", "good.example/:", "evil.example"},
  };
  for (const Case& c : cases) {
    const auto url = parse_webhook_url(c.text);
    ASSERT_TRUE(url) << c.text;
    EXPECT_EQ(url->basic_credentials, c.credentials);
    EXPECT_EQ(url->host, c.host);
    EXPECT_EQ(url->display(), "https://" + std::string{c.host});
    EXPECT_EQ(url->target, "/");
  }
}

TEST(WebhookUrl, what_is_no_web_address_is_refused) {
  const std::vector<std::string_view> cases{
      "",
      "a.example",
      "a.example/path",
      "//a.example/",
      "/path",
      "https:",
      "https:/a.example/",
      "https:a.example",
      "https://",
      "https:///path",
      "https://?k=v",
      "https://:443/",
      "https://user:word@/",
      "ftp://a.example/",
      "file:///etc/passwd",
      "gopher://a.example/",
      "ws://a.example/",
      "javascript:alert(1)",
      "data:text/plain,x",
      "httpss://a.example/",
      " https://a.example/",
      "https://a.example/ ",
      "https://a.example/a b",
      "https://a.example/a\tb",
      "https://a.example/a\r\nX: y",
      "https://a.example\r\n/",
      "https://a.example/\0"sv,
      "https://a\0b.example/"sv,
      "https://a.example:0/",
      "https://a.example:65536/",
      "https://a.example:99999999999999999999/",
      "https://a.example:-1/",
      "https://a.example:8443x/",
      "https://a.example:84:43/",
      "https://a.example:+443/",
      "https://a.example: 443/",
      "https://[::1]8443/",
      "https://[::1].example/",
      "https://user@word@a.example/",
      "https://us er@a.example/",
      "https://user%0@a.example/",
      "https://evil.example\\@good.example/",
      "https://a.example\\path",
      "https://[::1/",
      "https://::1/",
      "https://[]/",
      "https://[127.0.0.1]/",
      "https://[::1%25lo]/",
      "https://[fe80::1%25eth0]/",
      "https://[v1.x]/",
      "https://a.example/%",
      "https://a.example/%2",
      "https://a.example/%zz",
      "https://caf\xc3\xa9.example/",
      "https://a.example/caf\xc3\xa9",
      // Escapes in a host: harmless ones, and those that hide what no host's name has: a line end,
      // a NUL, a slash, an @, a port.
      "https://%61.example/",
      "https://a%2Eexample/",
      "https://a%0d%0aX-Injected:%20y.example/",
      "https://a%0d%0a/",
      "https://a%00.example/",
      "https://a.example%2fpath/",
      "https://good.example%40evil.example/",
      "https://a.example%3a8443/",
      "https://a%20b.example/",
      "https://%5b::1%5d/",
      "https://caf%c3%a9.example/",
      "https://a%ff.example/",
      "https://a.example%23/",
      "https://a$b.example/",
      "https://a,b.example/",
      "https://*.example/",
  };
  for (const auto text : cases) {
    const auto url = parse_webhook_url(text);
    EXPECT_FALSE(url) << text << " is read as host " << (url ? url->host : "");
  }
}

TEST(WebhookUrl, has_at_most_8192_bytes) {
  const std::string start = "https://a.example/";
  EXPECT_TRUE(parse_webhook_url(start + std::string(8192 - start.size(), 'x')));
  EXPECT_FALSE(parse_webhook_url(start + std::string(8193 - start.size(), 'x')));
  EXPECT_FALSE(parse_webhook_url(std::string(10'000'000, 'x')));
}

TEST(WebhookUrl, the_host_header_has_the_port_only_when_it_is_not_the_schemes) {
  struct Case {
    std::string_view text;
    std::string_view header;
  };
  for (const Case& c : std::vector<Case>{{"https://a.example/", "a.example"},
                                         {"https://a.example:443/", "a.example"},
                                         {"https://a.example:8443/", "a.example:8443"},
                                         {"http://a.example:80/", "a.example"},
                                         {"http://a.example:8080/", "a.example:8080"},
                                         {"https://[::1]:8443/", "[::1]:8443"},
                                         {"https://[::1]/", "[::1]"}}) {
    EXPECT_EQ(parse_webhook_url(c.text)->host_header(), c.header);
  }
}

}  // namespace
}  // namespace dispatcher
