// A JSON value written again as clients are used to see it echoed. Pure.
#pragma once

#include <string>
#include <string_view>

namespace dispatcher {

// Appends a value that scan_json has accepted, as Python would print it again: without white space
// between tokens, strings with no more escapes than needed, floats in their shortest form.
void append_compact_json(std::string& out, std::string_view raw);

}  // namespace dispatcher
