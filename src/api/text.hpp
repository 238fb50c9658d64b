// Text as it comes in URLs, forms and headers. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dispatcher {

// `%41` becomes `A`; a `%` without two digits stays. What is then not UTF-8 is replaced by U+FFFD.
[[nodiscard]] std::string percent_decode(std::string_view text);

// The same, with `+` for a space.
[[nodiscard]] std::string decode_form_text(std::string_view text);

// The text with every byte that is not UTF-8 replaced by U+FFFD.
[[nodiscard]] std::string to_valid_utf8(std::string text);

// Header bytes as the original API shows them: Latin-1.
[[nodiscard]] std::string latin1_to_utf8(std::string_view bytes);

[[nodiscard]] std::string to_lower_ascii(std::string_view text);
[[nodiscard]] bool equals_ignoring_case(std::string_view left, std::string_view right);
[[nodiscard]] std::string_view trim_space(std::string_view text);

// Code points of a text that is UTF-8.
[[nodiscard]] std::size_t count_characters(std::string_view text);

// At most `max_bytes` of the text, cut between characters.
[[nodiscard]] std::string_view cut_text(std::string_view text, std::size_t max_bytes);

// Names and values of `a=1&b=2`, decoded, in order; a name without `=` has an empty value.
using NamedValues = std::vector<std::pair<std::string, std::string>>;
[[nodiscard]] NamedValues parse_urlencoded(std::string_view text);

// A request's query. Of several values of one name the last counts.
class Query {
 public:
  explicit Query(std::string_view text) : values_(parse_urlencoded(text)) {}
  explicit Query(NamedValues values) : values_(std::move(values)) {}

  [[nodiscard]] const std::string* find(std::string_view name) const;
  // The same, but an empty value counts as absent.
  [[nodiscard]] const std::string* find_filled(std::string_view name) const;

 private:
  NamedValues values_;
};

// A Content-Type header's value, taken apart.
struct MediaType {
  std::string type;  // `application`
  std::string subtype;
  std::vector<std::pair<std::string, std::string>> parameters;  // names in lower case

  [[nodiscard]] bool is(std::string_view wanted_type, std::string_view wanted_subtype) const;
  // application/json and application/*+json
  [[nodiscard]] bool is_json() const;
  [[nodiscard]] const std::string* parameter(std::string_view name) const;
};
[[nodiscard]] MediaType parse_media_type(std::string_view text);

// `name="value"; other=value`, as in Content-Type and Content-Disposition.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> parse_parameters(
    std::string_view text);

}  // namespace dispatcher
