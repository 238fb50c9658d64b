#include "adapters/http_inbox/api_session.hpp"

#include "base/bytes.hpp"
#include "base/json_scanner.hpp"
#include "base/number_text.hpp"
#include "base/url_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace dispatcher {
namespace {

// A token that ends sooner than this is renewed before it is refused.
constexpr std::chrono::seconds kRenewBefore{60};

// With the token there is, with a new one, and with one for another key.
constexpr int kMaxTries = 3;

constexpr std::size_t kMaxTokenAnswerBytes = 64 * 1024;
constexpr std::size_t kMaxTokenBytes = 16 * 1024;
constexpr std::size_t kMaxConnections = 64;

bool is_refusal(int status) {
  return status == 401 || status == 403;
}

// Visible characters alone: it goes into a header.
bool is_usable_token(std::string_view token) {
  return !token.empty() && token.size() <= kMaxTokenBytes &&
         std::all_of(token.begin(), token.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

std::optional<std::string> access_token_in(std::string_view body) {
  std::array fields{JsonField{"access_token"}};
  const JsonScan scan = scan_json(body, fields);
  const bool is_text = std::holds_alternative<JsonValue>(scan) && fields[0].value &&
                       fields[0].value->kind == JsonKind::string;
  if (!is_text) {
    return std::nullopt;
  }
  auto token = decode_json_string(*fields[0].value);
  return token && is_usable_token(*token) ? token : std::nullopt;
}

}  // namespace

std::optional<WallTime> token_end(std::string_view token) {
  const auto first = token.find('.');
  const auto second = token.find('.', first == std::string_view::npos ? 0 : first + 1);
  if (first == std::string_view::npos || second == std::string_view::npos) {
    return std::nullopt;
  }
  const auto claims = from_base64url(token.substr(first + 1, second - first - 1));
  std::array fields{JsonField{"exp"}};
  if (!claims || !std::holds_alternative<JsonValue>(scan_json(*claims, fields)) ||
      !fields[0].value || fields[0].value->kind != JsonKind::number) {
    return std::nullopt;
  }
  const auto seconds = parse_float(fields[0].value->raw);
  // Further away than year 9999 is as good as never.
  if (!seconds || *seconds < 0 || *seconds > 2.5e11) {
    return std::nullopt;
  }
  return WallTime{std::chrono::seconds{static_cast<std::int64_t>(*seconds)}};
}

ApiSession::ApiSession(HttpClient& http, const Clock& clock, ApiAccess access)
    : http_(http), clock_(clock), access_(std::move(access)) {}

Error ApiSession::failed(ErrorKind kind, std::string_view what) const {
  return make_error(kind, fmt::format("the Triggers API at {} {}", access_.base.display(), what));
}

MonoTime ApiSession::deadline_of(const TriggersRequest& request) const {
  return request.deadline.value_or(clock_.monotonic() + access_.timeout);
}

HttpRequest ApiSession::http_request(TriggersRequest request, MonoTime deadline) const {
  HttpRequest out;
  out.method = std::move(request.method);
  out.url = access_.base;
  out.url.target += request.path;
  out.headers = std::move(request.headers);
  out.headers.push_back({"User-Agent", access_.user_agent});
  out.headers.push_back({"Accept", "application/json"});
  if (!request.content_type.empty()) {
    out.headers.push_back({"Content-Type", std::move(request.content_type)});
  }
  out.body = std::move(request.body);
  out.deadline = deadline;
  out.is_webhook = false;
  out.pool = "triggers-api";
  out.max_idle_connections = request.is_repeatable ? kMaxConnections : 0;
  out.needs_whole_body = true;
  out.max_body_bytes = request.max_answer_bytes;
  return out;
}

boost::asio::awaitable<Result<Answer>> ApiSession::request(TriggersRequest request) {
  const MonoTime deadline = deadline_of(request);
  std::optional<Answer> refusal;
  std::string refused;
  for (int tries = 0; tries < kMaxTries; ++tries) {
    const bool needs_another_key = tries + 1 == kMaxTries;
    auto used = co_await token(refused, needs_another_key, deadline);
    if (!used) {
      // A 403 need not be about the token: then it is the answer.
      if (refusal && refusal->status == 403) {
        co_return std::move(*refusal);
      }
      co_return used.error();
    }
    auto answer = co_await send(request, *used);
    if (!answer || !is_refusal(answer->status)) {
      co_return answer;
    }
    refused = std::move(*used);
    refusal = std::move(*answer);
  }
  if (refusal->status == 403) {
    co_return std::move(*refusal);
  }
  co_return token_refused();
}

Error ApiSession::token_refused() const {
  return failed(ErrorKind::refused,
                "refuses the token that it has just given (is its jwt_secret the same in all of "
                "its processes, and its clock right?)");
}

void ApiSession::use_key(std::string key) {
  if (key == access_.api_key) {
    return;
  }
  access_.api_key = std::move(key);
  token_.clear();
  token_end_.reset();
}

boost::asio::awaitable<Result<Answer>> ApiSession::send(TriggersRequest request,
                                                        std::string token) {
  const MonoTime deadline = deadline_of(request);
  HttpRequest out = http_request(std::move(request), deadline);
  out.headers.push_back({"Authorization", "Bearer " + token});
  const Exchange exchange = co_await http_.send(std::move(out));
  if (const auto* failure = std::get_if<Failure>(&exchange.result)) {
    const auto kind =
        failure->kind == FailureKind::aborted ? ErrorKind::stopped : ErrorKind::retry_later;
    co_return failed(kind, "could not be reached: " + failure->text());
  }
  co_return std::get<Answer>(exchange.result);
}

boost::asio::awaitable<Result<std::string>> ApiSession::token(std::string refused,
                                                              bool needs_another_key,
                                                              MonoTime deadline) {
  const bool is_ending = token_end_ && *token_end_ - kRenewBefore <= clock_.wall();
  if (!token_.empty() && token_ != refused && !is_ending) {
    co_return token_;
  }
  const auto renewal = [this, needs_another_key, deadline] {
    return renew(needs_another_key, deadline);
  };
  co_return co_await renewal_.join(renewal);
}

boost::asio::awaitable<Result<std::string>> ApiSession::renew(bool needs_another_key,
                                                              MonoTime deadline) {
  auto renewed = co_await renewed_token(needs_another_key, deadline);
  if (renewed) {
    token_ = *renewed;
    token_end_ = token_end(token_);
    if (token_end_ && *token_end_ - kRenewBefore <= clock_.wall()) {
      token_end_.reset();  // its life is shorter than our margin, or our clock differs: ask the 401
    }
  }
  co_return renewed;
}

boost::asio::awaitable<Result<std::string>> ApiSession::renewed_token(bool needs_another_key,
                                                                      MonoTime deadline) {
  if (needs_another_key) {
    const bool has_another = co_await has_another_key(deadline);
    if (!has_another) {
      co_return token_refused();
    }
  }
  auto token = co_await fetch_token(deadline);
  if (token || !is_key_refused_) {
    co_return token;
  }
  const bool has_another = co_await has_another_key(deadline);
  if (has_another) {
    token = co_await fetch_token(deadline);
  }
  co_return token;
}

boost::asio::awaitable<bool> ApiSession::has_another_key(MonoTime deadline) {
  const MonoTime now = clock_.monotonic();
  if (!access_.read_key || (key_read_at_ && now - *key_read_at_ < kKeyPause)) {
    co_return false;
  }
  key_read_at_ = now;
  auto key = co_await access_.read_key(deadline);
  if (!key || *key == access_.api_key) {
    co_return false;
  }
  access_.api_key = std::move(*key);
  co_return true;
}

boost::asio::awaitable<Result<std::string>> ApiSession::fetch_token(MonoTime deadline) {
  TriggersRequest login;
  login.method = "POST";
  login.path = "/token";
  login.content_type = "application/x-www-form-urlencoded";
  login.body = "grant_type=password&username=api&password=" + percent_encode(access_.api_key);
  login.max_answer_bytes = kMaxTokenAnswerBytes;
  is_key_refused_ = false;
  const Exchange exchange = co_await http_.send(http_request(std::move(login), deadline));
  if (const auto* failure = std::get_if<Failure>(&exchange.result)) {
    const auto kind =
        failure->kind == FailureKind::aborted ? ErrorKind::stopped : ErrorKind::retry_later;
    co_return failed(kind, "could not be reached: " + failure->text());
  }
  const auto& answer = std::get<Answer>(exchange.result);
  is_key_refused_ = is_refusal(answer.status);
  if (is_key_refused_) {
    co_return failed(ErrorKind::refused,
                     "does not accept the API key (is zapier_api_key the same "
                     "in its secret?)");
  }
  if (answer.status == 429 || answer.status >= 500) {
    co_return failed(ErrorKind::retry_later,
                     fmt::format("answered {} to POST /token", answer.status));
  }
  auto token = answer.status == 200 ? access_token_in(answer.body) : std::nullopt;
  if (!token) {
    co_return failed(ErrorKind::refused,
                     fmt::format("answered {} to POST /token, and no access_token (is the base URL "
                                 "right?)",
                                 answer.status));
  }
  co_return std::move(*token);
}

}  // namespace dispatcher
