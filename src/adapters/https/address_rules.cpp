#include "adapters/https/address_rules.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace dispatcher {
namespace {

constexpr std::size_t kMaxNameBytes = 253;  // RFC 1035, without the trailing dot
constexpr std::size_t kMaxLabelBytes = 63;

struct Network {
  std::array<std::uint8_t, 16> bytes;
  int prefix_bits;
};

// The special-purpose registry of IPv4 (RFC 6890), multicast and what was class E.
constexpr std::array kRefusedV4{
    Network{{0}, 8},              // this network
    Network{{10}, 8},             // private
    Network{{100, 64}, 10},       // carrier-grade NAT
    Network{{127}, 8},            // loopback
    Network{{169, 254}, 16},      // link-local; cloud metadata
    Network{{172, 16}, 12},       // private
    Network{{192, 0, 0}, 24},     // IETF protocol assignments
    Network{{192, 0, 2}, 24},     // documentation
    Network{{192, 88, 99}, 24},   // 6to4 relays
    Network{{192, 168}, 16},      // private
    Network{{198, 18}, 15},       // benchmarking
    Network{{198, 51, 100}, 24},  // documentation
    Network{{203, 0, 113}, 24},   // documentation
    Network{{224}, 4},            // multicast
    Network{{240}, 4},            // reserved, broadcast
};

// Only this is global unicast. Outside it lie ::, ::1, IPv4-mapped and -compatible addresses,
// 64:ff9b::/96 and 64:ff9b:1::/48 (NAT64), 100::/64, fc00::/7, fe80::/10, fec0::/10 and ff00::/8.
constexpr Network kGlobalV6{{0x20}, 3};

// What is refused inside 2000::/3: forms that carry an IPv4 address, and what nobody's server has.
constexpr std::array kRefusedV6{
    Network{{0x20, 0x01, 0x00}, 23},        // IETF: Teredo, benchmarking, ORCHID
    Network{{0x20, 0x01, 0x0d, 0xb8}, 32},  // documentation
    Network{{0x20, 0x02}, 16},              // 6to4
    Network{{0x3f, 0xff}, 20},              // documentation
};

bool contains(const std::array<std::uint8_t, 16>& network, int prefix_bits,
              const std::array<std::uint8_t, 16>& address) {
  const auto whole = static_cast<std::size_t>(prefix_bits / 8);
  if (!std::equal(network.begin(), network.begin() + static_cast<std::ptrdiff_t>(whole),
                  address.begin())) {
    return false;
  }
  const int rest = prefix_bits % 8;
  return rest == 0 || (network[whole] ^ address[whole]) >> (8 - rest) == 0;
}

bool contains(const Network& network, const IpAddress& address) {
  return contains(network.bytes, network.prefix_bits, address.bytes);
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_hex_digit(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool has_hex_prefix(std::string_view label) {
  return label.starts_with("0x") || label.starts_with("0X");
}

bool is_number(std::string_view label) {
  if (has_hex_prefix(label)) {
    label.remove_prefix(2);
    return std::all_of(label.begin(), label.end(), is_hex_digit);
  }
  return !label.empty() && std::all_of(label.begin(), label.end(), is_digit);
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) {
      return parts;
    }
    text.remove_prefix(end + 1);
  }
}

// A part of an address as inet_aton reads it: `0x` is hexadecimal, a leading zero octal.
std::optional<std::uint64_t> parse_number(std::string_view part) {
  int base = 10;
  if (has_hex_prefix(part)) {
    part.remove_prefix(2);
    base = 16;
  } else if (part.size() > 1 && part.front() == '0') {
    base = 8;
  }
  std::uint64_t number = 0;
  if (part.empty()) {  // `0x` alone is zero
    return base == 16 ? std::optional{number} : std::nullopt;
  }
  const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), number, base);
  if (error != std::errc{} || end != part.data() + part.size()) {
    return std::nullopt;
  }
  return number;
}

// One to four parts; the last one fills the bytes that remain.
std::optional<IpAddress> parse_loose_v4(std::string_view text) {
  const auto parts = split(text, '.');
  if (parts.size() > 4) {
    return std::nullopt;
  }
  std::uint64_t value = 0;
  for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
    const auto number = parse_number(parts[i]);
    if (!number || *number > 255) {
      return std::nullopt;
    }
    value |= *number << (24 - 8 * i);
  }
  const auto last = parse_number(parts.back());
  if (!last || *last >= std::uint64_t{1} << (8 * (5 - parts.size()))) {
    return std::nullopt;
  }
  value |= *last;
  IpAddress address;
  for (std::size_t i = 0; i < 4; ++i) {
    address.bytes[i] = static_cast<std::uint8_t>(value >> (24 - 8 * i));
  }
  return address;
}

bool is_name(std::string_view host) {
  if (host.empty() || host.size() > kMaxNameBytes) {
    return false;
  }
  const auto labels = split(host, '.');
  return std::all_of(labels.begin(), labels.end(), [](std::string_view label) {
    return !label.empty() && label.size() <= kMaxLabelBytes &&
           std::all_of(label.begin(), label.end(), [](char c) {
             return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
                    c == '_';
           });
  });
}

