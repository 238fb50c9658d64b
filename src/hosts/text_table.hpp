// Rows in aligned columns, for people. Pure.
#pragma once

#include <string>
#include <vector>

namespace dispatcher {

// The first row is the heading. Columns are as wide as they must be, the last one is not padded.
// What does not print in one line (control characters) is shown as `?`; characters beyond ASCII
// count as one column each.
[[nodiscard]] std::string text_table(const std::vector<std::vector<std::string>>& rows);

}  // namespace dispatcher
