// Promise: a form is read or refused, its texts are UTF-8, its fields within their number; and a
// form written from what was read is read as the same. The first line is the content type.
#include "api/forms.hpp"

#include "base/bytes.hpp"
#include "base/url_text.hpp"
#include "fuzz/fuzz_target.hpp"

#include <algorithm>
#include <string>

namespace dispatcher::fuzz {
namespace {

using Fields = std::vector<FormField>;

bool is_same(const Fields& left, const Fields& right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](const FormField& a, const FormField& b) {
                      return a.name == b.name && a.value == b.value && a.is_file == b.is_file;
                    });
}

// Files have no place in it.
void check_urlencoded(const Fields& fields) {
  std::string body;
  for (const FormField& field : fields) {
    body += body.empty() ? "" : "&";
    body += percent_encode(field.name) + "=" + percent_encode(field.value);
  }
  const auto again = parse_form("application/x-www-form-urlencoded", body);
  promise(again && is_same(*again, fields), "a form written again is the same form");
}

// Names that need quoting rules of their own are left out.
void check_multipart(const Fields& fields) {
  constexpr std::string_view kBoundary = "a-boundary-that-nobody-guesses-8d1f";
  std::string body;
  Fields written;
  for (const FormField& field : fields) {
    const bool is_plain = std::all_of(field.name.begin(), field.name.end(), [](char c) {
      return c >= ' ' && c < 0x7F && c != '"' && c != '\\';
    });
    if (!is_plain || field.value.find(kBoundary) != std::string::npos) {
      continue;
    }
    body += "--" + std::string{kBoundary} + "\r\nContent-Disposition: form-data; name=\"" +
            field.name + "\"" + (field.is_file ? "; filename=\"f\"" : "") + "\r\n\r\n" +
            field.value + "\r\n";
    written.push_back(field);
  }
  body += "--" + std::string{kBoundary} + "--\r\n";
  const auto again =
      parse_form("multipart/form-data; boundary=\"" + std::string{kBoundary} + "\"", body);
  promise(again.has_value() == (written.size() < kMaxFormFields),
          "a multipart form written again is read");
  promise(!again || is_same(*again, written), "a multipart form written again is the same form");
}

void check(std::string_view input) {
  const std::string_view content_type = take_line(input);
  const auto fields = parse_form(content_type, input);
  if (!fields) {
    return;
  }
  promise(fields->size() <= kMaxFormFields, "fields are limited");
  for (const FormField& field : *fields) {
    promise(is_valid_utf8(field.value), "a value is UTF-8");
    promise(is_valid_utf8(field.name), "a name is UTF-8");
    const FormField* found = find_field(*fields, field.name);
    promise(found == nullptr || found->name == field.name, "a field is found by its name");
  }
  if (std::none_of(fields->begin(), fields->end(),
                   [](const FormField& field) { return field.is_file; })) {
    check_urlencoded(*fields);
  }
  check_multipart(*fields);
}

const Registration kTarget{"forms", check};

}  // namespace
}  // namespace dispatcher::fuzz
