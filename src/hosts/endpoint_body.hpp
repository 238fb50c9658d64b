// The body of `POST /endpoints` and `PATCH /endpoints/{id}`.
#pragma once

#include "base/result.hpp"
#include "hosts/client_answers.hpp"
#include "hosts/config.hpp"

#include <istream>
#include <span>
#include <string>

namespace dispatcher {

// With the texts that `@FILE` and `-` stand for. `invalid`, naming the flag and never a secret: a
// file that cannot be read, a header that is none.
[[nodiscard]] Result<std::string> endpoint_body(const EndpointChanges& changes, std::istream& in);

// How its fields are given on the command line.
[[nodiscard]] std::span<const FlagName> endpoint_flags();

}  // namespace dispatcher
