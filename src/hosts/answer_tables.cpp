#include "hosts/answer_tables.hpp"

#include "hosts/text_table.hpp"

#include <array>
#include <utility>

namespace dispatcher {
namespace {

// Of one text, in a table.
constexpr std::size_t kMaxCellBytes = 60;

std::optional<JsonValue> find(std::string_view object, std::string_view path) {
  const auto dot = path.find('.');
  const auto value = member(object, path.substr(0, dot));
  return dot == std::string_view::npos || !value ? value : find(value->raw, path.substr(dot + 1));
}

// A text without its quotes, those of an array with commas between, nothing for null.
std::string words_of(const std::optional<JsonValue>& value) {
  if (!value || value->kind == JsonKind::null) {
    return "-";
  }
  if (value->kind == JsonKind::string) {
    return decode_json_string(*value).value_or("?");
  }
  if (value->kind != JsonKind::array) {
    return std::string{value->raw};
  }
  std::string words;
  JsonElements elements{*value};
  while (const auto element = elements.next()) {
    words += words.empty() ? "" : ", ";
    words += words_of(element);
  }
  return words.empty() ? "-" : words;
}

std::string cut(std::string text) {
  if (text.size() <= kMaxCellBytes) {
    return text;
  }
  std::size_t end = kMaxCellBytes;
  while ((static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) {
    --end;  // never through the middle of a character
  }
  return text.substr(0, end) + "…";
}

}  // namespace

std::optional<JsonValue> member(std::string_view object, std::string_view name) {
  std::array fields{JsonField{name}};
  (void)scan_json(object, fields);  // what cannot be read has no members
  return fields[0].value;
}

std::vector<std::string_view> elements_of(const std::optional<JsonValue>& array) {
  std::vector<std::string_view> elements;
  if (array && array->kind == JsonKind::array) {
    JsonElements rest{*array};
    while (const auto element = rest.next()) {
      elements.push_back(element->raw);
    }
  }
  return elements;
}

std::string text_member(std::string_view object, std::string_view name) {
  const auto value = member(object, name);
  return value && value->kind == JsonKind::string
             ? decode_json_string(*value).value_or(std::string{})
             : std::string{};
}

TableRow heading(std::span<const Column> columns) {
  TableRow row;
  for (const Column& column : columns) {
    row.emplace_back(column.title);
  }
  return row;
}

TableRow row_of_object(std::string_view object, std::span<const Column> columns) {
  TableRow row;
  for (const Column& column : columns) {
    std::string words = words_of(find(object, column.field));
    if (!column.is_whole) {
      words = cut(std::move(words));
    }
    row.push_back(std::move(words));
  }
  return row;
}

std::string fields_text(std::string_view object, std::span<const Column> columns) {
  std::vector<TableRow> rows;
  for (const Column& column : columns) {
    rows.push_back({std::string{column.title}, words_of(find(object, column.field))});
  }
  return text_table(rows);
}

std::string objects_text(const std::optional<JsonValue>& array, std::span<const Column> columns) {
  std::vector<TableRow> rows{heading(columns)};
  for (const auto& object : elements_of(array)) {
    rows.push_back(row_of_object(object, columns));
  }
  return rows.size() > 1 ? text_table(rows) : std::string{};
}

}  // namespace dispatcher
