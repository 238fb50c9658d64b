#include "model/endpoint.hpp"

#include "base/bytes.hpp"
#include "model/parse_enum.hpp"

#include <algorithm>
#include <array>
#include <span>

namespace dispatcher {
namespace {

bool matches_one(const std::vector<std::string>& patterns, std::string_view value) {
  return std::any_of(patterns.begin(), patterns.end(), [value](std::string_view pattern) {
    if (pattern.ends_with('*')) {
      pattern.remove_suffix(1);
      return value.starts_with(pattern);
    }
    return value == pattern;
  });
}

}  // namespace

std::string_view to_string(EndpointState state) {
  switch (state) {
    case EndpointState::active: return "active";
    case EndpointState::paused: return "paused";
    case EndpointState::disabled: return "disabled";
  }
  return "unknown";
}

std::optional<EndpointState> parse_endpoint_state(std::string_view text) {
  using enum EndpointState;
  return parse_one_of(std::array{active, paused, disabled}, text);
}

std::string_view to_string(BodyFormat format) {
  switch (format) {
    case BodyFormat::event: return "event";
    case BodyFormat::payload: return "payload";
    case BodyFormat::standard: return "standard";
  }
  return "unknown";
}

std::optional<BodyFormat> parse_body_format(std::string_view text) {
  using enum BodyFormat;
  return parse_one_of(std::array{event, payload, standard}, text);
}

bool EventFilter::matches(std::string_view type, std::string_view source) const {
  return matches_one(types, type) && matches_one(sources, source);
}

std::string secret_endpoint_id(std::string_view url) {
  const auto digest = sha256(url);
  return "secret-" + to_hex(std::span{digest}.first<4>());
}

}  // namespace dispatcher
