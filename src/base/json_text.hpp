// Writing JSON as compact text. Reading it is base/json_scanner and boost::json.
#pragma once

#include <string>
#include <string_view>

namespace dispatcher {

// Appends `text` as a JSON string with its quotes. Control characters, the quote and the backslash
// are escaped; everything else, UTF-8 included, is written as it is.
void append_json_string(std::string& out, std::string_view text);

// The same, or `null` for an absent value.
template <class Optional>
void append_json_string_or_null(std::string& out, const Optional& text) {
  if (text) {
    append_json_string(out, *text);
  } else {
    out += "null";
  }
}

}  // namespace dispatcher
