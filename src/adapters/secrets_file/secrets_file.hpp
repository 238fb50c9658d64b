// The secret in a JSON file: SECRETS_FILE, or DATA/secrets.json, which `serve` makes for itself.
#pragma once

#include "base/log.hpp"
#include "ports/random.hpp"
#include "ports/secrets.hpp"

#include <string>
#include <vector>

namespace dispatcher {

class SecretsFile final : public Secrets {
 public:
  // `required` names the keys that must be there. `log` outlives it.
  SecretsFile(std::string path, std::vector<std::string> required, const Log& log)
      : path_(std::move(path)), required_(std::move(required)), log_(log) {}

  // Warns, once, when others on this machine may read the file.
  [[nodiscard]] boost::asio::awaitable<Result<SecretBundle>> read(
      std::optional<MonoTime> deadline) override;

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
