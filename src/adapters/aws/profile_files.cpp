#include "adapters/aws/profile_files.hpp"

#include "adapters/aws/variables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <system_error>

namespace dispatcher {
namespace {

constexpr std::size_t kMaxFileBytes = 1024 * 1024;
constexpr std::string_view kSpaces = " \t\r";

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(kSpaces);
  if (begin == std::string_view::npos) {
    return {};
  }
  return text.substr(begin, text.find_last_not_of(kSpaces) - begin + 1);
}

std::string lower(std::string_view text) {
  std::string out{text};
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

// `profile  work` is `profile work`.
std::string section_name(std::string_view text) {
  const auto gap = text.find_first_of(kSpaces);
  if (gap == std::string_view::npos) {
    return std::string{text};
  }
  return fmt::format("{} {}", text.substr(0, gap), trimmed(text.substr(gap)));
}

// Behind a space, `#` and `;` begin a comment.
std::string_view without_comment(std::string_view value) {
  for (std::size_t i = 1; i < value.size(); ++i) {
    const bool is_mark = value[i] == '#' || value[i] == ';';
    if (is_mark && kSpaces.find(value[i - 1]) != std::string_view::npos) {
      return value.substr(0, i);
    }
  }
  return value;
}

// Of a line `key = value`; false when it is none.
bool take_key(std::string_view line, std::string& key, std::string& value) {
  const auto equals = line.find('=');
  if (equals == std::string_view::npos || equals == 0) {
    return false;
  }
  key = lower(trimmed(line.substr(0, equals)));
  value = trimmed(without_comment(line.substr(equals + 1)));
  return !key.empty();
}

Result<std::string> read_file(const std::string& path, bool must_be_there) {
  std::ifstream file{path, std::ios::binary};
  if (!file) {
    const int code = errno;
    if (!must_be_there) {
      return std::string{};
    }
    return make_error(ErrorKind::invalid, fmt::format("cannot read the AWS profiles in {}: {}",
                                                      path, std::generic_category().message(code)));
  }
  std::string text(kMaxFileBytes, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

struct Place {
  std::string path;
  bool is_named = false;  // by the environment
};

Place place_of(const Environment& environment, const AwsVariable& variable, std::string_view name) {
  std::string path = value_of(environment, variable);
  const std::string home = environment("HOME").value_or("");
  if (path.empty()) {
    return {home.empty() ? "" : fmt::format("{}/.aws/{}", home, name), false};
  }
  return {path.starts_with("~/") ? home + path.substr(1) : path, true};
}

Result<ProfileSections> read_sections(const Place& place) {
  if (place.path.empty()) {
    return ProfileSections{};
  }
  const auto text = read_file(place.path, place.is_named);
  if (!text) {
    return text.error();
  }
  return parse_profiles(*text);
}

// False when there is no such section.
bool take_section(const ProfileSections& sections, std::string_view name, ProfileKeys& into) {
  const auto found = sections.find(name);
  if (found == sections.end()) {
    return false;
  }
  into = found->second;
  return true;
}

}  // namespace

ProfileSections parse_profiles(std::string_view text) {
  ProfileSections sections;
  ProfileKeys* section = nullptr;
  std::string outer;  // the last key that is not nested
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const std::string_view whole = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::string_view line = trimmed(whole);
    if (line.empty() || line.front() == '#' || line.front() == ';') {
      continue;
    }
    if (line.front() == '[') {
      const auto close = line.find(']');
      section = close == std::string_view::npos
                    ? nullptr
                    : &sections[section_name(trimmed(line.substr(1, close - 1)))];
      outer.clear();
      continue;
    }
    std::string key;
    std::string value;
    if (section == nullptr || !take_key(line, key, value)) {
      continue;
    }
    const bool is_nested = kSpaces.find(whole.front()) != std::string_view::npos && !outer.empty();
    if (is_nested) {
      key.insert(0, outer + ".");
    } else {
      outer = key;
    }
    section->insert_or_assign(std::move(key), std::move(value));
  }
  return sections;
}

Result<Profile> read_profile(const Environment& environment) {
  Profile profile;
  profile.name = value_of(environment, aws_variable::kProfile);
  profile.is_chosen = !profile.name.empty();
  if (!profile.is_chosen) {
    profile.name = "default";
  }
  const Place credentials_place =
      place_of(environment, aws_variable::kCredentialsFile, "credentials");
  const Place config_place = place_of(environment, aws_variable::kConfigFile, "config");
  const auto credentials = read_sections(credentials_place);
  if (!credentials) {
    return credentials.error();
  }
  const auto config = read_sections(config_place);
  if (!config) {
    return config.error();
  }
  const bool has_credentials = take_section(*credentials, profile.name, profile.credentials);
  bool has_config = take_section(*config, "profile " + profile.name, profile.config);
  if (!has_config && profile.name == "default") {
    has_config = take_section(*config, profile.name, profile.config);
  }
  profile.is_there = has_credentials || has_config;
  if (profile.is_chosen && !profile.is_there) {
    return make_error(ErrorKind::invalid, fmt::format("{}: there is no profile {} in {} or {}",
                                                      aws_variable::kProfile.name, profile.name,
                                                      credentials_place.path, config_place.path));
  }
  const auto services = profile.config.find("services");
  if (services != profile.config.end()) {
    (void)take_section(*config, "services " + services->second, profile.services);
  }
  return profile;
}

}  // namespace dispatcher
