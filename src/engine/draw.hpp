// What is drawn at random: ids, keys, nonces. Guessed by nobody when the randomness is not.
#pragma once

#include "base/seal.hpp"
#include "ports/random.hpp"

#include <string>

namespace dispatcher {

// `ep_` and 16 hexadecimal digits.
[[nodiscard]] std::string draw_endpoint_id(Random& random);

// The raw bytes.
[[nodiscard]] std::string draw_signing_key(Random& random);

[[nodiscard]] SealNonce draw_nonce(Random& random);

}  // namespace dispatcher
