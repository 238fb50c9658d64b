#include "api/triggers_service.hpp"

#include "api/answers.hpp"
#include "api/routes.hpp"

namespace dispatcher {
namespace {

// What a page of another origin may read of an answer, besides the few that it always may.
constexpr std::string_view kExposedHeaders =
    "content-disposition, retry-after, x-lease-token, x-process-time, x-total-events";

// What a preflight allows that asks for no header by name.
constexpr std::string_view kUsualHeaders =
    "authorization, content-type, idempotency-key, x-lease-token";

// How long a browser may remember a preflight.
constexpr std::string_view kPreflightMaxAge = "600";

bool is_preflight(const RequestHead& head) {
  return head.method == "OPTIONS" && head.header("origin") != nullptr &&
         head.header("access-control-request-method") != nullptr;
}

ServerAnswer preflight_answer(const RequestHead& head) {
  const auto methods = methods_of(head.path);
  if (methods.empty()) {
    return error_answer(404, "Not Found");
  }
  ServerAnswer answer;
  answer.content_type = "text/plain; charset=utf-8";
  answer.body = "OK";
  answer.headers.push_back({"access-control-allow-methods", join_methods(methods)});
  answer.headers.push_back({"access-control-max-age", std::string{kPreflightMaxAge}});
  // The headers asked for by name: a `*` does not cover Authorization.
  const std::string* asked = head.header("access-control-request-headers");
  answer.headers.push_back(
      {"access-control-allow-headers", asked != nullptr ? *asked : std::string{kUsualHeaders}});
  answer.headers.push_back({"vary", "Access-Control-Request-Headers"});
  return answer;
}

ServerAnswer redirect_answer(std::string path, const std::string& query) {
  ServerAnswer answer;
  answer.status = 307;
  answer.content_type.clear();
  path += query.empty() ? "" : "?" + query;
  answer.headers.push_back({"location", std::move(path)});
  return answer;
}

ServerAnswer unmatched_answer(const RequestHead& head, const RouteMatch& match) {
  if (!match.methods.empty()) {
    ServerAnswer answer = error_answer(405, "Method Not Allowed");
    answer.headers.push_back({"allow", join_methods(match.methods)});
    return answer;
  }
  if (auto path = without_trailing_slash(head.path)) {
    return redirect_answer(*std::move(path), head.query);
  }
  return error_answer(404, "Not Found");
}

}  // namespace

TriggersService::TriggersService(Store& store, EndpointRegistry& endpoints, const Clock& clock,
                                 Random& random, Metrics& metrics, SecretBundle secrets,
                                 ApiOptions options)
    : metrics_(metrics),
      clock_(clock),
      options_(std::move(options)),
      access_(std::move(secrets), options_.metrics_token),
      intake_(store, clock, random, metrics),
      context_{store, endpoints, clock, random, metrics, intake_, access_, login_limit_, options_} {
}

std::variant<TriggersService::Admitted, ServerAnswer> TriggersService::admit(
    const RequestHead& head) const {
  if (is_preflight(head)) {
    return preflight_answer(head);
  }
  RouteMatch match = match_route(head.method, head.path);
  if (match.route == nullptr) {
    return unmatched_answer(head, match);
  }
  if (auto refusal = access_.refuse(match.route->auth, head, clock_.wall())) {
    return *std::move(refusal);
  }
  return Admitted{match.route, std::move(match.id)};
}

std::optional<ServerAnswer> TriggersService::refuse_early(const RequestHead& head) {
  auto admission = admit(head);
  if (auto* refusal = std::get_if<ServerAnswer>(&admission)) {
    return finish(std::move(*refusal), head.header("origin") != nullptr);
  }
  return std::nullopt;
}

boost::asio::awaitable<ServerAnswer> TriggersService::serve(RequestHead head, std::string body) {
  const bool is_cross_origin = head.header("origin") != nullptr;
  auto admission = admit(head);
  if (auto* refusal = std::get_if<ServerAnswer>(&admission)) {
    co_return finish(std::move(*refusal), is_cross_origin);
  }
  auto& admitted = std::get<Admitted>(admission);
  const Handler handler = admitted.route->handler;
  ApiRequest request{std::move(head), std::move(body), std::move(admitted.id)};
  ServerAnswer answer = co_await handler(context_, std::move(request));
  co_return finish(std::move(answer), is_cross_origin);
}

ServerAnswer TriggersService::error(int status, std::string_view detail) {
  return finish(error_answer(status, detail), false);
}

ServerAnswer TriggersService::finish(ServerAnswer answer, bool is_cross_origin) const {
  answer.headers.push_back({"access-control-allow-origin", "*"});
  if (is_cross_origin) {
    answer.headers.push_back({"access-control-expose-headers", std::string{kExposedHeaders}});
  }
  metrics_.add(Metric::http_requests);
  if (answer.status == 503) {
    metrics_.add(Metric::http_requests_shed);
  }
  return answer;
}

}  // namespace dispatcher
