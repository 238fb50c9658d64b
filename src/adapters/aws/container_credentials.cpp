#include "adapters/aws/container_credentials.hpp"

#include "adapters/aws/variables.hpp"

#include <fmt/format.h>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <array>
#include <fstream>

namespace dispatcher {
namespace {

// The ECS agent's address.
constexpr std::string_view kAgent = "http://169.254.170.2";
// Besides loopback, the hosts that may be asked over plain http: the agents of ECS and of EKS.
constexpr std::array<std::string_view, 3> kAgentHosts{"169.254.170.2", "169.254.170.23",
                                                      "fd00:ec2::23"};
constexpr std::size_t kMaxAnswerBytes = 64 * 1024;
constexpr std::size_t kMaxTokenBytes = 16 * 1024;

bool is_allowed_host(const WebhookUrl& url) {
  const bool is_loopback = url.host == "localhost" || url.host == "::1" ||
                           (url.host_is_ip && url.host.starts_with("127."));
  return is_loopback ||
         std::find(kAgentHosts.begin(), kAgentHosts.end(), url.host) != kAgentHosts.end();
}

Error invalid(const AwsVariable& variable, std::string_view what) {
  return make_error(ErrorKind::invalid, fmt::format("{}: {}", variable.name, what));
}

// The token's file is read each time: what is in it is exchanged. Empty when none is named.
Result<std::string> authorization(const Environment& environment) {
  const std::string path = value_of(environment, aws_variable::kContainerTokenFile);
  std::string token = value_of(environment, aws_variable::kContainerToken);
  if (!path.empty()) {
    std::ifstream file{path, std::ios::binary};
    if (!file) {
      return invalid(aws_variable::kContainerTokenFile, fmt::format("cannot read {}", path));
    }
    token.assign(kMaxTokenBytes, '\0');
    file.read(token.data(), static_cast<std::streamsize>(token.size()));
    token.resize(static_cast<std::size_t>(file.gcount()));
    token.erase(token.find_last_not_of("\r\n") + 1);
  }
  if (token.find_first_of("\r\n") != std::string::npos) {
    return invalid(path.empty() ? aws_variable::kContainerToken : aws_variable::kContainerTokenFile,
                   "holds a line end, which no header may have");
  }
  return token;
}

std::string text_of(const boost::json::object& object, std::string_view key) {
  const auto* value = object.if_contains({key.data(), key.size()});
  if (value == nullptr || !value->is_string()) {
    return {};
  }
  return {value->get_string().data(), value->get_string().size()};
}

}  // namespace

Result<std::optional<WebhookUrl>> container_url(const Environment& environment) {
  const std::string relative = value_of(environment, aws_variable::kContainerRelativeUri);
  const std::string full = value_of(environment, aws_variable::kContainerFullUri);
  if (relative.empty() && full.empty()) {
    return std::optional<WebhookUrl>{};
  }
  const AwsVariable& variable =
      relative.empty() ? aws_variable::kContainerFullUri : aws_variable::kContainerRelativeUri;
  if (!relative.empty() && !relative.starts_with('/')) {
    return invalid(variable, "does not begin with a slash");
  }
  auto url = parse_webhook_url(relative.empty() ? full : std::string{kAgent} + relative);
  if (!url) {
    return invalid(variable, "is not an http or https URL");
  }
  if (!url->is_https && !is_allowed_host(*url)) {
    return invalid(variable,
                   fmt::format("plain http to {} is not allowed: only to this machine and to {}",
                               url->host, fmt::join(kAgentHosts, ", ")));
  }
  return std::optional{std::move(*url)};
}

Result<AwsCredentials> parse_container_credentials(std::string_view json) {
  boost::json::error_code error;
  const auto value = boost::json::parse({json.data(), json.size()}, error);
  if (error || !value.is_object()) {
    return make_error(ErrorKind::retry_later,
                      "the container's agent answered with something else than a JSON object");
  }
  const auto& object = value.get_object();
  AwsCredentials credentials;
  credentials.access_key_id = text_of(object, "AccessKeyId");
  credentials.secret_access_key = text_of(object, "SecretAccessKey");
  credentials.session_token = text_of(object, "Token");
  credentials.expiration = parse_timestamp(text_of(object, "Expiration"));
  if (credentials.access_key_id.empty() || credentials.secret_access_key.empty()) {
    return make_error(ErrorKind::refused,
                      "the container's agent gave no credentials (has the task a role?)");
  }
  return credentials;
}

boost::asio::awaitable<Result<AwsCredentials>> fetch_container_credentials(
    HttpClient& http, WebhookUrl url, const Environment& environment, MonoTime deadline) {
  auto token = authorization(environment);
  if (!token) {
    co_return token.error();
  }
  HttpRequest request;
  request.method = "GET";
  request.url = std::move(url);
  request.headers.push_back({"Accept", "application/json"});
  if (!token->empty()) {
    request.headers.push_back({"Authorization", std::move(*token)});
  }
  request.deadline = deadline;
  request.is_webhook = false;
  request.pool = "aws";
  request.max_idle_connections = 1;
  request.needs_whole_body = true;
  request.max_body_bytes = kMaxAnswerBytes;
  const std::string host = request.url.display();
  const Exchange exchange = co_await http.send(std::move(request));
  if (const auto* failure = std::get_if<Failure>(&exchange.result)) {
    const bool is_stopping = failure->kind == FailureKind::aborted;
    co_return make_error(
        is_stopping ? ErrorKind::stopped : ErrorKind::retry_later,
        fmt::format("cannot get AWS credentials from {}: {}", host, failure->text()));
  }
  const auto& answer = std::get<Answer>(exchange.result);
  if (answer.status != 200) {
    const bool is_transient = answer.status == 429 || answer.status >= 500;
    co_return make_error(
        is_transient ? ErrorKind::retry_later : ErrorKind::refused,
        fmt::format("cannot get AWS credentials from {}: it answered {}", host, answer.status));
  }
  co_return parse_container_credentials(answer.body);
}

}  // namespace dispatcher
