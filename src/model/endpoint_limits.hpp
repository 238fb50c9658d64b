// What an endpoint of the API may have at most. docs/endpoints.md lists them.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace dispatcher::endpoint_limits {

inline constexpr std::size_t kMaxDescriptionCharacters = 1'000;

inline constexpr std::size_t kMaxPatterns = 100;           // of types, and of sources
inline constexpr std::size_t kMaxPatternCharacters = 255;  // of one

inline constexpr std::size_t kMaxHeaders = 50;
inline constexpr std::size_t kMaxHeaderNameBytes = 128;
inline constexpr std::size_t kMaxHeaderValueBytes = 4'096;
// Receivers commonly refuse more than 8 KiB of headers; ours are a part of them.
inline constexpr std::size_t kMaxHeaderBytes = 6'144;

// The bounds of ENDPOINT_CONCURRENCY, REQUEST_TIMEOUT_SECONDS, MAX_RETRIES and RETRY_SCHEDULE.
inline constexpr std::int64_t kMaxConcurrency = 65'536;
inline constexpr double kMinTimeoutSeconds = 0.01;
inline constexpr double kMaxTimeoutSeconds = 3'540;
inline constexpr std::int64_t kMaxRetries = 100;
inline constexpr std::size_t kMaxScheduleSteps = 100;
inline constexpr std::int64_t kMinScheduleSeconds = 1;
inline constexpr std::int64_t kMaxScheduleSeconds = 30LL * 24 * 3'600;

inline constexpr double kMinRatePerSecond = 0.001;
inline constexpr double kMaxRatePerSecond = 100'000;

// Standard Webhooks 1.0: 24 to 64 bytes.
inline constexpr std::size_t kMinSigningKeyBytes = 24;
inline constexpr std::size_t kMaxSigningKeyBytes = 64;
inline constexpr std::size_t kNewSigningKeyBytes = 32;

// The newest and those that were rotated out of late: each is a signature in every request, and
// receivers look at a limited number (kMaxSignatures).
inline constexpr std::size_t kMaxSigningKeys = 8;
inline constexpr std::chrono::seconds kDefaultOverlap = std::chrono::hours{24};
inline constexpr std::chrono::seconds kMaxOverlap = std::chrono::days{30};

// Of what a person says of a replay or a discard.
inline constexpr std::size_t kMaxNoteCharacters = 1'000;

}  // namespace dispatcher::endpoint_limits
