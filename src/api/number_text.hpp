// For callers that still look here.
#pragma once

#include "base/number_text.hpp"  // IWYU pragma: export
