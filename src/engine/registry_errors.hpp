// What the registry says when it cannot do what it was asked. Pure.
#pragma once

#include "base/result.hpp"
#include "engine/endpoint_view.hpp"

#include <string>
#include <string_view>

namespace dispatcher {

// `not_found`, for whoever asked.
[[nodiscard]] Error endpoint_not_found(const std::string& id);

// `refused`: it cannot be `what` (`paused`, `changed`), for the reason that it shows.
[[nodiscard]] Error endpoint_unusable(const EndpointView& view, std::string_view what);

// `refused`: a pause would end that it is disabled, which is for a person to say.
[[nodiscard]] Error endpoint_disabled(const EndpointView& view);

// `refused`: the secret gives it.
[[nodiscard]] Error endpoint_of_the_secret(const std::string& id);

// A call of the store failed that says nothing of an endpoint: its kinds that do are `retry_later`.
[[nodiscard]] Error store_cannot(const Error& error);

}  // namespace dispatcher
