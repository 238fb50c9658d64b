// How endpoints are shown: their secrets masked, unless they are to be revealed. Pure.
#pragma once

#include "engine/registry.hpp"

#include <string>
#include <string_view>

namespace dispatcher {

// What stands for a secret: for a header's value, and for the path and query of a URL.
inline constexpr std::string_view kMask = "***";

// `https://host:8443/***`; the path of a webhook's URL is its credential, and so is a password.
[[nodiscard]] std::string masked_url(std::string_view target);

// What is known of an endpoint besides its settings.
struct EndpointFigures {
  EndpointCounts counts;
  EndpointHealth health;
};

// The object of the contract. With a `secret` it has that too, at its end.
void append_endpoint_json(std::string& out, const EndpointView& view,
                          const EndpointFigures& figures, bool reveals,
                          std::string_view secret = {});

// The attempt's fields, `request` and `response_headers`.
[[nodiscard]] std::string test_json(const TestedEndpoint& tested, bool reveals);

}  // namespace dispatcher
