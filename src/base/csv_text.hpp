// Writing CSV (RFC 4180).
#pragma once

#include <string>
#include <string_view>

namespace dispatcher {

// Appends a field as Python's csv module does by default: with quotes only where they are needed.
void append_csv_field(std::string& out, std::string_view text);

}  // namespace dispatcher
