// What a receiver is sent: the same bytes at every attempt of one event to one endpoint. Pure.
#pragma once

#include "model/endpoint.hpp"
#include "model/event.hpp"

#include <string>

namespace dispatcher {

[[nodiscard]] std::string webhook_body(const Event& event, BodyFormat format);

}  // namespace dispatcher
