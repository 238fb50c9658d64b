// The secret in AWS Secrets Manager.
#pragma once

#include "base/log.hpp"
#include "ports/aws_api.hpp"
#include "ports/clock.hpp"
#include "ports/secrets.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace dispatcher {

// Belongs to one loop.
class SecretsManager final : public Secrets {
 public:
  // What was read is kept for so long.
  static constexpr std::chrono::hours kKept{1};

  // `arn` is an ARN or a name. `required` names the keys that must be in it. The rest outlives it.
  SecretsManager(AwsApi& aws, const Clock& clock, const Log& log, std::string arn,
                 std::vector<std::string> required);

  // `invalid` as for every secret, and for one that is binary; `refused`, `not_found`,
  // `retry_later` as AWS has it. Where AWS cannot be reached, what is older than an hour serves on,
  // except right after it was to be forgotten.
  [[nodiscard]] boost::asio::awaitable<Result<SecretBundle>> read(
      std::optional<MonoTime> deadline) override;
  void forget() override;

 private:
  struct Kept {
    SecretBundle bundle;
    WallTime read_at{};  // by the wall clock: the other one stands still while a container sleeps
  };

  [[nodiscard]] boost::asio::awaitable<Result<SecretBundle>> fetch(
      std::optional<MonoTime> deadline);

  AwsApi& aws_;
  const Clock& clock_;
  const Log& log_;
  std::string arn_;
  std::vector<std::string> required_;
  std::optional<Kept> kept_;
  bool must_be_new_ = false;  // what the next `read` returns
};

}  // namespace dispatcher
