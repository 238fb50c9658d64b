#include "api/cursor.hpp"

#include "base/bytes.hpp"

#include <charconv>

namespace dispatcher {

std::string encode_cursor(std::int64_t position, bool newest_first) {
  return to_base64url((newest_first ? "d" : "a") + std::to_string(position));
}

std::optional<std::int64_t> read_cursor(const Query& query, bool newest_first, Faults& faults) {
  const std::string* text = query.find_filled("cursor");
  if (text == nullptr) {
    return std::nullopt;
  }
  const auto position = decode_cursor(*text, newest_first);
  if (!position) {
    faults.add("cursor_invalid", {"query", "cursor"},
               "Input should be the next_cursor of an answer to the same query", quoted(*text));
  }
  return position;
}

std::optional<std::int64_t> decode_cursor(std::string_view text, bool newest_first) {
  constexpr std::size_t kMaxCursorBytes = 64;
  if (text.size() > kMaxCursorBytes) {
    return std::nullopt;
  }
  const auto decoded = from_base64url(text);
  if (!decoded || !decoded->starts_with(newest_first ? 'd' : 'a')) {
    return std::nullopt;
  }
  std::int64_t position = 0;
  const char* const end = decoded->data() + decoded->size();
  const auto [stop, error] = std::from_chars(decoded->data() + 1, end, position);
  // Another spelling of the number is none that we wrote.
  if (error != std::errc{} || stop != end || encode_cursor(position, newest_first) != text) {
    return std::nullopt;
  }
  return position;
}

}  // namespace dispatcher
