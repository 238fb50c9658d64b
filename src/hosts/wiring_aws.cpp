#include "hosts/wiring_aws.hpp"

#include "adapters/aws/secrets_manager.hpp"
#include "adapters/aws/variables.hpp"
#include "adapters/secrets_file/secrets_file.hpp"
#include "hosts/settings.hpp"
#include "hosts/wiring_parts.hpp"

#include <utility>

namespace dispatcher {
namespace {

// The secret, and the client it is read with.
class AwsSecrets final : public Secrets {
 public:
  AwsSecrets(std::unique_ptr<AwsParts> parts, const AwsPorts& ports, const std::string& arn,
             std::vector<std::string> required)
      : parts_(std::move(parts)),
        secrets_(parts_->client, ports.clock, ports.log, arn, std::move(required)) {}

  [[nodiscard]] boost::asio::awaitable<Result<SecretBundle>> read(
      std::optional<MonoTime> deadline) override {
    return secrets_.read(deadline);
  }
  void forget() override { secrets_.forget(); }

 private:
  std::unique_ptr<AwsParts> parts_;
  SecretsManager secrets_;
};

std::optional<boost::asio::ip::udp::endpoint> xray_daemon(const Environment& environment,
                                                          const Log& log) {
  const std::string text = value_of(environment, aws_variable::kXrayDaemon);
  if (text.empty()) {
    return std::nullopt;
  }
  const auto address = parse_xray_address(text);
  if (!address) {
    log.warning("traces are not sent", {{"error", address.error().message}});
    return std::nullopt;
  }
  return *address;
}

}  // namespace

AwsParts::AwsParts(const AwsPorts& ports, Environment environment,
                   std::optional<boost::asio::ip::udp::endpoint> daemon, AwsClientOptions options)
    : tracer(ports.clock, ports.random, std::move(daemon)),
      credentials(ports.http, ports.clock, std::move(environment)),
      client(AwsClientPorts{ports.http, credentials, ports.clock, ports.timers, ports.random,
                            tracer, ports.log},
             std::move(options)) {}

Result<std::unique_ptr<AwsParts>> make_aws_parts(const AwsPorts& ports,
                                                 const Environment& environment,
                                                 const std::string& region) {
  const auto profile = read_profile(environment);
  if (!profile) {
    return profile.error();
  }
  auto settings = make_aws_settings(environment, *profile, region);
  if (!settings) {
    return settings.error();
  }
  AwsClientOptions options;
  options.settings = std::move(*settings);
  options.user_agent = user_agent();
  return std::make_unique<AwsParts>(ports, environment, xray_daemon(environment, ports.log),
                                    std::move(options));
}

Result<std::unique_ptr<Secrets>> open_secrets(const AwsPorts& ports, const SecretConfig& config,
                                              std::vector<std::string> required) {
  if (config.arn.empty()) {
    return std::unique_ptr<Secrets>{
        std::make_unique<SecretsFile>(config.file, std::move(required), ports.log)};
  }
  auto parts = make_aws_parts(ports, process_environment(), config.aws_region);
  if (!parts) {
    return parts.error();
  }
  return std::unique_ptr<Secrets>{
      std::make_unique<AwsSecrets>(std::move(*parts), ports, config.arn, std::move(required))};
}

}  // namespace dispatcher
