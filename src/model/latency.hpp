// How long an endpoint's successful requests take of late, in little memory. Pure.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>

namespace dispatcher {

// Counts by duration: exact to the millisecond below 16 ms, to an eighth above; what took longer
// than the last bound counts as that. Past kKept samples all counts are halved, so that what is
// older weighs less and less.
class LatencyHistogram {
 public:
  static constexpr std::uint32_t kKept = 1024;

  void add(std::chrono::milliseconds duration);

  // The duration that this share of the requests did not exceed, in (0, 1]; empty without any.
  [[nodiscard]] std::optional<std::chrono::milliseconds> quantile(double share) const;

 private:
  // Eight for each doubling, up to 2^17 ms: more than two minutes.
  static constexpr std::size_t kPerDoubling = 8;
  static constexpr std::size_t kBuckets = 16 + 13 * kPerDoubling;

  [[nodiscard]] static std::size_t bucket_of(std::uint64_t ms);
  [[nodiscard]] static std::uint64_t highest_in(std::size_t bucket);

  std::array<std::uint16_t, kBuckets> counts_{};
  std::uint32_t total_ = 0;
};

}  // namespace dispatcher
