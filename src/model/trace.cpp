#include "model/trace.hpp"

#include "base/bytes.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <span>

namespace dispatcher {
namespace {

// `1-` and 8 digits, `-` and 24 digits.
constexpr std::size_t kRootLength = 35;
constexpr std::size_t kSecondDash = 10;
constexpr std::size_t kSpanIdDigits = 16;

bool read_root(std::string_view text, TraceContext& context) {
  if (text.size() != kRootLength || !text.starts_with("1-") || text[kSecondDash] != '-') {
    return false;
  }
  const auto bytes =
      from_hex(std::string{text.substr(2, 8)} + std::string{text.substr(kSecondDash + 1)});
  if (!bytes || bytes->size() != context.trace_id.size()) {
    return false;
  }
  std::copy(bytes->begin(), bytes->end(), context.trace_id.begin());
  return true;
}

std::uint64_t read_span_id(std::string_view text) {
  std::uint64_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id, 16);
  const bool is_whole = error == std::errc{} && end == text.data() + text.size();
  return is_whole && text.size() == kSpanIdDigits ? id : 0;
}

}  // namespace

std::optional<TraceContext> parse_xray_header(std::string_view text) {
  TraceContext context;
  bool has_root = false;
  while (!text.empty()) {
    const auto end = std::min(text.find(';'), text.size());
    std::string_view part = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    part.remove_prefix(std::min(part.find_first_not_of(' '), part.size()));
    const auto equals = std::min(part.find('='), part.size());
    const std::string_view name = part.substr(0, equals);
    const std::string_view value = part.substr(std::min(equals + 1, part.size()));
    if (name == "Root") {
      has_root = read_root(value, context);
    } else if (name == "Parent") {
      context.span_id = read_span_id(value);
    } else if (name == "Sampled") {
      context.is_sampled = value == "1";
    }
  }
  return has_root ? std::optional{context} : std::nullopt;
}

std::string span_id_text(std::uint64_t id) {
  std::array<char, kSpanIdDigits + 1> digits{};
  (void)std::snprintf(digits.data(), digits.size(), "%016llx", static_cast<unsigned long long>(id));
  return {digits.data(), kSpanIdDigits};
}

std::string xray_trace_id(const TraceContext& context) {
  const std::span<const std::uint8_t> id{context.trace_id};
  return "1-" + to_hex(id.first(4)) + "-" + to_hex(id.subspan(4));
}

std::string xray_header(const TraceContext& context) {
  std::string out = "Root=" + xray_trace_id(context);
  if (context.span_id != 0) {
    out += ";Parent=" + span_id_text(context.span_id);
  }
  out += context.is_sampled ? ";Sampled=1" : ";Sampled=0";
  return out;
}

std::string traceparent(const TraceContext& context) {
  return "00-" + to_hex(context.trace_id) + "-" + span_id_text(context.span_id) +
         (context.is_sampled ? "-01" : "-00");
}

}  // namespace dispatcher
