// Form bodies: `application/x-www-form-urlencoded` and `multipart/form-data` (RFC 7578). Pure.
#pragma once

#include "api/text.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dispatcher {

// Forms have a handful of fields; more are refused.
inline constexpr std::size_t kMaxFormFields = 1000;
inline constexpr std::size_t kMaxPartHeaderBytes = 4096;
inline constexpr std::size_t kMaxBoundaryBytes = 70;  // RFC 2046, section 5.1.1

struct FormField {
  std::string name;
  std::string value;
  bool is_file = false;  // a part with a file name
};

// The fields in order. Empty (no value) when a multipart body is malformed or past its limits;
// another content type has no fields.
[[nodiscard]] std::optional<std::vector<FormField>> parse_form(std::string_view content_type,
                                                               std::string_view body);

// The last field of that name; null when there is none, or when its value is empty.
[[nodiscard]] const FormField* find_field(const std::vector<FormField>& fields,
                                          std::string_view name);

}  // namespace dispatcher
