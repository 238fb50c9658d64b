// Promise: no way to write a refused address is let through. What some resolver of this system
// takes for an address is one to us, the same one, or no host at all; and the rules, told by the
// masks of the registries once more, say the same of every address.
#include "adapters/https/address_rules.hpp"

#include "fuzz/fuzz_target.hpp"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

namespace dispatcher::fuzz {
namespace {

// IANA's special-purpose registries, as text: not the table of the rules.
constexpr std::array kRefused{
    "0.0.0.0/8",     "10.0.0.0/8",      "100.64.0.0/10",  "127.0.0.0/8",    "169.254.0.0/16",
    "172.16.0.0/12", "192.0.0.0/24",    "192.0.2.0/24",   "192.88.99.0/24", "192.168.0.0/16",
    "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4",    "240.0.0.0/4",
    "::/3",          "4000::/2",        "8000::/1",       "2001::/23",      "2001:db8::/32",
    "2002::/16",     "3fff::/20",
};

struct Bits {
  bool is_v6 = false;
  std::array<std::uint8_t, 16> bytes{};
  int length = 0;
};

Bits network_of(std::string_view text) {
  const auto slash = text.find('/');
  const std::string address{text.substr(0, slash)};
  Bits bits;
  bits.is_v6 = address.find(':') != std::string::npos;
  promise(inet_pton(bits.is_v6 ? AF_INET6 : AF_INET, address.c_str(), bits.bytes.data()) == 1,
          "the networks above are networks");
  bits.length = std::stoi(std::string{text.substr(slash + 1)});
  return bits;
}

bool has_bit(const std::array<std::uint8_t, 16>& bytes, int bit) {
  return (bytes[static_cast<std::size_t>(bit / 8)] >> (7 - bit % 8) & 1) != 0;
}

bool is_refused(const IpAddress& address) {
  return std::any_of(kRefused.begin(), kRefused.end(), [&](const char* text) {
    const Bits network = network_of(text);
    if (network.is_v6 != address.is_v6) {
      return false;
    }
    for (int bit = 0; bit < network.length; ++bit) {
      if (has_bit(network.bytes, bit) != has_bit(address.bytes, bit)) {
        return false;
      }
    }
    return true;
  });
}

// What the system takes the text for without asking anybody.
std::optional<IpAddress> numeric_address(const std::string& host) {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), nullptr, &hints, &found) != 0) {
    return std::nullopt;
  }
  IpAddress address;
  address.is_v6 = found->ai_family == AF_INET6;
  if (address.is_v6) {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(found->ai_addr);
    std::memcpy(address.bytes.data(), &v6->sin6_addr, 16);
  } else {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(found->ai_addr);
    std::memcpy(address.bytes.data(), &v4->sin_addr, 4);
  }
  ::freeaddrinfo(found);
  return address;
}

void check_host(std::string_view input) {
  const Host host = classify_host(input);
  if (input.find('\0') != std::string_view::npos) {
    promise(host.kind == HostKind::invalid, "a NUL is in no host");
    return;
  }
  // A dot at the end of a name, or of an address, ends it.
  std::string text{input};
  const auto as_is = numeric_address(text);
  text = text.ends_with('.') ? text.substr(0, text.size() - 1) : text;
  const auto without_dot = numeric_address(text);
  for (const auto& judged : {as_is, without_dot}) {
    promise(!judged || host.kind != HostKind::name, "no address passes for a name");
    promise(!judged || host.kind != HostKind::address || host.address == *judged,
            "an address is the one that the system would connect to");
  }
  if (host.kind == HostKind::name) {
    promise(input.find_first_of("%:[]/@ \t\r\n") == std::string_view::npos,
            "a name has a name's characters");
  }
  if (host.kind == HostKind::address) {
    promise(is_public(host.address) == !is_refused(host.address), "the rules are the registries'");
    promise(may_connect({}, true, host.address) == !is_refused(host.address),
            "nothing refused is connected to");
    promise(!may_connect({}, false, host.address), "plain HTTP goes nowhere");
    promise(parse_ip_address(to_string(host.address)) == host.address,
            "an address written again is the same address");
  }
}

// An exemption holds for its own network and scheme, and for no other.
void check_exemptions(std::string_view input) {
  const auto targets = parse_allow_targets(input);
  if (!targets) {
    return;
  }
  for (const AllowedTarget& target : *targets) {
    promise(is_allowed_target(*targets, target.is_https, target.network), "an exemption exempts");
    const AllowedTarget one = target;
    promise(!is_allowed_target({&one, 1}, !one.is_https, one.network),
            "an exemption is for its scheme");
    if (one.prefix_bits > 0) {
      IpAddress outside = one.network;
      const int last = one.prefix_bits - 1;
      outside.bytes[static_cast<std::size_t>(last / 8)] ^=
          static_cast<std::uint8_t>(1U << (7 - last % 8));
      promise(!is_allowed_target({&one, 1}, one.is_https, outside),
              "an exemption ends with its network");
    }
  }
}

// The input's bytes as addresses: their texts are rare among inputs.
void check_bytes(std::string_view input) {
  IpAddress address;
  address.is_v6 = input.size() >= 16;
  const std::size_t width = address.is_v6 ? 16 : 4;
  if (input.size() < width) {
    return;
  }
  std::memcpy(address.bytes.data(), input.data(), width);
  promise(is_public(address) == !is_refused(address), "the rules are the registries'");
}

void check(std::string_view input) {
  check_host(input);
  check_exemptions(input);
  check_bytes(input);
}

const Registration kTarget{"address_rules", check};

}  // namespace
}  // namespace dispatcher::fuzz
