// What connections and TLS sessions are kept by: requests of the same pool to the same place may
// share them.
#pragma once

#include "ports/http_client.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace dispatcher {

struct OriginView {
  std::string_view pool;
  std::string_view host;
  std::uint16_t port = 0;
  bool is_https = true;
  // The address rules hold for webhooks alone: one never gets a connection made for something else.
  bool is_webhook = true;

  friend bool operator==(const OriginView&, const OriginView&) = default;
};

[[nodiscard]] inline OriginView origin_of(const HttpRequest& request) {
  return {request.pool, request.url.host, request.url.port, request.url.is_https,
          request.is_webhook};
}

struct Origin {
  std::string pool;
  std::string host;
  std::uint16_t port = 0;
  bool is_https = true;
  bool is_webhook = true;

  explicit Origin(const OriginView& view)
      : pool(view.pool),
        host(view.host),
        port(view.port),
        is_https(view.is_https),
        is_webhook(view.is_webhook) {}

  [[nodiscard]] OriginView view() const { return {pool, host, port, is_https, is_webhook}; }
  // NOLINTNEXTLINE(google-explicit-constructor): for the hash and the comparison of a map
  operator OriginView() const { return view(); }
};

struct OriginHash {
  using is_transparent = void;
  std::size_t operator()(const OriginView& origin) const {
    const std::hash<std::string_view> hash;
    return hash(origin.host) * 31 + hash(origin.pool) + origin.port;
  }
};

struct OriginEqual {
  using is_transparent = void;
  bool operator()(const OriginView& left, const OriginView& right) const { return left == right; }
};

}  // namespace dispatcher
