// The AwsApi over the HTTP client: signs, sends, waits and sends again.
#pragma once

#include "adapters/aws/aws_answer.hpp"
#include "adapters/aws/aws_settings.hpp"
#include "adapters/aws/clock_skew.hpp"
#include "adapters/aws/credential_source.hpp"
#include "base/log.hpp"
#include "ports/aws_api.hpp"
#include "ports/clock.hpp"
#include "ports/http_client.hpp"
#include "ports/random.hpp"
#include "ports/tracer.hpp"

#include <chrono>
#include <string>

namespace dispatcher {

// What the client needs of the world. All outlive it.
struct AwsClientPorts {
  HttpClient& http;
  CredentialSource& credentials;
  const Clock& clock;
  Timers& timers;
  Random& random;
  Tracer& tracer;
  const Log& log;
};

struct AwsClientOptions {
  AwsSettings settings;
  std::string user_agent;
  // Of one request, and of connecting in it. DynamoDB answers within milliseconds: one that does
  // not is better asked again than waited for.
  std::chrono::milliseconds request_timeout{5'000};
  std::chrono::milliseconds connect_timeout{2'000};
  // Of a call that names no deadline.
  std::chrono::milliseconds call_timeout{20'000};
  // Requests of one call, but for those after a new clock or new credentials (one each).
  int max_tries = 6;
};

// The wait before try `next` (2, 3, …): random, below a limit that doubles with each try. Pure;
// `share` is in [0, 1).
[[nodiscard]] std::chrono::milliseconds aws_backoff(int next, bool is_throttled, double share);

class AwsClient final : public AwsApi {
 public:
  AwsClient(AwsClientPorts ports, AwsClientOptions options);

  [[nodiscard]] boost::asio::awaitable<AwsResult> call(AwsCall call) override;
  [[nodiscard]] WallTime now() const override;

  [[nodiscard]] const AwsSettings& settings() const { return options_.settings; }

 private:
  // What one request came to.
  struct Try {
    AwsResult result = AwsError{};
    AwsRemedy remedy = AwsRemedy::none;
    bool is_clock_new = false;
    std::optional<int> status;
  };

  [[nodiscard]] boost::asio::awaitable<AwsResult> call_until(AwsCall call, MonoTime deadline,
                                                             SpanReport* report);
  [[nodiscard]] boost::asio::awaitable<Try> send(const AwsCall& call, MonoTime deadline,
                                                 const AwsCredentials& credentials);
  [[nodiscard]] HttpRequest request_of(const AwsCall& call, MonoTime deadline) const;
  [[nodiscard]] Try judge(const AwsCall& call, Exchange exchange, WallTime sent);
  [[nodiscard]] Error failed(const AwsCall& call, ErrorKind kind, std::string_view what) const;

  AwsClientPorts ports_;
  AwsClientOptions options_;
  ClockSkew skew_;
};

}  // namespace dispatcher
