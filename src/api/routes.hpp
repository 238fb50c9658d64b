// The routes of the Triggers API, in one table: 404, 405 with its `allow`, redirects, preflights
// and the reference in the docs are all taken from it.
#pragma once

#include "api/access.hpp"
#include "api/context.hpp"
#include "ports/http_service.hpp"

#include <boost/asio/awaitable.hpp>

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace dispatcher {

using Handler = boost::asio::awaitable<ServerAnswer> (*)(const ApiContext& context,
                                                         ApiRequest request);

struct Route {
  std::string_view method;
  std::string_view path;  // `{id}` stands for one segment, which is not empty
  Auth auth = Auth::token;
  Handler handler = nullptr;
  std::string_view doc;  // what it does, in one line
};

[[nodiscard]] std::span<const Route> route_table();

struct RouteMatch {
  const Route* route = nullptr;  // null when no route has this path and method
  std::string id;                // what stands for `{id}`, decoded
  // The methods of every route with this path, sorted; empty when the path is unknown. Filled when
  // there is no route.
  std::vector<std::string_view> methods;
};

// `path` is not decoded. Like the original, a path is matched after decoding: an encoded slash
// separates segments.
[[nodiscard]] RouteMatch match_route(std::string_view method, std::string_view path);

// The methods of a path, sorted; empty when it is unknown.
[[nodiscard]] std::vector<std::string_view> methods_of(std::string_view path);

// Where a path with slashes at its end leads; empty when it is no such path, or leads nowhere.
[[nodiscard]] std::optional<std::string> without_trailing_slash(std::string_view path);

// `GET, POST`
[[nodiscard]] std::string join_methods(std::span<const std::string_view> methods);

}  // namespace dispatcher
