// The secret in a JSON file: SECRETS_FILE, or DATA/secrets.json, which `serve` makes for itself.
#pragma once

#include "base/log.hpp"
#include "ports/random.hpp"
#include "ports/secrets.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace dispatcher {

// `zapier_api_key` and `jwt_secret` are a text or a list of texts, `zapier_webhook_url` is one URL,
// several with commas between them, or a list, `zapier_webhook_secret` is a text, `encryption_keys`
// a list of 32 bytes each in base64. Whatever else is in it is left alone. An empty text counts as
// absent. `invalid` names the key that is wrong or, of the required ones, absent, and `file`; never
// a value. Pure.
[[nodiscard]] Result<SecretBundle> parse_secrets(std::string_view json, const std::string& file,
                                                 const std::vector<std::string>& required);

class SecretsFile final : public Secrets {
 public:
  // `required` names the keys that must be there. `log` outlives it.
  SecretsFile(std::string path, std::vector<std::string> required, const Log& log)
      : path_(std::move(path)), required_(std::move(required)), log_(log) {}

  // Warns, once, when others on this machine may read the file.
  [[nodiscard]] boost::asio::awaitable<Result<SecretBundle>> read() override;

  // The same without a loop.
  [[nodiscard]] Result<SecretBundle> read_now();

 private:
  std::string path_;
  std::vector<std::string> required_;
  const Log& log_;
  bool has_warned_ = false;
};

// Makes `directory`/secrets.json, mode 0600, with a random API key, JWT secret and encryption key,
// whole or not at all; makes the directory too. False when it is there already: then it is left as
// it is. `retry_later`: it cannot be written.
[[nodiscard]] Result<bool> make_secrets_file(const std::string& directory, Random& random);

}  // namespace dispatcher
