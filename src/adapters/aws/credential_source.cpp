#include "adapters/aws/credential_source.hpp"

#include "adapters/aws/container_credentials.hpp"
#include "adapters/aws/static_credentials.hpp"

#include <algorithm>
#include <utility>

namespace dispatcher {
namespace {

// The agent is on this machine: it is asked again at once, so often, each time for so long at most.
constexpr int kTries = 3;
constexpr std::chrono::seconds kTryTimeout{3};

constexpr std::chrono::minutes kPauseAfterFailure{1};

Error no_credentials() {
  return make_error(ErrorKind::invalid,
                    "there are no AWS credentials (set AWS_ACCESS_KEY_ID and "
                    "AWS_SECRET_ACCESS_KEY, or AWS_PROFILE; in a container give the task a role)");
}

}  // namespace

CredentialSource::CredentialSource(HttpClient& http, const Clock& clock, Environment environment)
    : http_(http), clock_(clock), environment_(std::move(environment)) {}

bool CredentialSource::ends_within(std::chrono::seconds time) const {
  return current_->expiration && *current_->expiration - time <= clock_.wall();
}

boost::asio::awaitable<Result<AwsCredentials>> CredentialSource::get(MonoTime deadline) {
  const bool may_wait =
      current_ && !ends_within(std::chrono::seconds{0}) && clock_.monotonic() < no_search_before_;
  if (current_ && (may_wait || !ends_within(kRenewBefore))) {
    co_return *current_;
  }
  const auto search = [this, deadline] { return renew(deadline); };
  co_return co_await search_.join(search);
}

boost::asio::awaitable<Result<AwsCredentials>> CredentialSource::renew(MonoTime deadline) {
  auto found = co_await find(deadline);
  if (found) {
    current_ = *found;
  } else if (current_ && !ends_within(std::chrono::seconds{0})) {
    no_search_before_ = clock_.monotonic() + kPauseAfterFailure;
    found = *current_;
  }
  co_return found;
}

boost::asio::awaitable<Result<AwsCredentials>> CredentialSource::find(MonoTime deadline) {
  const auto of_environment = environment_credentials(environment_);
  if (!of_environment) {
    co_return of_environment.error();
  }
  if (*of_environment) {
    co_return **of_environment;
  }
  const auto profile = read_profile(environment_);
  if (!profile) {
    co_return profile.error();
  }
  const auto of_profile = profile_credentials(*profile);
  if (!of_profile) {
    co_return of_profile.error();
  }
  if (*of_profile) {
    co_return **of_profile;
  }
  const auto url = container_url(environment_);
  if (!url) {
    co_return url.error();
  }
  if (!*url) {
    co_return no_credentials();
  }
  Result<AwsCredentials> found = no_credentials();
  for (int i = 0; i < kTries && clock_.monotonic() < deadline; ++i) {
    const MonoTime try_by = std::min(deadline, clock_.monotonic() + kTryTimeout);
    found = co_await fetch_container_credentials(http_, **url, environment_, try_by);
    if (found || found.error().kind != ErrorKind::retry_later) {
      break;
    }
  }
  co_return found;
}

void CredentialSource::forget(const AwsCredentials& refused) {
  // Others may have been found since.
  if (current_ && current_->secret_access_key == refused.secret_access_key &&
      current_->session_token == refused.session_token) {
    current_.reset();
  }
}

}  // namespace dispatcher
