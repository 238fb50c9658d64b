#include "adapters/aws/secrets_manager.hpp"

#include "base/deadline.hpp"
#include "base/json_text.hpp"
#include "ports/secret_json.hpp"

#include <fmt/format.h>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <utility>

namespace dispatcher {
namespace {

// Where what was read before can serve on, AWS is not waited for any longer.
constexpr std::chrono::seconds kPatienceForRenewal{5};

// Of GetSecretValue: a secret has at most 64 KiB, which JSON may write six times as long.
Result<std::string> secret_text(const std::string& answer, const std::string& where) {
  boost::json::error_code error;
  const auto value = boost::json::parse(answer, error);
  if (error || !value.is_object()) {
    return make_error(ErrorKind::retry_later,
                      fmt::format("cannot read {}: the answer is not a JSON object", where));
  }
  const auto* text = value.get_object().if_contains("SecretString");
  if (text != nullptr && text->is_string()) {
    return std::string{text->get_string().data(), text->get_string().size()};
  }
  const bool is_binary = value.get_object().contains("SecretBinary");
  return make_error(
      ErrorKind::invalid,
      fmt::format("{} holds {} (store a JSON object with zapier_api_key and zapier_webhook_url as "
                  "its SecretString)",
                  where, is_binary ? "SecretBinary, which is not read" : "no SecretString"));
}

}  // namespace

SecretsManager::SecretsManager(AwsApi& aws, const Clock& clock, const Log& log, std::string arn,
                               std::vector<std::string> required)
    : aws_(aws), clock_(clock), log_(log), arn_(std::move(arn)), required_(std::move(required)) {}

boost::asio::awaitable<Result<SecretBundle>> SecretsManager::fetch(
    std::optional<MonoTime> deadline) {
  const std::string where = "the secret " + arn_;
  AwsCall call;
  call.service = AwsService::secrets_manager;
  call.action = "GetSecretValue";
  call.body = R"({"SecretId":)";
  append_json_string(call.body, arn_);
  call.body += "}";
  call.deadline = deadline;
  if (kept_) {
    call.deadline = earlier(clock_.monotonic() + kPatienceForRenewal, deadline);
  }
  const auto answer = co_await aws_.call(std::move(call));
  if (!answer) {
    const Error& error = answer.error().error;
    co_return make_error(error.kind,
                         fmt::format("SECRET_ARN: cannot read {}: {}", where, error.message));
  }
  const auto text = secret_text(answer->body, where);
  if (!text) {
    co_return text.error();
  }
  co_return parse_secrets(*text, where, required_);
}

void SecretsManager::forget() {
  must_be_new_ = true;
}

boost::asio::awaitable<Result<SecretBundle>> SecretsManager::read(
    std::optional<MonoTime> deadline) {
  const bool must_be_new = std::exchange(must_be_new_, false);
  const WallTime now = clock_.wall();
  const bool is_fresh = kept_ && now >= kept_->read_at && now - kept_->read_at < kKept;
  if (is_fresh && !must_be_new) {
    co_return kept_->bundle;
  }
  auto read = co_await fetch(deadline);
  if (read) {
    kept_ = Kept{*read, now};
  } else if (must_be_new) {
    if (kept_) {
      kept_->read_at = WallTime{};  // it is in doubt: the next call asks again
    }
  } else if (read.error().kind == ErrorKind::retry_later && kept_) {
    log_.warning("the secret cannot be read again; what was read before serves on",
                 {{"error", read.error().message}});
    co_return kept_->bundle;
  }
  co_return read;
}

}  // namespace dispatcher
