// Text in URLs. Pure.
#pragma once

#include <string>
#include <string_view>

namespace dispatcher {

// Everything but the unreserved characters (RFC 3986, section 2.3) as %XX: fit for one segment of a
// path, one value of a query, and one of a form.
[[nodiscard]] std::string percent_encode(std::string_view text);

}  // namespace dispatcher
