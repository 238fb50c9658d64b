#include "adapters/aws/sigv4.hpp"

#include "base/bytes.hpp"
#include "base/url_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace dispatcher {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";
constexpr std::string_view kTerminator = "aws4_request";

using Parts = std::vector<std::string_view>;

Parts split(std::string_view text, char separator) {
  Parts parts;
  while (true) {
    const auto end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) {
      return parts;
    }
    text.remove_prefix(end + 1);
  }
}

// RFC 3986, section 5.2.4; runs of slashes are one.
std::string normalized(std::string_view path) {
  Parts kept;
  const Parts segments = split(path, '/');
  for (const std::string_view segment : segments) {
    if (segment == ".." && !kept.empty()) {
      kept.pop_back();
    } else if (!segment.empty() && segment != "." && segment != "..") {
      kept.push_back(segment);
    }
  }
  const bool is_folder = !kept.empty() && (segments.back().empty() || segments.back() == "." ||
                                           segments.back() == "..");
  return fmt::format("/{}{}", fmt::join(kept, "/"), is_folder ? "/" : "");
}

std::string canonical_path(const CanonicalInput& input) {
  const std::string path = input.normalizes_path ? normalized(input.path) : std::string{input.path};
  std::string out;
  for (const std::string_view segment : split(path, '/')) {
    out += percent_encode(segment) + "/";
  }
  out.pop_back();
  return out.empty() ? "/" : out;
}

// What %XX stands for; a % without two digits behind it stays.
std::string percent_decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte =
        text[i] == '%' && i + 2 < text.size() ? from_hex(text.substr(i + 1, 2)) : std::nullopt;
    if (byte) {
      out += *byte;
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string canonical_query(std::string_view query) {
  if (query.empty()) {
    return {};
  }
  std::vector<std::pair<std::string, std::string>> parameters;
  for (const std::string_view part : split(query, '&')) {
    const auto equals = std::min(part.find('='), part.size());
    const auto value = part.substr(std::min(equals + 1, part.size()));
    parameters.emplace_back(percent_encode(percent_decode(part.substr(0, equals))),
                            percent_encode(percent_decode(value)));
  }
  std::sort(parameters.begin(), parameters.end());
  std::string out;
  for (const auto& [name, value] : parameters) {
    out += fmt::format("{}{}={}", out.empty() ? "" : "&", name, value);
  }
  return out;
}

std::string lower(std::string_view text) {
  std::string out{text};
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

// Without the white space around it, and each run inside it as one space.
std::string trimmed(std::string_view value) {
  std::string out;
  for (const char c : value) {
    const bool is_space = c == ' ' || c == '\t' || c == '\r' || c == '\n';
    if (!is_space) {
      out.push_back(c);
    } else if (!out.empty() && out.back() != ' ') {
      out.push_back(' ');
    }
  }
  if (out.ends_with(' ')) {
    out.pop_back();
  }
  return out;
}

std::string day_of(WallTime time) {
  return amz_date(time).substr(0, 8);
}

std::string credential_scope(const SigningScope& scope, WallTime now) {
  return fmt::format("{}/{}/{}/{}", day_of(now), scope.region, scope.service, kTerminator);
}

}  // namespace

std::string amz_date(WallTime time) {
  std::string text = format_compact(time);  // `20150830_123600`
  text[8] = 'T';
  text.push_back('Z');
  return text;
}

CanonicalRequest canonical_request(const CanonicalInput& input) {
  std::vector<HttpHeader> headers;
  for (const HttpHeader& header : input.headers) {
    headers.push_back({lower(header.name), trimmed(header.value)});
  }
  // Values of the same name stay in their order.
  std::stable_sort(
      headers.begin(), headers.end(),
      [](const HttpHeader& left, const HttpHeader& right) { return left.name < right.name; });
  CanonicalRequest out;
  std::string lines;
  for (std::size_t i = 0; i < headers.size(); ++i) {
    if (i > 0 && headers[i].name == headers[i - 1].name) {
      lines.back() = ',';
      lines += headers[i].value + "\n";
      continue;
    }
    out.signed_headers += (i == 0 ? "" : ";") + headers[i].name;
    lines += headers[i].name + ":" + headers[i].value + "\n";
  }
  out.text = fmt::format("{}\n{}\n{}\n{}\n{}\n{}", input.method, canonical_path(input),
                         canonical_query(input.query), lines, out.signed_headers,
                         to_hex(sha256(input.body)));
  return out;
}

std::string string_to_sign(const CanonicalRequest& request, const SigningScope& scope,
                           WallTime now) {
  return fmt::format("{}\n{}\n{}\n{}", kAlgorithm, amz_date(now), credential_scope(scope, now),
                     to_hex(sha256(request.text)));
}

std::string signature_of(std::string_view string_to_sign, std::string_view secret_access_key,
                         const SigningScope& scope, WallTime now) {
  const auto day = hmac_sha256("AWS4" + std::string{secret_access_key}, day_of(now));
  const auto region = hmac_sha256(as_text(day), scope.region);
  const auto service = hmac_sha256(as_text(region), scope.service);
  const auto key = hmac_sha256(as_text(service), kTerminator);
  return to_hex(hmac_sha256(as_text(key), string_to_sign));
}

std::string authorization_of(const CanonicalInput& input, const AwsCredentials& credentials,
                             const SigningScope& scope, WallTime now) {
  const CanonicalRequest request = canonical_request(input);
  const std::string signature =
      signature_of(string_to_sign(request, scope, now), credentials.secret_access_key, scope, now);
  return fmt::format("{} Credential={}/{}, SignedHeaders={}, Signature={}", kAlgorithm,
                     credentials.access_key_id, credential_scope(scope, now),
                     request.signed_headers, signature);
}

void sign_request(HttpRequest& request, const AwsCredentials& credentials,
                  const SigningScope& scope, WallTime now) {
  request.headers.push_back({"X-Amz-Date", amz_date(now)});
  if (!credentials.session_token.empty()) {
    request.headers.push_back({"X-Amz-Security-Token", credentials.session_token});
  }
  const std::string_view target = request.url.target;
  const auto path_end = std::min(target.find('?'), target.size());
  CanonicalInput input;
  input.method = request.method;
  input.path = target.substr(0, path_end);
  input.query = target.substr(std::min(path_end + 1, target.size()));
  input.headers = request.headers;
  input.headers.push_back({"Host", request.url.host_header()});
  input.body = request.body;
  request.headers.push_back({"Authorization", authorization_of(input, credentials, scope, now)});
}

}  // namespace dispatcher
