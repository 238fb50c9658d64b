// TLS sessions to resume: the newest of each origin, for the origins used last.
#pragma once

#include "adapters/https/origin.hpp"
#include "adapters/https/tls.hpp"

#include <list>
#include <unordered_map>

namespace dispatcher {

class SessionCache {
 public:
  // About 3 KB each, with the peer's certificate.
  static constexpr std::size_t kMaxSessions = 1024;

  // The cache's own; null when there is none that can be resumed.
  [[nodiscard]] SSL_SESSION* find(const OriginView& origin) {
    const auto found = by_origin_.find(origin);
    if (found == by_origin_.end()) {
      return nullptr;
    }
    entries_.splice(entries_.end(), entries_, found->second);
    SSL_SESSION* session = found->second->session.get();
    return SSL_SESSION_is_resumable(session) == 1 ? session : nullptr;
  }

  void put(const Origin& origin, SslSessionPtr session) {
    const auto found = by_origin_.find(origin.view());
    if (found != by_origin_.end()) {
      entries_.splice(entries_.end(), entries_, found->second);
      found->second->session = std::move(session);
      return;
    }
    entries_.push_back({origin, std::move(session)});
    by_origin_.emplace(entries_.back().origin.view(), std::prev(entries_.end()));
    if (entries_.size() > kMaxSessions) {
      by_origin_.erase(entries_.front().origin.view());
      entries_.pop_front();
    }
  }

 private:
  struct Entry {
    Origin origin;
    SslSessionPtr session;
  };
  using Entries = std::list<Entry>;  // unused for longest first

  Entries entries_;
  // The keys are views of the entries' origins.
  std::unordered_map<OriginView, Entries::iterator, OriginHash, OriginEqual> by_origin_;
};

}  // namespace dispatcher
