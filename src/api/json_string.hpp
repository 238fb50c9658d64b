// For callers that still look here.
#pragma once

#include "base/json_string.hpp"  // IWYU pragma: export
