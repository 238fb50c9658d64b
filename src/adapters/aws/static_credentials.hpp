// Credentials that need no call: of the environment and of the profile files.
#pragma once

#include "adapters/aws/aws_credentials.hpp"
#include "adapters/aws/profile_files.hpp"
#include "base/result.hpp"
#include "ports/environment.hpp"

#include <optional>

namespace dispatcher {

// Empty when the environment has none. `invalid`: it has half of them.
[[nodiscard]] Result<std::optional<AwsCredentials>> environment_credentials(
    const Environment& environment);

// Those of the credentials file, else of the config file; empty when the profile has none.
// `invalid`: it has half of them, or gets them in a way that this program does not know.
[[nodiscard]] Result<std::optional<AwsCredentials>> profile_credentials(const Profile& profile);

}  // namespace dispatcher
