// For callers that still look here.
#pragma once

#include "base/json_scanner.hpp"  // IWYU pragma: export