bool has_bits_past(const IpAddress& address, int prefix_bits) {
  const int width = address.is_v6 ? 128 : 32;
  for (int bit = prefix_bits; bit < width; ++bit) {
    if ((address.bytes[static_cast<std::size_t>(bit / 8)] >> (7 - bit % 8) & 1) != 0) {
      return true;
    }
  }
  return false;
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

Error bad_entry(std::string_view entry, std::string_view why) {
  return make_error(ErrorKind::invalid, "ALLOW_TARGETS: \"" + std::string{entry} + "\" " +
                                            std::string{why} +
                                            "; an entry is like https://127.0.0.0/8");
}

Result<AllowedTarget> parse_entry(std::string_view entry) {
  AllowedTarget target;
  std::string_view rest = entry;
  if (rest.starts_with("https://")) {
    rest.remove_prefix(8);
  } else if (rest.starts_with("http://")) {
    rest.remove_prefix(7);
    target.is_https = false;
  } else {
    return bad_entry(entry, "begins with neither https:// nor http://");
  }
  const std::size_t slash = rest.find('/');
  std::string_view address = rest.substr(0, slash);
  if (address.starts_with('[') && address.ends_with(']')) {
    address = address.substr(1, address.size() - 2);
  }
  const auto network = parse_ip_address(address);
  if (!network) {
    return bad_entry(entry, "has no address that can be read");
  }
  target.network = *network;
  target.prefix_bits = network->is_v6 ? 128 : 32;
  if (slash == std::string_view::npos) {
    return target;
  }
  const std::string_view prefix = rest.substr(slash + 1);
  int bits = -1;
  const auto [end, error] = std::from_chars(prefix.data(), prefix.data() + prefix.size(), bits);
  if (error != std::errc{} || end != prefix.data() + prefix.size() || bits < 0 ||
      bits > target.prefix_bits) {
    return bad_entry(entry, "has a prefix length out of range");
  }
  if (has_bits_past(*network, bits)) {
    return bad_entry(entry, "has bits set past its prefix length");
  }
  target.prefix_bits = bits;
  return target;
}

}  // namespace

std::optional<IpAddress> parse_ip_address(std::string_view text) {
  if (text.size() >= INET6_ADDRSTRLEN || text.find('\0') != std::string_view::npos) {
    return std::nullopt;
  }
  const std::string terminated{text};
  IpAddress address;
  address.is_v6 = text.find(':') != std::string_view::npos;
  if (inet_pton(address.is_v6 ? AF_INET6 : AF_INET, terminated.c_str(), address.bytes.data()) !=
      1) {
    return std::nullopt;
  }
  return address;
}

std::string to_string(const IpAddress& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(address.is_v6 ? AF_INET6 : AF_INET, address.bytes.data(), text.data(), text.size());
  return text.data();
}

Host classify_host(std::string_view host) {
  if (const auto address = parse_ip_address(host)) {
    return {HostKind::address, *address};
  }
  if (host.ends_with('.')) {
    host.remove_suffix(1);
  }
  if (is_number(host.substr(host.rfind('.') + 1))) {
    const auto address = parse_loose_v4(host);
    return address ? Host{HostKind::address, *address} : Host{};
  }
  return Host{is_name(host) ? HostKind::name : HostKind::invalid, {}};
}

bool is_public(const IpAddress& address) {
  const auto holds_it = [&address](const Network& network) { return contains(network, address); };
  if (!address.is_v6) {
    return std::none_of(kRefusedV4.begin(), kRefusedV4.end(), holds_it);
  }
  return contains(kGlobalV6, address) &&
         std::none_of(kRefusedV6.begin(), kRefusedV6.end(), holds_it);
}

Result<std::vector<AllowedTarget>> parse_allow_targets(std::string_view text) {
  std::vector<AllowedTarget> targets;
  if (trimmed(text).empty()) {
    return targets;
  }
  for (const std::string_view entry : split(text, ',')) {
    auto target = parse_entry(trimmed(entry));
    if (!target) {
      return target.error();
    }
    targets.push_back(*target);
  }
  return targets;
}

bool is_allowed_target(std::span<const AllowedTarget> targets, bool is_https,
                       const IpAddress& address) {
  return std::any_of(targets.begin(), targets.end(), [&](const AllowedTarget& target) {
    return target.is_https == is_https && target.network.is_v6 == address.is_v6 &&
           contains(target.network.bytes, target.prefix_bits, address.bytes);
  });
}

std::optional<std::string_view> fault_of_target(std::span<const AllowedTarget> targets,
                                                bool is_https, std::string_view host) {
  const Host kind = classify_host(host);
  if (kind.kind == HostKind::invalid) {
    return "its host is neither a name nor an address";
  }
  if (kind.kind == HostKind::address && may_connect(targets, is_https, kind.address)) {
    return std::nullopt;
  }
  // A name may yet turn out to be in a network that is exempt.
  const bool is_some_exempt = std::any_of(
      targets.begin(), targets.end(), [](const AllowedTarget& target) { return !target.is_https; });
  if (!is_https && (kind.kind == HostKind::address || !is_some_exempt)) {
    return "webhooks go over https alone (ALLOW_TARGETS can exempt a network)";
  }
  if (kind.kind == HostKind::address) {
    return "its address is not public (ALLOW_TARGETS can exempt it)";
  }
  return std::nullopt;
}

bool may_connect(std::span<const AllowedTarget> targets, bool is_https, const IpAddress& address) {
  return (is_https && is_public(address)) || is_allowed_target(targets, is_https, address);
}

}  // namespace dispatcher
