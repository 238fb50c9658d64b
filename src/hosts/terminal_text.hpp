// Text that others wrote, fit to be shown on a terminal. Pure.
#pragma once

#include <string>
#include <string_view>

namespace dispatcher {

// With `?` for each control character, one of C1 (U+0080 to U+009F) too: such a text could steer
// the terminal, or break the line that it stands in. `kept` are let through.
[[nodiscard]] std::string without_controls(std::string_view text, std::string_view kept = {});

}  // namespace dispatcher
