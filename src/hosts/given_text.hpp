// A value that may be too long for the command line, or a secret that others would see there.
#pragma once

#include "base/result.hpp"

#include <cstddef>
#include <istream>
#include <string>
#include <string_view>

namespace dispatcher {

// `given` itself; of `@FILE` what the file holds; of `-` what is left of `in`. `invalid`, naming
// `flag` and never the text: a file that cannot be read, a text longer than `max_bytes`.
[[nodiscard]] Result<std::string> read_given_text(std::string_view flag, const std::string& given,
                                                  std::istream& in, std::size_t max_bytes);

}  // namespace dispatcher
