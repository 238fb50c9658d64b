#include "api/query_reader.hpp"

#include "base/number_text.hpp"

#include <algorithm>

namespace dispatcher {
namespace {

Loc loc_of(std::string_view name) {
  return {"query", std::string{name}};
}

}  // namespace

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
