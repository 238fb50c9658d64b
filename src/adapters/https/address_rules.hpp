// Which addresses a webhook may be sent to. Pure: no look-up, no socket.
//
// What is refused is everything that is not global unicast, and those parts of it that lead back to
// where the dispatcher runs (RFC 6890 and the IANA special-purpose registries).
#pragma once

#include "base/result.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace dispatcher {

// In network order; an IPv4 address is the first four bytes, the others are zero.
struct IpAddress {
  bool is_v6 = false;
  std::array<std::uint8_t, 16> bytes{};

  friend bool operator==(const IpAddress&, const IpAddress&) = default;
};

// The usual notation alone: dotted decimal with four parts and no leading zero, or RFC 4291 without
// brackets and zone.
[[nodiscard]] std::optional<IpAddress> parse_ip_address(std::string_view text);
[[nodiscard]] std::string to_string(const IpAddress& address);

// What a URL's host stands for before anything is looked up.
enum class HostKind : std::uint8_t {
  name,     // to be resolved
  address,  // an address, in whatever notation
  invalid,  // neither: it looks like a number and is no address, or has a character no name has
};

struct Host {
  HostKind kind = HostKind::invalid;
  IpAddress address;  // of HostKind::address
};

// Every notation that some resolver takes for an address is an address here, so that none is looked
// up as a name: `2130706433`, `0177.0.0.1`, `0x7f.1`, `127.1` (as in the WHATWG URL standard, a
// host whose last label is a number is an IPv4 address or nothing). A zone id makes a host invalid.
[[nodiscard]] Host classify_host(std::string_view host);

// Whether an address can be somebody else's on the internet.
[[nodiscard]] bool is_public(const IpAddress& address);

// An entry of ALLOW_TARGETS: this scheme to this network is exempt from both rules, HTTPS only and
// public addresses only.
struct AllowedTarget {
  bool is_https = true;
  IpAddress network;
  int prefix_bits = 0;  // of `network`
};

// Comma-separated `scheme://CIDR`, spaces around an entry ignored, an address alone is the network
// of that one address; empty text is an empty list. `invalid` names the first bad entry.
[[nodiscard]] Result<std::vector<AllowedTarget>> parse_allow_targets(std::string_view text);

[[nodiscard]] bool is_allowed_target(std::span<const AllowedTarget> targets, bool is_https,
                                     const IpAddress& address);

// Why no webhook can be sent to this host with this scheme, whatever a look-up of its name would
// say, as the end of a sentence; empty when that cannot be told yet.
[[nodiscard]] std::optional<std::string_view> fault_of_target(
    std::span<const AllowedTarget> targets, bool is_https, std::string_view host);

// Whether a webhook may be sent to this address with this scheme, by the rules and the exemptions.
[[nodiscard]] bool may_connect(std::span<const AllowedTarget> targets, bool is_https,
                               const IpAddress& address);

}  // namespace dispatcher
