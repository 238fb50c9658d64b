#include "hosts/config_file.hpp"

#include "base/bytes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <optional>
#include <sstream>

#define TOML_EXCEPTIONS 0
// It asserts, of the first byte of a key, what a bad file breaks (`[::1]`), and then finds the
// fault by itself.
#define TOML_ASSERT(condition) static_cast<void>(0)
#include <toml++/toml.h>

namespace dispatcher {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

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

// The position behind the text or comment that begins at `at`.
std::size_t skip_quoted(std::string_view content, std::size_t at) {
  const char quote = content[at];
  if (quote == '#') {
    return std::min(content.find('\n', at), content.size());
  }
  const std::string fence(3, quote);
  const bool is_long = content.substr(at, 3) == fence;
  at += is_long ? 3 : 1;
  while (at < content.size()) {
    if (is_long ? content.substr(at, 3) == fence : content[at] == quote || content[at] == '\n') {
      // Up to two quotes more belong to a long text.
      const std::size_t end = is_long ? content.find_first_not_of(quote, at) : at + 1;
      return std::min({end, content.size(), at + 5});
    }
    at += quote == '"' && content[at] == '\\' ? 2 : 1;
  }
  return content.size();
}

// The line of the first byte past ASCII that is in no text and no comment; 0 when there is none.
std::size_t line_of_stray_byte(std::string_view content) {
  std::size_t at = content.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;
  while (at < content.size()) {
    const char c = content[at];
    if (static_cast<unsigned char>(c) >= 0x80) {
      return 1 + static_cast<std::size_t>(std::count(
                     content.begin(), content.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
    }
    at = c == '#' || c == '"' || c == '\'' ? skip_quoted(content, at) : at + 1;
  }
  return 0;
}

// The text in ASCII alone, each other byte as a mark and two digits: toml++ 3.3 may run into
// undefined behaviour at characters that it did not expect, wherever they are.
class AsciiText {
 public:
  explicit AsciiText(std::string_view content) {
    for (int i = 0; content.find(mark_) != std::string_view::npos; ++i) {
      mark_ = fmt::format("q{}z", i);
    }
    for (const char c : content) {
      const auto byte = static_cast<unsigned char>(c);
      ascii_ += byte < 0x80 ? std::string{c} : fmt::format("{}{:02x}", mark_, byte);
    }
  }

  [[nodiscard]] const std::string& ascii() const { return ascii_; }

  // What a piece of it was before.
  [[nodiscard]] std::string original(std::string_view piece) const {
    std::string out;
    while (!piece.empty()) {
      const std::size_t at = std::min(piece.find(mark_), piece.size());
      out += piece.substr(0, at);
      piece.remove_prefix(at);
      unsigned char byte = 0;
      const std::string_view digits =
          piece.size() < mark_.size() + 2 ? "" : piece.substr(mark_.size(), 2);
      if (std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16).ec !=
          std::errc{}) {
        break;  // a message may end in the middle
      }
      out += static_cast<char>(byte);
      piece.remove_prefix(mark_.size() + 2);
    }
    return out;
  }

 private:
  std::string mark_ = "qz";
  std::string ascii_;
};

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
  return parse_config(content.view(), path);
}

Result<std::map<Setting, std::vector<std::string>>> parse_config(std::string_view content,
                                                                 const std::string& path) {
  if (const std::size_t line = line_of_stray_byte(content)) {
    return wrong(path, fmt::format("line {}: only a text in quotes and a comment may hold "
                                   "characters that are not ASCII",
                                   line));
  }
  if (!is_valid_utf8(content)) {
    return wrong(path, "is not UTF-8");
  }
  content.remove_prefix(content.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0);
  const AsciiText text{content};
  const toml::parse_result parsed = toml::parse(text.ascii());
  if (!parsed) {
    return wrong(path, fmt::format("line {}: {}", parsed.error().source().begin.line,
                                   text.original(parsed.error().description())));
  }
  std::map<Setting, std::vector<std::string>> found;
  for (const auto& [key, node] : parsed.table()) {
    const std::string name = text.original(key.str());
    const SettingRow* row = find_key(name);
    if (row == nullptr) {
      return wrong(path, fmt::format("line {}: {} is no setting ({})", key.source().begin.line,
                                     name, nearest_key(name)));
    }
    auto texts = texts_of(node);
    if (!texts) {
      return wrong(path, fmt::format("line {}: {} is neither a text, a number, a boolean nor an "
                                     "array of them",
                                     key.source().begin.line, name));
    }
    for (std::string& one : *texts) {
      one = text.original(one);
    }
    found.emplace(row->setting, std::move(*texts));
  }
  return found;
}

}  // namespace dispatcher
