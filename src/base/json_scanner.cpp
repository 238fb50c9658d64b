#include "base/json_scanner.hpp"

#include "base/bytes.hpp"
#include "base/json_string.hpp"

#include <algorithm>
#include <bitset>
#include <cstring>

namespace dispatcher {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

constexpr bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

JsonKind kind_of(char first) {
  switch (first) {
    case '{': return JsonKind::object;
    case '[': return JsonKind::array;
    case '"': return JsonKind::string;
    case 't':
    case 'f': return JsonKind::boolean;
    case 'n': return JsonKind::null;
    default: return JsonKind::number;
  }
}

// Characters, not bytes, before `end`: continuation bytes are not counted.
std::size_t count_characters(std::string_view text, std::size_t end) {
  std::size_t count = 0;
  for (const char c : text.substr(0, end)) {
    count += (static_cast<unsigned char>(c) & 0xC0U) != 0x80U ? 1 : 0;
  }
  return count;
}

class Scanner {
 public:
  Scanner(std::string_view text, std::span<JsonField> fields) : text_(text), fields_(fields) {}

  // The root value, or the fault is set.
  std::optional<JsonValue> scan_document() {
    skip_space();
    const auto root = scan_root();
    if (!root) {
      return std::nullopt;
    }
    skip_space();
    if (at_ != text_.size()) {
      fail("Extra data", at_);
      return std::nullopt;
    }
    return root;
  }

  // One value at the position, whatever follows it.
  std::optional<JsonValue> scan_root() {
    const std::size_t begin = at_;
    while (true) {
      if (!begin_value()) {
        return std::nullopt;
      }
      if (has_opened_) {
        continue;
      }
      const Next next = after_value();
      if (next == Next::fault) {
        return std::nullopt;
      }
      if (next == Next::done) {
        return JsonValue{kind_of(text_[begin]), text_.substr(begin, at_ - begin)};
      }
    }
  }

  void skip_space() {
    while (at_ < text_.size() && is_space(text_[at_])) {
      ++at_;
    }
  }

  [[nodiscard]] const JsonFault& fault() const { return fault_; }
  [[nodiscard]] std::size_t position() const { return at_; }

 private:
  enum class Next { value, done, fault };

  bool fail(std::string_view message, std::size_t at) {
    fault_ = {JsonFault::Kind::syntax, message, at};
    return false;
  }

  [[nodiscard]] char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  // A scalar is taken whole; of an array or object only what stands before its first value.
  bool begin_value() {
    has_opened_ = false;
    switch (peek()) {
      case '{': return open(true);
      case '[': return open(false);
      case '"': return scan_string();
      case 't': return scan_word("true");
      case 'f': return scan_word("false");
      case 'n': return scan_word("null");
      default: return scan_number();
    }
  }

  bool open(bool is_object) {
    if (depth_ == kMaxJsonDepth) {
      fault_ = {JsonFault::Kind::too_deep, {}, at_};
      return false;
    }
    is_object_.set(depth_, is_object);
    ++depth_;
    ++at_;
    skip_space();
    if (peek() == (is_object ? '}' : ']')) {
      return close();
    }
    has_opened_ = true;
    return !is_object || scan_key();
  }

  bool close() {
    --depth_;
    ++at_;
    return true;
  }

  // What follows a whole value: another one, or the end of what is around it.
  Next after_value() {
    while (depth_ > 0) {
      const bool in_object = is_object_.test(depth_ - 1);
      if (depth_ == 1 && in_object && wanted_ != nullptr) {
        wanted_->value = JsonValue{kind_of(text_[member_begin_]),
                                   text_.substr(member_begin_, at_ - member_begin_)};
      }
      skip_space();
      if (peek() == ',') {
        ++at_;
        skip_space();
        return !in_object || scan_key() ? Next::value : Next::fault;
      }
      if (peek() != (in_object ? '}' : ']')) {
        fail("Expecting ',' delimiter", at_);
        return Next::fault;
      }
      close();
    }
    return Next::done;
  }

  bool scan_key() {
    if (peek() != '"') {
      return fail("Expecting property name enclosed in double quotes", at_);
    }
    const std::size_t begin = at_;
    if (!scan_string()) {
      return false;
    }
    if (depth_ == 1) {
      wanted_ = find_field(text_.substr(begin, at_ - begin));
    }
    skip_space();
    if (peek() != ':') {
      return fail("Expecting ':' delimiter", at_);
    }
    ++at_;
    skip_space();
    if (depth_ == 1) {
      member_begin_ = at_;
    }
    return true;
  }

  JsonField* find_field(std::string_view quoted) {
    std::string_view name = quoted.substr(1, quoted.size() - 2);
    std::optional<std::string> decoded;
    if (has_escape_) {
      decoded = decode_json_string({JsonKind::string, quoted});
      if (!decoded) {
        return nullptr;
      }
      name = *decoded;
    }
    for (JsonField& field : fields_) {
      if (field.name == name) {
        return &field;
      }
    }
    return nullptr;
  }

  bool scan_string() {
    const std::size_t begin = at_++;
    has_escape_ = false;
    while (skip_plain()) {
      const char c = text_[at_];
      if (c == '"') {
        ++at_;
        return true;
      }
      if (c != '\\') {
        return fail("Invalid control character at", at_);
      }
      has_escape_ = true;
      if (!scan_escape(begin)) {
        return false;
      }
    }
    return fail("Unterminated string starting at", begin);
  }

