// Several URLs in one text, as `zapier_webhook_url` and ENDPOINTS have them. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace dispatcher {

// Split at commas, but only where another `http://` or `https://` follows: a URL may have commas of
// its own. White space around a URL is taken off, empty entries are left out.
[[nodiscard]] std::vector<std::string> split_url_list(std::string_view text);

}  // namespace dispatcher
