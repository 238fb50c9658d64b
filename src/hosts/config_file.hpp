// The config file: TOML, one key for each setting.
#pragma once

#include "base/result.hpp"
#include "hosts/settings_table.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace dispatcher {

// What the file has for each setting, as text; an array in pieces. `invalid`: it cannot be read, is
// not TOML, has a key that is no setting, or a value that no setting has.
[[nodiscard]] Result<std::map<Setting, std::vector<std::string>>> read_config_file(
    const std::string& path);

// The same of what such a file holds; `path` is what errors call it. Pure.
[[nodiscard]] Result<std::map<Setting, std::vector<std::string>>> parse_config(
    std::string_view content, const std::string& path);

}  // namespace dispatcher
