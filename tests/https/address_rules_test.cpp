// Checks that webhooks go to public addresses alone, whatever the notation, but for ALLOW_TARGETS.
#include "adapters/https/address_rules.hpp"

#include <gtest/gtest.h>

namespace dispatcher {
namespace {

TEST(address_rules, addresses_that_lead_back_inside_are_refused) {
  for (const char* text : {"0.0.0.0",
                           "0.1.2.3",
                           "10.0.0.1",
                           "10.255.255.255",
                           "100.64.0.1",
                           "100.127.255.255",
                           "127.0.0.1",
                           "127.255.255.255",
                           "169.254.169.254",
                           "172.16.0.1",
                           "172.31.255.255",
                           "192.0.0.8",
                           "192.0.0.170",
                           "192.0.2.1",
                           "192.88.99.1",
                           "192.168.0.1",
                           "192.168.255.255",
                           "198.18.0.1",
                           "198.19.255.255",
                           "198.51.100.7",
                           "203.0.113.9",
                           "224.0.0.1",
                           "239.255.255.255",
                           "240.0.0.1",
                           "255.255.255.255",
                           "::",
                           "::1",
                           "::127.0.0.1",
                           "::8.8.8.8",
                           "::ffff:8.8.8.8",
                           "::ffff:10.0.0.1",
                           "::ffff:0:8.8.8.8",
                           "64:ff9b::808:808",
                           "64:ff9b:1::1",
                           "100::1",
                           "2001::1",
                           "2001:2::1",
                           "2001:10::1",
                           "2001:20::1",
                           "2001:1ff:ffff::1",
                           "2001:db8::1",
                           "2002:7f00:1::",
                           "2002:808:808::1",
                           "3fff::1",
                           "3fff:fff::1",
                           "5f00::1",
                           "fc00::1",
                           "fd00:ec2::254",
                           "fe80::1",
                           "febf::1",
                           "fec0::1",
                           "ff02::1",
                           "4000::1",
                           "1fff::1"}) {
    const auto address = parse_ip_address(text);
    ASSERT_TRUE(address) << text;
    EXPECT_FALSE(is_public(*address)) << text;
  }
}

TEST(address_rules, addresses_of_the_internet_are_public) {
  for (const char* text :
       {"1.1.1.1",         "8.8.8.8",     "9.255.255.255",        "11.0.0.0",
        "100.63.255.255",  "100.128.0.0", "126.255.255.255",      "128.0.0.1",
        "169.253.255.255", "169.255.0.1", "172.15.255.255",       "172.32.0.1",
        "192.0.1.1",       "192.167.0.1", "192.169.0.1",          "198.17.255.255",
        "198.20.0.1",      "203.0.112.1", "223.255.255.255",      "2000::1",
        "2001:200::1",     "2003::1",     "2606:4700:4700::1111", "2a00:1450:4001:80b::200e",
        "3ffe::1",         "3fff:1000::1"}) {
    const auto address = parse_ip_address(text);
    ASSERT_TRUE(address) << text;
    EXPECT_TRUE(is_public(*address)) << text;
  }
}

TEST(address_rules, every_notation_of_an_address_is_that_address) {
  struct Case {
    const char* host;
    const char* address;
  };
  for (const Case& one : {Case{"127.0.0.1", "127.0.0.1"},
                          {"127.0.0.1.", "127.0.0.1"},
                          {"2130706433", "127.0.0.1"},
                          {"0x7f000001", "127.0.0.1"},
                          {"0X7F.1", "127.0.0.1"},
                          {"0x7f.0x0.0x0.0x1", "127.0.0.1"},
                          {"017700000001", "127.0.0.1"},
                          {"0177.0.0.1", "127.0.0.1"},
                          {"127.1", "127.0.0.1"},
                          {"127.0.1", "127.0.0.1"},
                          {"0", "0.0.0.0"},
                          {"0x", "0.0.0.0"},
                          {"4294967295", "255.255.255.255"},
                          {"169.16689662", "169.254.169.254"},
                          {"::1", "::1"},
                          {"::ffff:7f00:1", "::ffff:127.0.0.1"},
                          {"0:0:0:0:0:ffff:127.0.0.1", "::ffff:127.0.0.1"}}) {
    const Host host = classify_host(one.host);
    ASSERT_EQ(host.kind, HostKind::address) << one.host;
    EXPECT_EQ(to_string(host.address), one.address) << one.host;
  }
}

TEST(address_rules, what_only_looks_like_an_address_is_nothing) {
  for (const char* text :
       {"",
        ".",
        "256.0.0.1",
        "1.2.3.4.5",
        "4294967296",
        "127.0.0.0x100",
        "08.1",
        "1..2",
        "a.1",
        "foo.0x1f",
        "99999999999999999999",
        "fe80::1%eth0",
        "::1%251",
        "::g",
        "v1.fe80",
        "1.2.3.256",
        "a b",
        "a/b",
        "a\r\nb",
        "ex\xc3\xa4mple.com",
        "-\x7f",
        "a..b",
        ".a",
        "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggg.com"}) {
    if (std::string_view{text} == "v1.fe80") {  // letters after the last dot: a name
      EXPECT_EQ(classify_host(text).kind, HostKind::name);
      continue;
    }
    EXPECT_EQ(classify_host(text).kind, HostKind::invalid) << text;
  }
}

TEST(address_rules, names_are_names) {
  for (const char* text : {"localhost", "example.com", "example.com.", "xn--exmple-cua.com",
                           "1.example.com", "a_b.example", "0x7f.example", "127.0.0.1.nip.io"}) {
    EXPECT_EQ(classify_host(text).kind, HostKind::name) << text;
  }
}

TEST(address_rules, an_exemption_is_for_its_scheme_and_network_alone) {
  const auto targets = parse_allow_targets(" https://127.0.0.0/8 ,http://10.1.0.0/16,https://::1");
  ASSERT_TRUE(targets);
  struct Case {
    bool is_https;
    const char* address;
    bool may;
  };
  for (const Case& one : {Case{true, "127.9.9.9", true},
                          {false, "127.0.0.1", false},
                          {false, "10.1.255.1", true},
                          {true, "10.1.255.1", false},
                          {false, "10.2.0.1", false},
                          {true, "::1", true},
                          {true, "::2", false},
                          {true, "::ffff:127.0.0.1", false},
                          {true, "8.8.8.8", true},
                          {false, "8.8.8.8", false}}) {
    EXPECT_EQ(may_connect(*targets, one.is_https, *parse_ip_address(one.address)), one.may)
        << one.is_https << " " << one.address;
  }
}

TEST(address_rules, what_can_never_be_sent_to_is_told_before_any_look_up) {
  struct Case {
    const char* exempt;
    bool is_https;
    const char* host;
    bool is_refused;
  };
  const std::array cases{
      Case{"", true, "hooks.example.com", false},
      Case{"", true, "8.8.8.8", false},
      Case{"", true, "localhost", false},  // a name: what it resolves to is seen at delivery
      Case{"", true, "127.0.0.1", true},
      Case{"", true, "2130706433", true},
      Case{"", true, "0x7f.1", true},
      Case{"", true, "::1", true},
      Case{"", true, "::ffff:10.0.0.1", true},
      Case{"", true, "256.1.1.1", true},
      Case{"", false, "hooks.example.com", true},
      Case{"", false, "8.8.8.8", true},
      Case{"https://127.0.0.0/8", true, "127.0.0.1", false},
      Case{"https://127.0.0.0/8", true, "127.1", false},
      Case{"https://127.0.0.0/8", true, "10.0.0.1", true},
      Case{"https://127.0.0.0/8", false, "127.0.0.1", true},
      Case{"https://127.0.0.0/8", false, "hooks.example.com", true},
      Case{"http://127.0.0.0/8", false, "127.0.0.1", false},
      Case{"http://127.0.0.0/8", false, "localhost", false},
      Case{"http://127.0.0.0/8", false, "8.8.8.8", true},
  };
  for (const Case& one : cases) {
    const auto targets = parse_allow_targets(one.exempt);
    ASSERT_TRUE(targets);
    EXPECT_EQ(fault_of_target(*targets, one.is_https, one.host).has_value(), one.is_refused)
        << one.exempt << " " << one.is_https << " " << one.host;
  }
}

TEST(address_rules, an_exemption_may_be_any_prefix) {
  const auto targets = parse_allow_targets("http://0.0.0.0/0,https://[fc00::]/7,http://::/0");
  ASSERT_TRUE(targets) << targets.error().message;
  EXPECT_TRUE(may_connect(*targets, false, *parse_ip_address("8.8.8.8")));
  EXPECT_TRUE(may_connect(*targets, false, *parse_ip_address("::ffff:1.2.3.4")));
}

TEST(address_rules, a_bad_exemption_is_named) {
  for (const char* text :
       {"127.0.0.0/8", "ftp://127.0.0.0/8", "https://", "https://localhost", "https://127.0.0.0/33",
        "https://127.0.0.0/", "https://127.0.0.0/-1", "https://127.0.0.1/8", "https://::/129",
        "https://127.0.0.0/8x", "https://127.1/8", "https://[::1"}) {
    const auto targets = parse_allow_targets(std::string{"https://10.0.0.0/8,"} + text);
    ASSERT_FALSE(targets) << text;
    EXPECT_EQ(targets.error().kind, ErrorKind::invalid);
    EXPECT_NE(targets.error().message.find(std::string{"\""} + text + "\""), std::string::npos)
        << targets.error().message;
  }
  EXPECT_FALSE(parse_allow_targets("https://10.0.0.0/8,"));
  EXPECT_TRUE(parse_allow_targets("")->empty());
  EXPECT_TRUE(parse_allow_targets("  ")->empty());
}

}  // namespace
}  // namespace dispatcher
