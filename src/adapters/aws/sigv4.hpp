// AWS Signature Version 4, in the Authorization header.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
// Pure.
#pragma once

#include "adapters/aws/aws_credentials.hpp"
#include "base/time.hpp"
#include "model/exchange.hpp"
#include "ports/http_client.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace dispatcher {

struct SigningScope {
  std::string region;
  std::string service;  // `dynamodb`, `secretsmanager`, `monitoring`
};

// What is signed. Every header in it is: Host and X-Amz-Date must be there.
struct CanonicalInput {
  std::string_view method;
  std::string_view path;  // is escaped once more than it is
  std::string_view query;
  std::vector<HttpHeader> headers;
  std::string_view body;
  bool normalizes_path = true;  // every service's rule but S3's
};

struct CanonicalRequest {
  std::string text;
  std::string signed_headers;  // `host;x-amz-date`
};

[[nodiscard]] CanonicalRequest canonical_request(const CanonicalInput& input);

[[nodiscard]] std::string string_to_sign(const CanonicalRequest& request, const SigningScope& scope,
                                         WallTime now);

// In hexadecimal.
[[nodiscard]] std::string signature_of(std::string_view string_to_sign,
                                       std::string_view secret_access_key,
                                       const SigningScope& scope, WallTime now);

// The Authorization header's value for what is signed.
[[nodiscard]] std::string authorization_of(const CanonicalInput& input,
                                           const AwsCredentials& credentials,
                                           const SigningScope& scope, WallTime now);

// `20150830T123600Z`
[[nodiscard]] std::string amz_date(WallTime time);

// Adds X-Amz-Date, the session token and Authorization. The request's own headers are signed, and
// the Host that the HTTP client will write.
void sign_request(HttpRequest& request, const AwsCredentials& credentials,
                  const SigningScope& scope, WallTime now);

}  // namespace dispatcher
