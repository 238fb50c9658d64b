#include "model/latency.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace dispatcher {

// Below 16 each millisecond has its own; from there on the bits below the highest three that
// follow the leading one are dropped.
std::size_t LatencyHistogram::bucket_of(std::uint64_t ms) {
  if (ms < 16) {
    return static_cast<std::size_t>(ms);
  }
  const auto doubling = static_cast<std::size_t>(std::bit_width(ms)) - 5;  // 0 for 16..31
  const auto eighth = static_cast<std::size_t>(ms >> (doubling + 1)) & (kPerDoubling - 1);
  return std::min(16 + doubling * kPerDoubling + eighth, kBuckets - 1);
}

std::uint64_t LatencyHistogram::highest_in(std::size_t bucket) {
  if (bucket < 16) {
    return bucket;
  }
  const std::size_t doubling = (bucket - 16) / kPerDoubling;
  const std::uint64_t eighth = (bucket - 16) % kPerDoubling;
  return ((kPerDoubling + eighth + 1) << (doubling + 1)) - 1;
}

void LatencyHistogram::add(std::chrono::milliseconds duration) {
  const auto ms = static_cast<std::uint64_t>(std::max<std::int64_t>(0, duration.count()));
  ++counts_[bucket_of(ms)];
  if (++total_ <= kKept) {
    return;
  }
  total_ = 0;
  for (std::uint16_t& count : counts_) {
    count = static_cast<std::uint16_t>(count / 2);
    total_ += count;
  }
}

std::optional<std::chrono::milliseconds> LatencyHistogram::quantile(double share) const {
  if (total_ == 0) {
    return std::nullopt;
  }
  const auto rank = static_cast<std::uint32_t>(std::ceil(share * total_));
  std::uint32_t seen = 0;
  for (std::size_t bucket = 0; bucket < kBuckets; ++bucket) {
    seen += counts_[bucket];
    if (seen >= rank && seen > 0) {
      return std::chrono::milliseconds{highest_in(bucket)};
    }
  }
  return std::chrono::milliseconds{highest_in(kBuckets - 1)};
}

}  // namespace dispatcher
