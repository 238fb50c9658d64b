// The secret: what SECRET_ARN, SECRETS_FILE or DATA/secrets.json holds.
#pragma once

#include "base/result.hpp"
#include "base/time.hpp"

#include <boost/asio/awaitable.hpp>

#include <optional>
#include <string>
#include <vector>

namespace dispatcher {

struct SecretBundle {
  std::vector<std::string> api_keys;      // `zapier_api_key`: all are accepted, the first is used
  std::vector<std::string> webhook_urls;  // `zapier_webhook_url`: one, a comma list, or an array
  std::vector<std::string> jwt_secrets;   // `jwt_secret`: all verify, the first signs
  std::string webhook_secret;             // `zapier_webhook_secret`; empty for none
  std::vector<std::string> encryption_keys;  // `encryption_keys`: the first encrypts, all decrypt
};

class Secrets {
 public:
  virtual ~Secrets() = default;
  // Read anew at each call, or no older than an hour where reading it costs something. `invalid`
  // names the key that is missing or wrong, never its value. `deadline`: by when it has returned;
  // empty: the reading has a limit of its own.
  [[nodiscard]] virtual boost::asio::awaitable<Result<SecretBundle>> read(
      std::optional<MonoTime> deadline) = 0;

  // What was read last is not accepted any more: the next `read` is a new one, or fails.
  virtual void forget() {}
};

}  // namespace dispatcher
