#include "base/ids.hpp"

namespace dispatcher {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";

int hex_value(char digit) {
  if (digit >= '0' && digit <= '9') {
    return digit - '0';
  }
  const char lower = static_cast<char>(digit | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

bool is_hyphen_position(std::size_t position) {
  return position == 8 || position == 13 || position == 18 || position == 23;
}

}  // namespace

void append_uuid(std::string& out, const Uuid& id) {
  for (std::size_t i = 0; i < id.bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) {
      out.push_back('-');
    }
    out.push_back(kHexDigits[id.bytes[i] >> 4U]);
    out.push_back(kHexDigits[id.bytes[i] & 0xFU]);
  }
}

std::string to_string(const Uuid& id) {
  std::string out;
  out.reserve(36);
  append_uuid(out, id);
  return out;
}

std::optional<Uuid> parse_uuid(std::string_view text) {
  if (text.size() != 36) {
    return std::nullopt;
  }
  Uuid id;
  std::size_t nibble = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (is_hyphen_position(i)) {
      if (text[i] != '-') {
        return std::nullopt;
      }
      continue;
    }
    const int value = hex_value(text[i]);
    if (value < 0) {
      return std::nullopt;
    }
    auto& byte = id.bytes[nibble / 2];
    byte = static_cast<std::uint8_t>(byte << 4U | static_cast<unsigned>(value));
    ++nibble;
  }
  return id;
}

Uuid make_uuid_v7(WallTime now, std::uint64_t random_high, std::uint64_t random_low) {
  Uuid id;
  const auto millis = static_cast<std::uint64_t>(
      std::chrono::floor<std::chrono::milliseconds>(now).time_since_epoch().count());
  for (std::size_t i = 0; i < 6; ++i) {
    id.bytes[i] = static_cast<std::uint8_t>(millis >> (40U - 8U * i));
  }
  id.bytes[6] = static_cast<std::uint8_t>(0x70U | (random_high & 0x0FU));
  id.bytes[7] = static_cast<std::uint8_t>(random_high >> 8U);
  for (std::size_t i = 8; i < 16; ++i) {
    id.bytes[i] = static_cast<std::uint8_t>(random_low >> (8U * (i - 8)));
  }
  id.bytes[8] = static_cast<std::uint8_t>(0x80U | (id.bytes[8] & 0x3FU));
  return id;
}

}  // namespace dispatcher
