// The objects of a service's answers as tables for people. Pure. What cannot be read is shown as
// absent: `-`.
#pragma once

#include "base/json_scanner.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace dispatcher {

struct Column {
  std::string_view title;
  std::string_view field;  // `stats.waiting`: a member of a member
  bool is_whole = false;   // never cut: what was cut would be of no use
};

using TableRow = std::vector<std::string>;

// The results point into `object`.
[[nodiscard]] std::optional<JsonValue> member(std::string_view object, std::string_view name);
[[nodiscard]] std::vector<std::string_view> elements_of(const std::optional<JsonValue>& array);

// Of a string; empty for anything else.
[[nodiscard]] std::string text_member(std::string_view object, std::string_view name);

[[nodiscard]] TableRow heading(std::span<const Column> columns);
// Long texts are cut, where their column lets them.
[[nodiscard]] TableRow row_of_object(std::string_view object, std::span<const Column> columns);

// A line for each column, with its title before it; nothing is cut.
[[nodiscard]] std::string fields_text(std::string_view object, std::span<const Column> columns);

// A heading and a row for each object; empty when there is none.
[[nodiscard]] std::string objects_text(const std::optional<JsonValue>& array,
                                       std::span<const Column> columns);

}  // namespace dispatcher
