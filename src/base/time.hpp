// Wall time and monotonic time as types that do not mix, and the formats in which wall time is
// written. Nothing here reads a clock: that is ports/clock.hpp.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace dispatcher {

// UTC, microseconds: what is stored and shown.
using WallTime = std::chrono::sys_time<std::chrono::microseconds>;

// For deadlines and durations; its epoch means nothing outside the process.
using MonoTime = std::chrono::time_point<std::chrono::steady_clock, std::chrono::nanoseconds>;

// `2024-01-01T00:00:00.000000Z`
[[nodiscard]] std::string format_timestamp(WallTime time);
// Appends the same 27 characters to `out`.
void append_timestamp(std::string& out, WallTime time);

// `20240101_000000`, for file names.
[[nodiscard]] std::string format_compact(WallTime time);

// ISO 8601 as clients write it: a date alone, or a date and time with `T` or a space, optional
// seconds and fraction, and `Z`, an offset or nothing (UTC). Empty when it is none of these.
[[nodiscard]] std::optional<WallTime> parse_timestamp(std::string_view text);

// The three forms of an HTTP date (RFC 9110, section 5.6.7).
[[nodiscard]] std::optional<WallTime> parse_http_date(std::string_view text);

// `250ms`, `30s`, `5m`, `2h`, `1d`; fractions are allowed. Empty for anything else.
[[nodiscard]] std::optional<std::chrono::microseconds> parse_duration(std::string_view text);

[[nodiscard]] constexpr std::int64_t micros_since_epoch(WallTime time) {
  return time.time_since_epoch().count();
}
[[nodiscard]] constexpr WallTime wall_from_micros(std::int64_t micros) {
  return WallTime{std::chrono::microseconds{micros}};
}

}  // namespace dispatcher
