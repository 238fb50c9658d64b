// Promises: requests are signed as AWS's own published vectors have it, each step of the way; the
// session token and the host that is asked are part of what is signed.
#include "adapters/aws/sigv4.hpp"

#include "base/bytes.hpp"

#include <gtest/gtest.h>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace dispatcher {
namespace {

namespace fs = std::filesystem;

// AWS_SIGV4_VECTORS, else shared/data/aws-sigv4 beside the checkout, or beside a folder that it is
// in. Empty when it is nowhere.
fs::path vectors_folder() {
  if (const char* named = std::getenv("AWS_SIGV4_VECTORS")) {
    return named;
  }
  fs::path folder{DISPATCHER_SOURCE_DIR};
  for (int i = 0; i < 3 && folder.has_relative_path(); ++i) {
    folder = folder.parent_path();
    const fs::path vectors = folder / "shared/data/aws-sigv4";
    if (fs::exists(vectors / "get-vanilla")) {
      return vectors;
    }
  }
  return {};
}

std::string read_text(const fs::path& path) {
  std::ifstream file{path, std::ios::binary};
  std::ostringstream text;
  text << file.rdbuf();
  std::string out = text.str();
  while (out.ends_with('\n')) {
    out.pop_back();
  }
  return out;
}

std::vector<std::string> vector_names() {
  std::vector<std::string> names;
  const fs::path folder = vectors_folder();
  if (!folder.empty()) {
    for (const auto& entry : fs::directory_iterator{folder}) {
      if (entry.is_directory()) {
        names.push_back(entry.path().filename());
      }
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

// A vector: the request as a file has it, what signs it, and how.
struct Vector {
  std::string method;
  std::string path;
  std::string query;
  std::vector<HttpHeader> headers;
  std::string body;
  AwsCredentials credentials;
  SigningScope scope;
  WallTime now{};
  bool normalizes = true;

  [[nodiscard]] CanonicalInput input() const {
    return {method, path, query, headers, body, normalizes};
  }
};

std::string text_of(const boost::json::object& object, std::string_view key) {
  const auto* value = object.if_contains({key.data(), key.size()});
  return value == nullptr ? std::string{} : std::string{value->as_string().c_str()};
}

bool flag_of(const boost::json::object& object, std::string_view key) {
  const auto* value = object.if_contains({key.data(), key.size()});
  return value != nullptr && value->as_bool();
}

void read_request(const std::string& text, Vector& vector) {
  std::istringstream stream{text};
  std::string line;
  std::getline(stream, line);
  const auto first = line.find(' ');
  const auto last = line.rfind(" HTTP/1.1");
  vector.method = line.substr(0, first);
  const std::string target = line.substr(first + 1, last - first - 1);
  const auto mark = std::min(target.find('?'), target.size());
  vector.path = target.substr(0, mark);
  vector.query = target.substr(std::min(mark + 1, target.size()));
  while (std::getline(stream, line) && !line.empty()) {
    if (line.front() == ' ') {
      vector.headers.back().value += "\n" + line;  // a value that goes on in the next line
      continue;
    }
    const auto colon = line.find(':');
    vector.headers.push_back({line.substr(0, colon), line.substr(colon + 1)});
  }
  std::getline(stream, vector.body, '\0');
}

Vector read_vector(const fs::path& folder) {
  Vector vector;
  const auto context = boost::json::parse(read_text(folder / "context.json")).as_object();
  const auto& keys = context.at("credentials").as_object();
  vector.credentials = {text_of(keys, "access_key_id"), text_of(keys, "secret_access_key"),
                        text_of(keys, "token"), std::nullopt};
  vector.scope = {text_of(context, "region"), text_of(context, "service")};
  vector.now = *parse_timestamp(text_of(context, "timestamp"));
  vector.normalizes = flag_of(context, "normalize");
  read_request(read_text(folder / "request.txt"), vector);
  vector.headers.push_back({"X-Amz-Date", amz_date(vector.now)});
  if (!vector.credentials.session_token.empty() && !flag_of(context, "omit_session_token")) {
    vector.headers.push_back({"X-Amz-Security-Token", vector.credentials.session_token});
  }
  if (flag_of(context, "sign_body")) {
    vector.headers.push_back({"x-amz-content-sha256", to_hex(sha256(vector.body))});
  }
  return vector;
}

class PublishedVector : public testing::TestWithParam<std::string> {};

TEST_P(PublishedVector, is_signed_as_aws_does) {
  const fs::path folder = vectors_folder() / GetParam();
  const Vector vector = read_vector(folder);
  const CanonicalRequest canonical = canonical_request(vector.input());
  EXPECT_EQ(canonical.text, read_text(folder / "header-canonical-request.txt"));
  const std::string to_sign = string_to_sign(canonical, vector.scope, vector.now);
  EXPECT_EQ(to_sign, read_text(folder / "header-string-to-sign.txt"));
  EXPECT_EQ(signature_of(to_sign, vector.credentials.secret_access_key, vector.scope, vector.now),
            read_text(folder / "header-signature.txt"));
  const std::string authorization =
      authorization_of(vector.input(), vector.credentials, vector.scope, vector.now);
  EXPECT_NE(
      read_text(folder / "header-signed-request.txt").find("\nAuthorization:" + authorization),
      std::string::npos)
      << authorization;
}

INSTANTIATE_TEST_SUITE_P(sigv4, PublishedVector, testing::ValuesIn(vector_names()),
                         [](const testing::TestParamInfo<std::string>& name) {
                           std::string out = name.param;
                           std::replace(out.begin(), out.end(), '-', '_');
                           return out;
                         });
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(PublishedVector);

TEST(sigv4_vectors, all_of_them_are_there) {
  constexpr std::size_t kPublished = 38;
  if (vectors_folder().empty() && std::getenv("CI") == nullptr) {
    GTEST_SKIP() << "AWS's vectors are not beside the checkout (../shared/data/aws-sigv4; or set "
                    "AWS_SIGV4_VECTORS to their folder)";
  }
  EXPECT_EQ(vector_names().size(), kPublished)
      << "looked for in " << vectors_folder()
      << " (../shared/data/aws-sigv4 beside the checkout, or AWS_SIGV4_VECTORS)";
}

HttpRequest query_request() {
  HttpRequest request;
  request.url = *parse_webhook_url("http://127.0.0.1:8000/");
  request.headers = {{"Content-Type", "application/x-amz-json-1.0"},
                     {"X-Amz-Target", "DynamoDB_20120810.Query"}};
  request.body = R"({"TableName":"events"})";
  return request;
}

// Made with botocore 1.29: SigV4Auth over the same request.
TEST(sign_request, signs_the_host_the_token_and_the_body_as_botocore_does) {
  HttpRequest request = query_request();
  const AwsCredentials credentials{"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
                                   "a-session-token", std::nullopt};
  sign_request(request, credentials, {"us-east-2", "dynamodb"},
               *parse_timestamp("2026-01-02T03:04:05.999Z"));
  ASSERT_EQ(request.headers.size(), 5U);
  EXPECT_EQ(request.headers[2].value, "20260102T030405Z");
  EXPECT_EQ(request.headers[3].value, "a-session-token");
  EXPECT_EQ(request.headers[4].value,
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260102/us-east-2/dynamodb/aws4_request, "
            "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target, "
            "Signature=f94bf4b6c1f5a25b88182c2794ec35b08d9464e2db7e8aa4b03a9879ac72d6ec");
}

TEST(sign_request, without_a_session_token_there_is_no_header_for_it) {
  HttpRequest request = query_request();
  sign_request(request, {"AKIDEXAMPLE", "secret", "", std::nullopt}, {"us-east-2", "dynamodb"},
               WallTime{});
  ASSERT_EQ(request.headers.size(), 4U);
  EXPECT_EQ(request.headers[3].value.find("security-token"), std::string::npos);
}

}  // namespace
}  // namespace dispatcher
