// Which headers an endpoint may have of its own. Pure.
#pragma once

#include <optional>
#include <string_view>

namespace dispatcher {

// Why a header of this name may not be sent, as the end of a sentence; empty when it may. It must
// be a token (RFC 9110, section 5.6.2), and neither frame the message nor sign it: those are ours.
[[nodiscard]] std::optional<std::string_view> fault_of_header_name(std::string_view name);

// The same of a value (RFC 9110, section 5.5): without line ends and other control characters.
[[nodiscard]] std::optional<std::string_view> fault_of_header_value(std::string_view value);

}  // namespace dispatcher
