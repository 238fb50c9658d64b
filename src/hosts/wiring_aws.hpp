// What of AWS a command is built of, and the secret from wherever the settings say that it is.
#pragma once

#include "adapters/aws/aws_client.hpp"
#include "adapters/aws/credential_source.hpp"
#include "adapters/aws/xray_tracer.hpp"
#include "hosts/config.hpp"
#include "ports/environment.hpp"
#include "ports/secrets.hpp"

#include <memory>
#include <string>
#include <vector>

namespace dispatcher {

// What calling AWS needs of the world. All outlive what is made with them.
struct AwsPorts {
  HttpClient& http;
  const Clock& clock;
  Timers& timers;
  Random& random;
  const Log& log;
};

// One tracer, one source of credentials, one client: for everything that a command asks of AWS.
struct AwsParts {
  AwsParts(const AwsPorts& ports, Environment environment,
           std::optional<boost::asio::ip::udp::endpoint> xray_daemon, AwsClientOptions options);

  XrayTracer tracer;  // traces nothing before its `begin_run`
  CredentialSource credentials;
  AwsClient client;
};

// `region` is what the settings say; empty: what the environment and the profile do. `invalid`
// names what is wrong there. A daemon's address that is none is a warning: a run goes on without
// traces.
[[nodiscard]] Result<std::unique_ptr<AwsParts>> make_aws_parts(const AwsPorts& ports,
                                                               const Environment& environment,
                                                               const std::string& region);

// From Secrets Manager, or from a file. `required` names the keys that must be in it.
[[nodiscard]] Result<std::unique_ptr<Secrets>> open_secrets(const AwsPorts& ports,
                                                            const SecretConfig& config,
                                                            std::vector<std::string> required);

}  // namespace dispatcher