  // To the next quote, backslash or control character; false when there is none. Most of a text is
  // passed here, so the position is kept in a register.
  bool skip_plain() {
    std::size_t at = at_;
    const std::size_t end = text_.size();
    while (at < end) {
      const auto c = static_cast<unsigned char>(text_[at]);
      if (c < 0x20 || c == '"' || c == '\\') {
        break;
      }
      ++at;
    }
    at_ = at;
    return at < end;
  }

  bool scan_escape(std::size_t string_begin) {
    const std::size_t backslash = at_++;
    if (at_ == text_.size()) {
      return fail("Unterminated string starting at", string_begin);
    }
    const char escaped = text_[at_];
    if (escaped != 'u') {
      ++at_;
      return std::string_view{"\"\\/bfnrt"}.find(escaped) != std::string_view::npos ||
             fail("Invalid \\escape", backslash);
    }
    // Python wants at least one more character behind the four digits.
    const std::string_view digits = text_.substr(at_ + 1, 4);
    if (at_ + 5 >= text_.size() || !parse_hex4(digits)) {
      return fail("Invalid \\uXXXX escape", at_);
    }
    at_ += 5;
    return true;
  }

  bool scan_word(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) {
      return fail("Expecting value", at_);
    }
    at_ += word.size();
    return true;
  }

  bool scan_number() {
    const std::size_t begin = at_;
    std::size_t at = at_;
    const auto digit_at = [&](std::size_t where) {
      return where < text_.size() && is_digit(text_[where]);
    };
    if (at < text_.size() && text_[at] == '-') {
      ++at;
    }
    if (!digit_at(at)) {
      return fail("Expecting value", begin);
    }
    if (text_[at] == '0') {
      ++at;
    } else {
      while (digit_at(at)) {
        ++at;
      }
    }
    if (at < text_.size() && text_[at] == '.' && digit_at(at + 1)) {
      ++at;
      while (digit_at(at)) {
        ++at;
      }
    }
    at_ = skip_exponent(at);
    return true;
  }

  // Behind the exponent, if a whole one stands there.
  [[nodiscard]] std::size_t skip_exponent(std::size_t at) const {
    if (at >= text_.size() || (text_[at] != 'e' && text_[at] != 'E')) {
      return at;
    }
    std::size_t digits = at + 1;
    if (digits < text_.size() && (text_[digits] == '+' || text_[digits] == '-')) {
      ++digits;
    }
    if (digits >= text_.size() || !is_digit(text_[digits])) {
      return at;
    }
    while (digits < text_.size() && is_digit(text_[digits])) {
      ++digits;
    }
    return digits;
  }

  std::string_view text_;
  std::span<JsonField> fields_;
  std::size_t at_ = 0;
  std::size_t depth_ = 0;
  std::bitset<kMaxJsonDepth> is_object_;  // of the arrays and objects that are open
  bool has_opened_ = false;               // the last begin_value left one open
  bool has_escape_ = false;               // in the last string
  JsonField* wanted_ = nullptr;           // the member of the root that is being read
  std::size_t member_begin_ = 0;
  JsonFault fault_;
};

// Most texts are ASCII alone, which is UTF-8.
bool is_ascii(std::string_view text) {
  constexpr std::uint64_t kHighBits = 0x8080808080808080U;
  while (text.size() >= sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data(), sizeof(word));
    if ((word & kHighBits) != 0) {
      return false;
    }
    text.remove_prefix(sizeof(word));
  }
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// The value behind the separators at the front, taken off; empty at the end of what holds it.
std::optional<JsonValue> take_value(std::string_view& rest, std::string_view separators) {
  const auto start = rest.find_first_not_of(separators);
  if (start == std::string_view::npos || rest[start] == ']' || rest[start] == '}') {
    return std::nullopt;
  }
  rest.remove_prefix(start);
  Scanner scanner{rest, {}};
  const auto value = scanner.scan_root();
  rest.remove_prefix(scanner.position());
  return value;
}

}  // namespace

JsonScan scan_json(std::string_view text, std::span<JsonField> fields) {
  if (text.starts_with(kByteOrderMark)) {
    text.remove_prefix(kByteOrderMark.size());
  }
  if (!is_ascii(text) && !is_valid_utf8(text)) {
    return JsonFault{JsonFault::Kind::not_utf8, {}, 0};
  }
  Scanner scanner{text, fields};
  if (const auto root = scanner.scan_document()) {
    return *root;
  }
  JsonFault fault = scanner.fault();
  fault.offset = count_characters(text, fault.offset);
  return fault;
}

JsonElements::JsonElements(JsonValue array) : rest_(array.raw.substr(1)) {}

std::optional<JsonValue> JsonElements::next() {
  return take_value(rest_, " \t\r\n,");
}

JsonMembers::JsonMembers(JsonValue object) : rest_(object.raw.substr(1)) {}

std::optional<JsonMember> JsonMembers::next() {
  const auto name = take_value(rest_, " \t\r\n,");
  if (!name) {
    return std::nullopt;
  }
  const auto value = take_value(rest_, " \t\r\n:");
  return value ? std::optional{JsonMember{*name, *value}} : std::nullopt;
}

}  // namespace dispatcher
