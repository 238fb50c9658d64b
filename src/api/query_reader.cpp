#include "api/query_reader.hpp"

#include "base/number_text.hpp"

#include <algorithm>
#include <array>

namespace dispatcher {

std::optional<std::int64_t> QueryReader::integer(std::string_view name) {
  const std::string* value = query_.find(name);
  if (value == nullptr) {
    return std::nullopt;
  }
  const ParsedInteger parsed = parse_integer(*value);
  if (!parsed.text_is_number) {
    faults_.not_integer(loc_of(name), quoted(*value));
    return std::nullopt;
  }
  return parsed.value;
}

std::optional<std::int64_t> QueryReader::integer(std::string_view name, std::int64_t minimum,
                                                 std::int64_t maximum) {
  const auto value = integer(name);
  if (value && *value < minimum) {
    faults_.too_small(loc_of(name), minimum, quoted(*query_.find(name)));
    return std::nullopt;
  }
  if (value && *value > maximum) {
    faults_.too_large(loc_of(name), maximum, quoted(*query_.find(name)));
    return std::nullopt;
  }
  return value;
}

std::optional<std::string> QueryReader::text(std::string_view name) {
  const std::string* value = query_.find(name);
  return value == nullptr ? std::nullopt : std::optional{*value};
}

std::optional<WallTime> QueryReader::timestamp(std::string_view name) {
  const std::string* value = query_.find(name);
  if (value == nullptr) {
    return std::nullopt;
  }
  const auto time = parse_timestamp(*value);
  if (!time) {
    faults_.not_timestamp(loc_of(name), quoted(*value));
  }
  return time;
}

std::optional<bool> QueryReader::boolean(std::string_view name) {
  const std::string* value = query_.find(name);
  if (value == nullptr) {
    return std::nullopt;
  }
  // As the original's validator reads them.
  constexpr std::array<std::string_view, 6> kTrue{"true", "1", "yes", "on", "t", "y"};
  constexpr std::array<std::string_view, 6> kFalse{"false", "0", "no", "off", "f", "n"};
  const std::string word = to_lower_ascii(*value);
  if (std::find(kTrue.begin(), kTrue.end(), word) != kTrue.end()) {
    return true;
  }
  if (std::find(kFalse.begin(), kFalse.end(), word) == kFalse.end()) {
    faults_.not_boolean_text(loc_of(name), quoted(*value));
    return std::nullopt;
  }
  return false;
}

std::optional<std::string> QueryReader::one_of(std::string_view name,
                                               std::initializer_list<std::string_view> expected) {
  const std::string* value = query_.find(name);
  if (value == nullptr) {
    return std::nullopt;
  }
  if (std::find(expected.begin(), expected.end(), *value) == expected.end()) {
    faults_.not_one_of(loc_of(name), expected, quoted(*value));
    return std::nullopt;
  }
  return *value;
}

}  // namespace dispatcher
