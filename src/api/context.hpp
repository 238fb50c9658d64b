// What the handlers of the Triggers API work with.
#pragma once

#include "api/access.hpp"
#include "api/endpoint_body.hpp"
#include "api/login_limit.hpp"
#include "engine/intake.hpp"
#include "engine/registry.hpp"
#include "ports/clock.hpp"
#include "ports/http_service.hpp"
#include "ports/metrics.hpp"
#include "ports/random.hpp"
#include "ports/store.hpp"

#include <functional>
#include <string>

namespace dispatcher {

// Events in one batch, ids in one list, items on one page.
inline constexpr std::size_t kMaxItems = 1000;
inline constexpr std::size_t kDefaultItems = 100;
// About how many bytes of payloads a list has before it ends early.
inline constexpr std::size_t kMaxListBytes = 4 * 1024 * 1024;

struct ApiOptions {
  std::string environment = "local";  // as `GET /config` shows it
  std::string metrics_token;          // METRICS_TOKEN; empty for none
  // The program's own figures as Prometheus text, for `GET /metrics`; may be empty. Called on the
  // server's loops.
  std::function<std::string()> render_metrics;
  // Which URLs an endpoint may have; may be empty. Called on the server's loops.
  TargetRule target_rule;
};

// References to what outlives every request.
struct ApiContext {
  Store& store;
  EndpointRegistry& endpoints;
  const Clock& clock;
  Random& random;
  Metrics& metrics;
  Intake& intake;
  const Access& access;
  LoginLimit& login_limit;
  const ApiOptions& options;
};

struct ApiRequest {
  RequestHead head;
  std::string body;
  std::string id;  // of the path, decoded; empty when the route has none
};

}  // namespace dispatcher
