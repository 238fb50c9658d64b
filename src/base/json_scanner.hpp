// Checks a JSON text (RFC 8259) in one pass and gives back spans of it, never values: what is
// stored and shown is the sender's own spelling. Faults are named as Python's json module names
// them, because that is what clients of the Triggers API have always been told. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace dispatcher {

// How deep arrays and objects may nest.
inline constexpr std::size_t kMaxJsonDepth = 900;

enum class JsonKind : std::uint8_t { null, boolean, number, string, array, object };

// A value inside a text that outlives it.
struct JsonValue {
  JsonKind kind = JsonKind::null;
  std::string_view raw;  // without the white space around it
};

struct JsonFault {
  enum class Kind : std::uint8_t { syntax, too_deep, not_utf8 };
  Kind kind = Kind::syntax;
  std::string_view message;  // of a syntax fault: `Expecting value`
  std::size_t offset =
      0;  // of a syntax fault, in characters (code points), after a byte order mark
};

using JsonScan = std::variant<JsonValue, JsonFault>;

// A member of the outermost object that the caller wants. The last of several with the same name
// counts, as in Python.
struct JsonField {
  std::string_view name;
  std::optional<JsonValue> value{};
};

// The whole text is one value, with white space around it and at most one byte order mark before
// it. The fields wanted are filled when it is an object.
[[nodiscard]] JsonScan scan_json(std::string_view text, std::span<JsonField> fields = {});

// The elements, in order, of an array that scan_json has accepted.
class JsonElements {
 public:
  explicit JsonElements(JsonValue array);
  [[nodiscard]] std::optional<JsonValue> next();

 private:
  std::string_view rest_;
};

struct JsonMember {
  JsonValue name;  // a string
  JsonValue value;
};

// The members, in order and with those of the same name, of an object that scan_json has accepted.
class JsonMembers {
 public:
  explicit JsonMembers(JsonValue object);
  [[nodiscard]] std::optional<JsonMember> next();

 private:
  std::string_view rest_;
};

// The text of a string that scan_json has accepted. Empty when an escape stands for half of a
// surrogate pair: such a text is not Unicode.
[[nodiscard]] std::optional<std::string> decode_json_string(JsonValue string);

}  // namespace dispatcher
