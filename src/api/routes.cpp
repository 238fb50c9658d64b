#include "api/routes.hpp"

#include "api/handlers.hpp"
#include "api/text.hpp"

#include <algorithm>
#include <array>

namespace dispatcher {
namespace {

// A path that is written out stands before one with `{id}` that it also matches.
constexpr std::array kRoutes{
    Route{"GET", "/", Auth::open, get_root, "What this service is"},
    Route{"GET", "/health", Auth::open, get_health, "Whether it is up"},
    Route{"GET", "/config", Auth::open, get_config, "Which parts are configured"},
    Route{"POST", "/token", Auth::open, post_token, "A token for the API key"},
    Route{"POST", "/events", Auth::token, post_event, "Ingest an event"},
    Route{"POST", "/events/batch", Auth::token, post_batch, "Ingest up to 1,000 events"},
    Route{"GET", "/events/export", Auth::token, export_events, "Download events as JSON or CSV"},
    Route{"GET", "/events", Auth::token, list_events, "List events"},
    Route{"GET", "/events/{id}", Auth::token, get_event, "One event and its deliveries"},
    Route{"GET", "/events/{id}/attempts", Auth::token, get_attempts, "The attempts of an event"},
    Route{"POST", "/events/{id}/replay", Auth::token, post_event_replay, "Deliver an event again"},
    Route{"POST", "/events/{id}/discard", Auth::token, post_event_discard, "Give an event up"},
    Route{"DELETE", "/events/{id}", Auth::token, delete_event, "Delete an event"},
    Route{"POST", "/replay", Auth::token, post_replay, "Deliver again what a filter matches"},
    Route{"POST", "/discard", Auth::token, post_discard, "Give up what a filter matches"},
    Route{"POST", "/endpoints", Auth::token, post_endpoint, "Make an endpoint"},
    Route{"GET", "/endpoints", Auth::token, list_endpoints, "List endpoints"},
    Route{"GET", "/endpoints/{id}", Auth::token, get_endpoint, "One endpoint"},
    Route{"PATCH", "/endpoints/{id}", Auth::token, patch_endpoint, "Change an endpoint"},
    Route{"DELETE", "/endpoints/{id}", Auth::token, delete_endpoint, "Delete an endpoint"},
    Route{"POST", "/endpoints/{id}/pause", Auth::token, pause_endpoint, "Hold its events back"},
    Route{"POST", "/endpoints/{id}/resume", Auth::token, resume_endpoint, "Deliver to it again"},
    Route{"POST", "/endpoints/{id}/test", Auth::token, test_endpoint, "Send it a test event"},
    Route{"POST", "/endpoints/{id}/rotate-secret", Auth::token, rotate_secret,
          "Give it a new signing secret"},
    Route{"GET", "/inbox", Auth::token, get_inbox, "Pending events; with a lease if asked for"},
    Route{"POST", "/inbox/renew", Auth::token, post_renew, "Hold leased events for longer"},
    Route{"POST", "/inbox/ack", Auth::token, post_ack_many, "Acknowledge up to 1,000 events"},
    Route{"POST", "/inbox/{id}/ack", Auth::token, post_ack, "Acknowledge an event"},
    Route{"POST", "/inbox/{id}/nack", Auth::token, post_nack, "Give a leased event back"},
    Route{"GET", "/metrics/summary", Auth::token, get_summary, "Events by state"},
    Route{"GET", "/metrics/latency", Auth::token, get_latency, "Time from ingest to delivery"},
    Route{"GET", "/metrics/throughput", Auth::token, get_throughput, "Events per minute and hour"},
    Route{"GET", "/metrics/errors", Auth::token, get_errors, "Failed events"},
    Route{"GET", "/metrics", Auth::metrics, get_prometheus, "Figures for Prometheus"},
    Route{"POST", "/webhook", Auth::open, post_webhook, "Receive a webhook and log it"},
    Route{"GET", "/webhooks/logs", Auth::token, get_webhook_logs, "The webhooks received"},
};

constexpr std::string_view kIdSegment = "{id}";

// Whether the decoded path fits the pattern; what stands for `{id}` goes to `id`.
bool fits(std::string_view pattern, std::string_view path, std::string_view& id) {
  const auto hole = pattern.find(kIdSegment);
  if (hole == std::string_view::npos) {
    return path == pattern;
  }
  const std::string_view before = pattern.substr(0, hole);
  const std::string_view after = pattern.substr(hole + kIdSegment.size());
  if (path.size() <= before.size() + after.size() || !path.starts_with(before) ||
      !path.ends_with(after)) {
    return false;
  }
  id = path.substr(before.size(), path.size() - before.size() - after.size());
  return id.find('/') == std::string_view::npos;
}

std::vector<std::string_view> methods_of_decoded(std::string_view path) {
  std::vector<std::string_view> methods;
  for (const Route& route : kRoutes) {
    std::string_view id;
    if (fits(route.path, path, id)) {
      methods.push_back(route.method);
    }
  }
  std::sort(methods.begin(), methods.end());
  methods.erase(std::unique(methods.begin(), methods.end()), methods.end());
  return methods;
}

}  // namespace

std::span<const Route> route_table() {
  return kRoutes;
}

RouteMatch match_route(std::string_view method, std::string_view path) {
  std::string decoded;
  if (path.find('%') != std::string_view::npos) {
    decoded = percent_decode(path);
    path = decoded;
  }
  RouteMatch match;
  for (const Route& route : kRoutes) {
    std::string_view id;
    if (route.method == method && fits(route.path, path, id)) {
      match.route = &route;
      match.id = id;
      return match;
    }
  }
  match.methods = methods_of_decoded(path);
  return match;
}

std::vector<std::string_view> methods_of(std::string_view path) {
  return methods_of_decoded(percent_decode(path));
}

std::optional<std::string> without_trailing_slash(std::string_view path) {
  if (path.size() < 2 || !path.ends_with('/')) {
    return std::nullopt;
  }
  const auto last = path.find_last_not_of('/');
  if (last == std::string_view::npos) {
    return std::nullopt;
  }
  path = path.substr(0, last + 1);
  return methods_of(path).empty() ? std::nullopt : std::optional{std::string{path}};
}

std::string join_methods(std::span<const std::string_view> methods) {
  std::string out;
  for (const std::string_view method : methods) {
    out += out.empty() ? "" : ", ";
    out += method;
  }
  return out;
}

}  // namespace dispatcher
