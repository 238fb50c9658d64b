#include "hosts/config_file.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>
#include <sstream>

#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

namespace dispatcher {
namespace {

const SettingRow* find_key(std::string_view key) {
  for (const SettingRow& row : setting_table()) {
    if (!row.key.empty() && row.key == key) {
      return &row;
    }
  }
  return nullptr;
}

// How many single-character edits lie between the two.
std::size_t distance(std::string_view left, std::string_view right) {
  std::vector<std::size_t> row(right.size() + 1);
  for (std::size_t j = 0; j <= right.size(); ++j) {
    row[j] = j;
  }
  for (std::size_t i = 1; i <= left.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= right.size(); ++j) {
      const std::size_t change = diagonal + (left[i - 1] == right[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, change});
    }
  }
  return row[right.size()];
}

std::string nearest_key(std::string_view wrong) {
  std::string_view nearest;
  std::size_t least = 4;  // further away is another word
  for (const SettingRow& row : setting_table()) {
    const std::size_t edits = row.key.empty() ? least : distance(row.key, wrong);
    if (edits < least) {
      least = edits;
      nearest = row.key;
    }
  }
  return nearest.empty() ? "see docs/settings.md for the keys there are"
                         : fmt::format("did you mean {}?", nearest);
}

std::optional<std::string> text_of(const toml::node& node) {
  if (const auto* text = node.as_string()) {
    return text->get();
  }
  if (const auto* whole = node.as_integer()) {
    return fmt::format("{}", whole->get());
  }
  if (const auto* number = node.as_floating_point()) {
    return fmt::format("{}", number->get());
  }
  if (const auto* flag = node.as_boolean()) {
    return flag->get() ? "true" : "false";
  }
  return std::nullopt;
}

std::optional<std::vector<std::string>> texts_of(const toml::node& node) {
  const auto* array = node.as_array();
  if (array == nullptr) {
    const auto text = text_of(node);
    return text ? std::optional{std::vector<std::string>{*text}} : std::nullopt;
  }
  std::vector<std::string> texts;
  for (const toml::node& element : *array) {
    const auto text = text_of(element);
    if (!text) {
      return std::nullopt;
    }
    texts.push_back(*text);
  }
  return texts;
}

Error wrong(const std::string& path, std::string what) {
  return make_error(ErrorKind::invalid, fmt::format("config file {}: {}", path, what));
}

}  // namespace

Result<std::map<Setting, std::vector<std::string>>> read_config_file(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  std::ostringstream content;
  if (!file || !(content << file.rdbuf() || file.eof())) {
    return wrong(path, fmt::format("cannot be read: {}", std::strerror(errno)));
  }
  const toml::parse_result parsed = toml::parse(content.view());
  if (!parsed) {
    return wrong(path, fmt::format("line {}: {}", parsed.error().source().begin.line,
                                   parsed.error().description()));
  }
  std::map<Setting, std::vector<std::string>> found;
  for (const auto& [key, node] : parsed.table()) {
    const SettingRow* row = find_key(key.str());
    if (row == nullptr) {
      return wrong(path, fmt::format("line {}: {} is no setting ({})", key.source().begin.line,
                                     key.str(), nearest_key(key.str())));
    }
    auto texts = texts_of(node);
    if (!texts) {
      return wrong(path, fmt::format("line {}: {} is neither a text, a number, a boolean nor an "
                                     "array of them",
                                     key.source().begin.line, key.str()));
    }
    found.emplace(row->setting, std::move(*texts));
  }
  return found;
}

}  // namespace dispatcher
