#include "hosts/terminal_text.hpp"

namespace dispatcher {

std::string without_controls(std::string_view text, std::string_view kept) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto byte = static_cast<unsigned char>(text[at]);
    // In UTF-8 the characters of C1 begin with C2, and their second byte is below A0.
    const bool is_c1 =
        byte == 0xC2 && at + 1 < text.size() && static_cast<unsigned char>(text[at + 1]) < 0xA0;
    const bool is_control = is_c1 || byte < 0x20 || byte == 0x7F;
    out += is_control && kept.find(text[at]) == std::string_view::npos ? '?' : text[at];
    at += is_c1 ? 1 : 0;
  }
  return out;
}

}  // namespace dispatcher
