// What is known of the endpoints: read from the store, opened, and told to the runtime.
#include "engine/registry.hpp"

#include "engine/draw.hpp"
#include "engine/registry_errors.hpp"

#include <algorithm>

namespace dispatcher {
namespace {

using boost::asio::awaitable;

// Sealed anew in one step: each is a commit.
constexpr std::size_t kRenewedPerStep = 50;

}  // namespace

awaitable<Result<bool>> EndpointRegistry::renew_seals() {
  std::vector<EndpointRecord> records;
  {
    const std::lock_guard lock{mutex_};
    records = to_be_sealed_anew();
  }
  bool is_more = records.size() >= kRenewedPerStep;
  for (EndpointRecord& record : records) {
    auto saved = co_await ports_.store.save_endpoint(std::move(record));
    if (saved) {
      const std::lock_guard lock{mutex_};
      note(*std::move(saved));
    } else if (saved.error().kind == ErrorKind::conflict) {
      is_more = true;  // somebody has just changed it: it is looked at once more
    } else if (saved.error().kind != ErrorKind::not_found) {
      co_return store_cannot(saved.error());
    }
  }
  if (is_more) {
    const auto refreshed = co_await refresh();
    if (!refreshed) {
      co_return refreshed.error();
    }
  }
  co_return is_more;
}

std::vector<EndpointRecord> EndpointRegistry::to_be_sealed_anew() const {
  std::vector<EndpointRecord> records;
  if (!keys_.can_seal()) {
    return records;
  }
  for (const auto& [number, known] : known_) {
    if (known.read.is_under_first_key || records.size() >= kRenewedPerStep) {
      continue;
    }
    const auto opened = keys_.open(known.record.sealed, known.record.id);
    if (opened) {
      EndpointRecord record = known.record;
      record.sealed = keys_.seal(opened->text, record.id, draw_nonce(ports_.random));
      records.push_back(std::move(record));
    }
  }
  return records;
}

awaitable<Result<std::vector<EndpointViewPtr>>> EndpointRegistry::list() {
  const auto refreshed = co_await refresh();
  if (!refreshed) {
    co_return refreshed.error();
  }
  const std::lock_guard lock{mutex_};
  std::vector<EndpointViewPtr> views;
  views.reserve(known_.size());
  for (const auto& [number, known] : known_) {
    views.push_back(known.read.view);
  }
  co_return views;
}

awaitable<Result<EndpointViewPtr>> EndpointRegistry::find(std::string id) {
  const auto known = co_await read(id);
  if (!known) {
    co_return known.error();
  }
  co_return known->read.view;
}

awaitable<Result<EndpointRegistry::Known>> EndpointRegistry::read(const std::string& id) {
  const auto refreshed = co_await refresh();
  if (!refreshed) {
    co_return refreshed.error();
  }
  const std::lock_guard lock{mutex_};
  for (const auto& [number, known] : known_) {
    if (known.record.id == id) {
      co_return known;
    }
  }
  co_return endpoint_not_found(id);
}

// The store is the truth: the engine disables endpoints there too.
awaitable<Result<void>> EndpointRegistry::refresh() {
  auto records = co_await ports_.store.endpoints();
  if (!records) {
    co_return store_cannot(records.error());
  }
  const std::lock_guard lock{mutex_};
  for (EndpointRecord& record : *records) {
    note(std::move(record));
  }
  co_return Result<void>{};
}

EndpointViewPtr EndpointRegistry::accept(EndpointRecord record) {
  const std::lock_guard lock{mutex_};
  EndpointViewPtr view = interpret(record).view;
  note(std::move(record));
  publish();
  return view;
}

void EndpointRegistry::note(EndpointRecord record) {
  const EndpointNumber number = record.number;
  if (removed_.contains(number)) {
    return;
  }
  const auto [place, is_new] = known_.try_emplace(number);
  Known& known = place->second;
  if (!is_new && known.record.revision >= record.revision) {
    return;
  }
  known.read = interpret(record);
  known.record = std::move(record);
}

ReadRecord EndpointRegistry::interpret(const EndpointRecord& record) const {
  const auto configured = from_secret_.find(record.number);
  return read_record(record, configured == from_secret_.end() ? nullptr : &configured->second,
                     keys_, defaults_);
}

awaitable<void> EndpointRegistry::hold_all_but(const std::vector<std::string>& urls) {
  {
    const std::lock_guard lock{mutex_};
    const std::size_t held = held_.size();
    for (const auto& [number, configured] : from_secret_) {
      if (std::ranges::find(urls, configured.url) == urls.end()) {
        held_.insert(number);
      }
    }
    if (held_.size() == held) {
      co_return;
    }
    publish();
  }
  co_await ports_.runtime.caught_up();
}

void EndpointRegistry::publish() const {
  std::vector<Endpoint> endpoints;
  endpoints.reserve(known_.size());
  for (const auto& [number, known] : known_) {
    if (known.view().is_usable) {
      endpoints.push_back(known.view().endpoint);
      if (held_.contains(number)) {
        endpoints.back().state = EndpointState::paused;
      }
    }
  }
  ports_.runtime.set_endpoints(std::move(endpoints));
}

void EndpointRegistry::warn_of_unusable() const {
  for (const auto& [number, known] : known_) {
    if (!known.view().is_usable && known.record.origin == EndpointOrigin::api) {
      ports_.log.warning("an endpoint cannot be delivered to; its events wait",
                         {{"endpoint", known.record.id},
                          {"host", known.record.target},
                          {"reason", *known.view().state_reason}});
    }
  }
}

}  // namespace dispatcher
