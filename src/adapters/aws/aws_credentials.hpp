#pragma once

#include "base/time.hpp"

#include <optional>
#include <string>

namespace dispatcher {

// All of it but the key's id is secret.
struct AwsCredentials {
  std::string access_key_id;
  std::string secret_access_key;
  std::string session_token;           // empty for those of a user
  std::optional<WallTime> expiration;  // empty: not known, or never
};

}  // namespace dispatcher
