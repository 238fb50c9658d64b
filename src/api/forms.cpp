#include "api/forms.hpp"

#include <algorithm>

namespace dispatcher {
namespace {

using Fields = std::vector<FormField>;

std::optional<Fields> parse_urlencoded_form(std::string_view body) {
  if (static_cast<std::size_t>(std::count(body.begin(), body.end(), '&')) >= kMaxFormFields) {
    return std::nullopt;
  }
  Fields fields;
  for (auto& [name, value] : parse_urlencoded(body)) {
    fields.push_back({std::move(name), std::move(value), false});
  }
  return fields;
}

// The part's name, and whether it is a file, from its headers. Empty without a Content-Disposition
// that names it.
std::optional<FormField> parse_part_headers(std::string_view headers) {
  while (!headers.empty()) {
    const auto end = std::min(headers.find("\r\n"), headers.size());
    const std::string_view line = headers.substr(0, end);
    headers.remove_prefix(std::min(end + 2, headers.size()));
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) {
      return std::nullopt;
    }
    if (!equals_ignoring_case(trim_space(line.substr(0, colon)), "content-disposition")) {
      continue;
    }
    FormField field;
    bool is_named = false;
    for (const auto& [name, value] : parse_parameters(line.substr(colon + 1))) {
      is_named |= name == "name";
      field.name = name == "name" ? to_valid_utf8(value) : field.name;
      field.is_file |= name == "filename" || name == "filename*";
    }
    if (!is_named) {
      return std::nullopt;
    }
    return field;
  }
  return std::nullopt;
}

// Behind a delimiter: padding and a line's end for a further part, `--` at the end.
enum class After { part, end, malformed };

After take_delimiter_end(std::string_view& rest) {
  if (rest.starts_with("--")) {
    return After::end;
  }
  const auto text = rest.find_first_not_of(" \t");
  if (text == std::string_view::npos || rest.substr(text, 2) != "\r\n") {
    return After::malformed;
  }
  rest.remove_prefix(text + 2);
  return After::part;
}

std::optional<FormField> take_part(std::string_view& rest, std::string_view delimiter) {
  const auto headers_end = rest.find("\r\n\r\n");
  if (headers_end > kMaxPartHeaderBytes) {  // or there is none
    return std::nullopt;
  }
  auto field = parse_part_headers(rest.substr(0, headers_end));
  rest.remove_prefix(headers_end + 4);
  const auto end = rest.find(delimiter);
  if (!field || end == std::string_view::npos) {
    return std::nullopt;
  }
  field->value = to_valid_utf8(std::string{rest.substr(0, end)});
  rest.remove_prefix(end + delimiter.size());
  return field;
}

std::optional<Fields> parse_multipart(const MediaType& media, std::string_view body) {
  const std::string* boundary = media.parameter("boundary");
  if (boundary == nullptr || boundary->empty() || boundary->size() > kMaxBoundaryBytes) {
    return std::nullopt;
  }
  const std::string delimiter = "\r\n--" + *boundary;
  std::string_view rest = body;
  // The first delimiter may stand at the very beginning, without a line before it.
  const std::string_view opening = std::string_view{delimiter}.substr(2);
  const auto start = rest.starts_with(opening) ? 0 : rest.find(delimiter);
  if (start == std::string_view::npos) {
    return std::nullopt;
  }
  rest.remove_prefix(start +
                     (start == 0 && rest.starts_with(opening) ? opening.size() : delimiter.size()));
  Fields fields;
  while (fields.size() < kMaxFormFields) {
    const After after = take_delimiter_end(rest);
    if (after == After::end) {
      return fields;
    }
    auto field = after == After::part ? take_part(rest, delimiter) : std::nullopt;
    if (!field) {
      return std::nullopt;
    }
    fields.push_back(*std::move(field));
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::vector<FormField>> parse_form(std::string_view content_type,
                                                 std::string_view body) {
  const MediaType media = parse_media_type(content_type);
  if (media.is("application", "x-www-form-urlencoded")) {
    return parse_urlencoded_form(body);
  }
  if (media.is("multipart", "form-data")) {
    return parse_multipart(media, body);
  }
  return Fields{};
}

const FormField* find_field(const std::vector<FormField>& fields, std::string_view name) {
  const auto found = std::find_if(fields.rbegin(), fields.rend(),
                                  [&](const FormField& field) { return field.name == name; });
  return found == fields.rend() || (found->value.empty() && !found->is_file) ? nullptr : &*found;
}

}  // namespace dispatcher
