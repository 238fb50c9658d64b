// Where a release by filter goes on: after which event, and at which it ends whatever came since.
// Both in one number, as the port has it.
#pragma once

#include <bit>
#include <cstdint>
#include <optional>

namespace dispatcher::sqlite {

struct ReleasePosition {
  std::int64_t after = 0;            // an event's number; 0: from the first one on
  std::optional<std::int64_t> last;  // empty: not known yet
};

// An event's number has 43 bits, as in a delivery's place. The other 20 hold the last one as a
// mantissa and an exponent, rounded up: by fewer than one in 16,384, so that a walk meets few
// events that came after it began, and ends. What was rounded once stays as it is.
inline constexpr int kSeqBits = 43;
inline constexpr int kMantissaBits = 15;

[[nodiscard]] constexpr std::int64_t pack(const ReleasePosition& position) {
  const auto last = static_cast<std::uint64_t>(position.last.value_or(0));
  const int excess = static_cast<int>(std::bit_width(last)) - kMantissaBits;
  int exponent = excess > 0 ? excess : 0;
  std::uint64_t mantissa = (last + (std::uint64_t{1} << exponent) - 1) >> exponent;
  if (std::bit_width(mantissa) > kMantissaBits) {
    mantissa >>= 1;
    ++exponent;
  }
  const std::uint64_t end = static_cast<std::uint64_t>(exponent) << kMantissaBits | mantissa;
  return static_cast<std::int64_t>(end << kSeqBits | static_cast<std::uint64_t>(position.after));
}

[[nodiscard]] constexpr ReleasePosition unpack(std::int64_t packed) {
  const auto bits = static_cast<std::uint64_t>(packed);
  const std::uint64_t end = bits >> kSeqBits;
  const std::uint64_t mantissa = end & ((std::uint64_t{1} << kMantissaBits) - 1);
  ReleasePosition position;
  position.after = static_cast<std::int64_t>(bits & ((std::uint64_t{1} << kSeqBits) - 1));
  position.last = static_cast<std::int64_t>(mantissa << (end >> kMantissaBits));
  return position;
}

static_assert(unpack(pack({5, 7})).after == 5 && unpack(pack({5, 7})).last == 7);
static_assert(unpack(pack({5, 32'767})).last == 32'767);
static_assert(unpack(pack({5, 1'000'001})).last == 1'000'032);
static_assert(unpack(pack({5, 1'000'032})).last == 1'000'032);
static_assert(unpack(pack({5, (1LL << 43) - 1})).after == 5);
static_assert(unpack(pack({5, (1LL << 43) - 1})).last == 1LL << 43);

}  // namespace dispatcher::sqlite
