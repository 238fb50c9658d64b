// Who may do what: the secret in use and the tokens that it makes and accepts.
#pragma once

#include "base/time.hpp"
#include "ports/http_service.hpp"
#include "ports/secrets.hpp"

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace dispatcher {

enum class Auth : std::uint8_t {
  open,     // nothing is asked
  token,    // a token of `POST /token`
  metrics,  // the same, or METRICS_TOKEN
};

// Who sends the request, for what is kept of it: the token's `api_key` and the address. Only for
// requests that were not refused.
[[nodiscard]] std::string caller_of(const RequestHead& head);

// Callable from any thread; the secret may change while requests are under way.
class Access {
 public:
  // `metrics_token` is METRICS_TOKEN; empty for none.
  Access(SecretBundle secrets, std::string metrics_token);
  ~Access();

  // Tokens that the new secret does not verify end at once.
  void set_secrets(SecretBundle secrets);
  [[nodiscard]] std::shared_ptr<const SecretBundle> secrets() const;

  // The answer that refuses the request; empty when it may go on.
  [[nodiscard]] std::optional<ServerAnswer> refuse(Auth auth, const RequestHead& head,
                                                   WallTime now) const;

  // A token for the user name and password; empty when they are wrong.
  [[nodiscard]] std::optional<std::string> log_in(std::string_view user, std::string_view password,
                                                  WallTime now) const;

 private:
  struct State;

  [[nodiscard]] std::shared_ptr<State> state() const;
  [[nodiscard]] static bool is_good_token(State& state, std::string_view token, WallTime now);

  const std::string metrics_token_;
  mutable std::mutex mutex_;
  std::shared_ptr<State> state_;
};

}  // namespace dispatcher
