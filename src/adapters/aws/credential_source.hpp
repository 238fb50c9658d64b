// The credentials in use: found in the usual order, kept until they end, found anew when they are
// refused.
#pragma once

#include "adapters/aws/aws_credentials.hpp"
#include "adapters/aws/profile_files.hpp"
#include "base/result.hpp"
#include "base/single_flight.hpp"
#include "ports/clock.hpp"
#include "ports/environment.hpp"
#include "ports/http_client.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <optional>
#include <string>

namespace dispatcher {

// Belongs to one loop.
class CredentialSource {
 public:
  // Those that end sooner than this are exchanged; until they have ended the old ones serve where
  // new ones cannot be had.
  static constexpr std::chrono::minutes kRenewBefore{5};

  // `http` and `clock` outlive it, and it every call.
  CredentialSource(HttpClient& http, const Clock& clock, Environment environment);
  CredentialSource(const CredentialSource&) = delete;
  CredentialSource& operator=(const CredentialSource&) = delete;

  // The environment's, else the profile's, else the container's. `invalid`: there are none, or they
  // are not whole; the message says what to set. `retry_later`: the container's agent does not
  // answer by the deadline.
  [[nodiscard]] boost::asio::awaitable<Result<AwsCredentials>> get(MonoTime deadline);

  // These are not accepted any more: the next `get` finds others, if there are.
  void forget(const AwsCredentials& refused);

 private:
  // Finds others; while the old ones serve, those where there are none.
  [[nodiscard]] boost::asio::awaitable<Result<AwsCredentials>> renew(MonoTime deadline);
  [[nodiscard]] boost::asio::awaitable<Result<AwsCredentials>> find(MonoTime deadline);
  [[nodiscard]] bool ends_within(std::chrono::seconds time) const;

  HttpClient& http_;
  const Clock& clock_;
  Environment environment_;
  std::optional<AwsCredentials> current_;
  // A search that failed while the old ones still serve is not repeated before.
  MonoTime no_search_before_{};
  SingleFlight<Result<AwsCredentials>> search_;
};

}  // namespace dispatcher
