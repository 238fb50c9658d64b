// The profiles of `~/.aws/credentials` and `~/.aws/config`.
// https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html
#pragma once

#include "base/result.hpp"
#include "ports/environment.hpp"

#include <map>
#include <string>
#include <string_view>

namespace dispatcher {

// Keys in lower case; one that is nested below another is `outer.inner`.
using ProfileKeys = std::map<std::string, std::string, std::less<>>;

// Sections by their whole name: `default`, `profile work`, `services local`.
using ProfileSections = std::map<std::string, ProfileKeys, std::less<>>;

// What cannot be read as a section or a key is passed over, as the AWS clients do. Pure.
[[nodiscard]] ProfileSections parse_profiles(std::string_view text);

// The profile that the environment chooses.
struct Profile {
  std::string name;
  bool is_chosen = false;   // by AWS_PROFILE: then it must be there
  bool is_there = false;    // in one of the files
  ProfileKeys credentials;  // of the credentials file
  ProfileKeys config;       // of the config file
  ProfileKeys services;     // of the section of the config file that its key `services` names
};

// Reads both files; one that is not there is an empty one. `invalid`: one that the environment
// names cannot be read, or AWS_PROFILE names a profile that is in neither.
[[nodiscard]] Result<Profile> read_profile(const Environment& environment);

}  // namespace dispatcher
