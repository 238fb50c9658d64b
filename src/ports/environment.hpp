// The process's environment, as a function: tests give one of their own.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace dispatcher {

// The value of a variable; empty when it is not set.
using Environment = std::function<std::optional<std::string>(std::string_view name)>;

}  // namespace dispatcher
