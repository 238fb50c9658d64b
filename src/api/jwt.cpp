#include "api/jwt.hpp"

#include "api/text.hpp"
#include "base/bytes.hpp"
#include "base/json_scanner.hpp"
#include "base/json_text.hpp"
#include "base/number_text.hpp"

#include <algorithm>
#include <array>

namespace dispatcher {
namespace {

constexpr std::string_view kHeader = R"({"alg":"HS256","typ":"JWT"})";
constexpr std::size_t kShownKeyCharacters = 8;

std::string_view first_characters(std::string_view text, std::size_t count) {
  std::size_t at = 0;
  while (at < text.size() && count-- > 0) {
    ++at;
    while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U) {
      ++at;
    }
  }
  return text.substr(0, at);
}

std::int64_t seconds_since_epoch(WallTime time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

bool is_signed_by_any(std::string_view signed_part, std::string_view signature,
                      std::span<const std::string> secrets) {
  bool is_good = false;
  for (const std::string& secret : secrets) {
    const Sha256Digest expected = hmac_sha256(secret, signed_part);
    is_good |= !secret.empty() && equal_in_constant_time(signature, as_text(expected));
  }
  return is_good;
}

bool is_text(const JsonField& field, std::string_view expected) {
  return field.value && field.value->kind == JsonKind::string &&
         decode_json_string(*field.value) == expected;
}

// Seconds since the epoch; empty when the claim is no number.
std::optional<double> number_of(const JsonField& field) {
  if (!field.value || field.value->kind != JsonKind::number) {
    return std::nullopt;
  }
  return parse_float(field.value->raw);
}

bool has_good_header(std::string_view json) {
  std::array fields{JsonField{"alg"}, JsonField{"crit"}};
  const JsonScan scan = scan_json(json, fields);
  // `crit` names extensions that must be understood (RFC 7515, section 4.1.11): none is.
  return std::holds_alternative<JsonValue>(scan) && is_text(fields[0], "HS256") && !fields[1].value;
}

std::optional<WallTime> check_claims(std::string_view json, WallTime now) {
  std::array fields{JsonField{"sub"}, JsonField{"exp"}, JsonField{"iat"}, JsonField{"nbf"}};
  const JsonScan scan = scan_json(json, fields);
  if (!std::holds_alternative<JsonValue>(scan) || !is_text(fields[0], kTokenSubject)) {
    return std::nullopt;
  }
  const auto now_seconds = static_cast<double>(seconds_since_epoch(now));
  const auto expires = number_of(fields[1]);
  // The bound keeps the conversion below within a WallTime's range.
  if (!expires || *expires <= now_seconds || *expires > 1e11) {
    return std::nullopt;
  }
  for (const JsonField& not_before : {fields[2], fields[3]}) {
    const auto start = number_of(not_before);
    const double latest = now_seconds + static_cast<double>(kTokenClockSkew.count());
    if (not_before.value && (!start || *start > latest)) {
      return std::nullopt;
    }
  }
  return WallTime{std::chrono::seconds{static_cast<std::int64_t>(*expires)}};
}

}  // namespace

std::string sign_token(std::string_view secret, std::string_view api_key, WallTime now) {
  const std::int64_t issued = seconds_since_epoch(now);
  const std::int64_t lifetime = std::chrono::seconds{kTokenLifetime}.count();
  std::string claims = R"({"sub":"api","api_key":)";
  append_json_string(claims, std::string{first_characters(api_key, kShownKeyCharacters)} + "...");
  claims += R"(,"iat":)" + std::to_string(issued);
  claims += R"(,"exp":)" + std::to_string(issued + lifetime) + "}";
  std::string token = to_base64url(kHeader) + "." + to_base64url(claims);
  const Sha256Digest signature = hmac_sha256(secret, token);
  token += "." + to_base64url(as_text(signature));
  return token;
}

std::optional<WallTime> verify_token(std::string_view token, std::span<const std::string> secrets,
                                     WallTime now) {
  if (token.size() > kMaxTokenBytes) {
    return std::nullopt;
  }
  const auto first_dot = token.find('.');
  const auto last_dot = token.rfind('.');
  if (first_dot == std::string_view::npos || token.find('.', first_dot + 1) != last_dot) {
    return std::nullopt;
  }
  const auto signature = from_base64url(token.substr(last_dot + 1));
  if (!signature || !is_signed_by_any(token.substr(0, last_dot), *signature, secrets)) {
    return std::nullopt;
  }
  const auto header = from_base64url(token.substr(0, first_dot));
  const auto claims = from_base64url(token.substr(first_dot + 1, last_dot - first_dot - 1));
  if (!header || !claims || !has_good_header(*header)) {
    return std::nullopt;
  }
  return check_claims(*claims, now);
}

std::string api_key_claim(std::string_view token) {
  const auto first_dot = std::min(token.find('.'), token.size());
  const auto last_dot = std::min(token.rfind('.'), token.size());
  if (first_dot >= last_dot) {
    return {};
  }
  const auto claims = from_base64url(token.substr(first_dot + 1, last_dot - first_dot - 1));
  std::array fields{JsonField{"api_key"}};
  if (!claims || !std::holds_alternative<JsonValue>(scan_json(*claims, fields)) ||
      !fields[0].value || fields[0].value->kind != JsonKind::string) {
    return {};
  }
  return decode_json_string(*fields[0].value).value_or(std::string{});
}

}  // namespace dispatcher
