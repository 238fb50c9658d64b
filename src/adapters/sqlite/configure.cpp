// The endpoints that the secret gives, against those that the store knows.
#include "adapters/sqlite/operations.hpp"

#include <algorithm>

namespace dispatcher::sqlite {
namespace {

constexpr const char* kHasLeft = "its URL is no longer among those of the secret";

// A wanted endpoint and the known one that stands for it, once that is found.
struct Wanted {
  const Endpoint* endpoint = nullptr;
  const Sha256Digest* url_hash = nullptr;
  EndpointNumber number = kNoEndpoint;
  bool is_new = false;  // the known one has another URL, or none so far
};

bool is_wanted(const KnownEndpoint& known, const std::vector<Wanted>& wanted) {
  return std::ranges::any_of(wanted, [&](const Wanted& one) {
    return known.url_hash && *known.url_hash == *one.url_hash;
  });
}

std::vector<KnownEndpoint*> find_left(Routes& routes, const std::vector<Wanted>& wanted) {
  std::vector<KnownEndpoint*> left;
  for (KnownEndpoint& known : routes.all()) {
    if (known.kind == EndpointKind::secret && !known.is_gone && !is_wanted(known, wanted)) {
      left.push_back(&known);
    }
  }
  return left;
}

std::vector<Wanted*> match_known(Routes& routes, std::vector<Wanted>& wanted) {
  std::vector<Wanted*> newcomers;
  for (Wanted& one : wanted) {
    const auto known = std::ranges::find_if(routes.all(), [&](const KnownEndpoint& endpoint) {
      return endpoint.url_hash && *endpoint.url_hash == *one.url_hash;
    });
    if (known != routes.all().end()) {
      one.number = known->number;
    } else {
      newcomers.push_back(&one);
    }
  }
  return newcomers;
}

void take_over(Transaction& transaction, KnownEndpoint& left, Wanted& newcomer) {
  newcomer.number = left.number;
  newcomer.is_new = true;
  begin_release_of_review(transaction, left);
}

// An id made from another URL's hash may be taken: that URL's endpoint went on under another URL.
std::string free_id(Routes& routes, const std::string& wanted) {
  std::string id = wanted;
  for (int suffix = 2;; ++suffix) {
    const KnownEndpoint* taken = routes.find(id);
    if (taken == nullptr || taken->kind == EndpointKind::consumer) {
      return id;
    }
    id = wanted + "-" + std::to_string(suffix);
  }
}

// A new endpoint, or one that so far only consumers spoke of.
void add_endpoint(Transaction& transaction, Wanted& newcomer) {
  Routes& routes = transaction.state.routes;
  std::vector<Wanted> twice{newcomer};
  if (match_known(routes, twice).empty()) {
    newcomer.number = twice.front().number;  // the same URL is in the list twice
    return;
  }
  const std::string id = free_id(routes, newcomer.endpoint->id);
  KnownEndpoint* known = routes.find(id);
  if (known == nullptr) {
    KnownEndpoint fresh;
    fresh.id = id;
    known = &routes.add(std::move(fresh));
  }
  known->kind = EndpointKind::secret;
  known->state = EndpointState::active;
  known->url_hash = *newcomer.url_hash;
  known->backlog_from = 1;
  known->backlog_to = transaction.state.next_seq - 1;
  newcomer.number = known->number;
  newcomer.is_new = true;
}

// What the secret says of it. Nothing is written where nothing changed.
void update(Transaction& transaction, KnownEndpoint& known, const Wanted& one) {
  const std::string target = one.endpoint->url.display();
  const EventFilter& filter = one.endpoint->filter;
  const bool is_new_filter =
      known.filter.types != filter.types || known.filter.sources != filter.sources;
  // One that is new may have in memory what is not on disk yet.
  if (is_new_filter || one.is_new) {
    known.filter = filter;
    save_filter(transaction.db, known);
  }
  if (!one.is_new && !is_new_filter && !known.is_gone && known.target == target) {
    return;
  }
  known.url_hash = *one.url_hash;
  if (known.is_gone) {
    // What came while it was away, and matched nothing, is for it too.
    known.backlog_from = 1;
    known.backlog_to = transaction.state.next_seq - 1;
  }
  known.is_gone = false;
  known.target = target;
  save_endpoint(transaction.db, known, transaction.now_us);
}

void take_leave(Transaction& transaction, KnownEndpoint& endpoint) {
  endpoint.is_gone = true;
  save_endpoint(transaction.db, endpoint, transaction.now_us);
}

}  // namespace

std::optional<std::string> shown_reason(const KnownEndpoint& endpoint) {
  return endpoint.is_gone ? std::optional<std::string>{kHasLeft} : endpoint.reason;
}

Result<std::vector<Endpoint>> configure_endpoints(Transaction& transaction,
                                                  const std::vector<Endpoint>& endpoints,
                                                  const std::vector<Sha256Digest>& url_hashes) {
  if (endpoints.size() != url_hashes.size()) {
    return make_error(ErrorKind::invalid, "there must be one URL hash for each endpoint");
  }
  std::vector<Wanted> wanted;
  for (std::size_t i = 0; i < endpoints.size(); ++i) {
    wanted.push_back({&endpoints[i], &url_hashes[i]});
  }
  Routes& routes = transaction.state.routes;
  const std::vector<KnownEndpoint*> left = find_left(routes, wanted);
  std::vector<Wanted*> newcomers = match_known(routes, wanted);
  if (!newcomers.empty() && routes.is_full()) {
    return no_number_left();
  }
  if (left.size() == 1 && newcomers.size() == 1) {
    take_over(transaction, *left.front(), *newcomers.front());
    newcomers.clear();
  } else {
    for (KnownEndpoint* endpoint : left) {
      take_leave(transaction, *endpoint);
    }
  }
  for (Wanted* newcomer : newcomers) {
    add_endpoint(transaction, *newcomer);
  }
  std::vector<Endpoint> configured = endpoints;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    KnownEndpoint& known = *routes.find(wanted[i].number);
    update(transaction, known, wanted[i]);
    configured[i].number = known.number;
    configured[i].id = known.id;
    configured[i].state = known.shown_state();
  }
  routes.note_change();
  return configured;
}

}  // namespace dispatcher::sqlite
