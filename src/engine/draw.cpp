#include "engine/draw.hpp"

#include "base/bytes.hpp"
#include "model/endpoint_limits.hpp"

#include <algorithm>

namespace dispatcher {
namespace {

constexpr std::size_t kIdBytes = 8;

std::string draw_bytes(Random& random, std::size_t count) {
  std::string bytes;
  while (bytes.size() < count) {
    const std::uint64_t word = random.next();
    for (unsigned shift = 0; shift < 64 && bytes.size() < count; shift += 8) {
      bytes.push_back(static_cast<char>(word >> shift & 0xFFU));
    }
  }
  return bytes;
}

}  // namespace

std::string draw_endpoint_id(Random& random) {
  const std::string bytes = draw_bytes(random, kIdBytes);
  return "ep_" + to_hex({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
}

std::string draw_signing_key(Random& random) {
  return draw_bytes(random, endpoint_limits::kNewSigningKeyBytes);
}

SealNonce draw_nonce(Random& random) {
  SealNonce nonce{};
  const std::string bytes = draw_bytes(random, nonce.size());
  std::copy(bytes.begin(), bytes.end(), nonce.begin());
  return nonce;
}

}  // namespace dispatcher
