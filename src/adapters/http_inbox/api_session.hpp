// A session with somebody's Triggers API: the token, fetched once and renewed once when refused.
#pragma once

#include "base/single_flight.hpp"
#include "model/webhook_url.hpp"
#include "ports/clock.hpp"
#include "ports/http_client.hpp"
#include "ports/triggers_api.hpp"

#include <chrono>
#include <functional>
#include <optional>
#include <string>

namespace dispatcher {

struct ApiAccess {
  WebhookUrl base;  // its `target` is the prefix of every path, without a last slash
  std::string api_key;
  std::string user_agent;
  std::chrono::microseconds timeout = std::chrono::seconds{30};  // of one request
  // Asked, at most once in kKeyPause, when the service does not accept the key or a token that it
  // has just given for it: the key as it is now, for it may have been rotated. It returns by the
  // deadline. Empty: never asked.
  std::function<boost::asio::awaitable<std::optional<std::string>>(MonoTime deadline)> read_key{};
};

// When a token ends, as its `exp` says; empty when it does not say. Pure.
[[nodiscard]] std::optional<WallTime> token_end(std::string_view token);

class ApiSession final : public TriggersApi {
 public:
  static constexpr std::chrono::seconds kKeyPause{60};

  // `http` and `clock` outlive it, and it every call. `http` is not the engine's: that one is
  // aborted at a stop, and what was delivered must still be acknowledged after it.
  ApiSession(HttpClient& http, const Clock& clock, ApiAccess access);

  [[nodiscard]] boost::asio::awaitable<Result<Answer>> request(TriggersRequest request) override;

  // The key to log in with from now on; with another one, the token is given up.
  void use_key(std::string key);

 private:
  [[nodiscard]] boost::asio::awaitable<Result<Answer>> send(TriggersRequest request,
                                                            std::string token);
  // The token to use; `refused` is one that was not accepted, a new one too when another key is
  // needed. One is fetched at a time, whoever else needs it waits.
  [[nodiscard]] boost::asio::awaitable<Result<std::string>> token(std::string refused,
                                                                  bool needs_another_key,
                                                                  MonoTime deadline);
  [[nodiscard]] boost::asio::awaitable<Result<std::string>> renew(bool needs_another_key,
                                                                  MonoTime deadline);
  [[nodiscard]] boost::asio::awaitable<Result<std::string>> renewed_token(bool needs_another_key,
                                                                          MonoTime deadline);
  [[nodiscard]] boost::asio::awaitable<Result<std::string>> fetch_token(MonoTime deadline);
  [[nodiscard]] boost::asio::awaitable<bool> has_another_key(MonoTime deadline);
  [[nodiscard]] HttpRequest http_request(TriggersRequest request, MonoTime deadline) const;
  [[nodiscard]] MonoTime deadline_of(const TriggersRequest& request) const;
  [[nodiscard]] Error token_refused() const;
  [[nodiscard]] Error failed(ErrorKind kind, std::string_view what) const;

  HttpClient& http_;
  const Clock& clock_;
  ApiAccess access_;
  std::string token_;
  std::optional<WallTime> token_end_;
  bool is_key_refused_ = false;  // at the last login
  std::optional<MonoTime> key_read_at_;
  SingleFlight<Result<std::string>> renewal_;
};

}  // namespace dispatcher
