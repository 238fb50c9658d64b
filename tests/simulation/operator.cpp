#include "simulation/operator.hpp"

#include "model/endpoint_settings.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace dispatcher::simulation {
namespace {

using boost::asio::awaitable;
using std::chrono::seconds;

constexpr std::size_t kMostEndpoints = 5;

EndpointDraft draft_of(const Endpoint& endpoint) {
  EndpointDraft draft;
  draft.filter = endpoint.filter;
  draft.settings.body = endpoint.body;
  draft.settings.concurrency = endpoint.concurrency;
  draft.settings.rate_per_second = endpoint.rate_per_second;
  draft.settings.timeout = endpoint.timeout;
  draft.settings.retries = endpoint.retry.retries;
  draft.settings.schedule = endpoint.retry.schedule;
  draft.secrets.url = "https://" + endpoint.url.host + endpoint.url.target;
  draft.secrets.signing_keys = endpoint.signing_keys;
  return draft;
}

bool is_at(const EndpointViewPtr& view, const Endpoint& endpoint) {
  return view->endpoint.url.host == endpoint.url.host;
}

}  // namespace

awaitable<bool> Operator::create_planned() {
  const auto known = co_await registry_.list();
  if (!known) {
    co_return false;
  }
  bool are_all_there = true;
  for (std::size_t i = 0; i < scenario_.endpoints.size(); ++i) {
    const Endpoint& planned = scenario_.endpoints[i];
    if (planned.origin != EndpointOrigin::api || notes_.is_created[i]) {
      continue;
    }
    // It may have been created when the operator before had no answer any more.
    const auto there =
        std::ranges::find_if(*known, [&](const auto& view) { return is_at(view, planned); });
    if (there != known->end()) {
      notes_.is_created[i] = true;
      continue;
    }
    notes_.is_created[i] = co_await create(planned);
    are_all_there = are_all_there && notes_.is_created[i];
  }
  co_return are_all_there;
}

awaitable<bool> Operator::create(Endpoint endpoint) {
  const auto start = random_.chance(0.7) ? EndpointStart::pending : EndpointStart::now;
  endpoint.origin = EndpointOrigin::api;
  EndpointDraft draft = draft_of(endpoint);
  checker_.on_creating(endpoint);
  const auto created = co_await registry_.create(std::move(draft), start);
  if (created) {
    checker_.on_created(created->view->endpoint, start);
  }
  co_return created.has_value();
}

awaitable<void> Operator::act() {
  auto known = co_await registry_.list();
  if (!known) {
    co_return;
  }
  if (known->empty() || (known->size() < kMostEndpoints && random_.chance(0.1))) {
    Endpoint another = random_.one_of(scenario_.endpoints);
    another.url.host =
        another.url.host.substr(0, 1) + "-" + std::to_string(++notes_.changes) + ".example";
    co_await create(std::move(another));
    co_return;
  }
  const EndpointViewPtr view = random_.one_of(*known);
  if (random_.chance(0.1)) {
    std::string id = view->endpoint.id;
    co_await remove(std::move(id));
  } else {
    co_await change(view->endpoint);
  }
}

awaitable<void> Operator::change(const Endpoint& endpoint) {
  static constexpr std::array<std::optional<double>, 4> kRates{std::nullopt, 0.5, 3.0, 20.0};
  const std::string number = std::to_string(++notes_.changes);
  std::string id = endpoint.id;
  if (random_.chance(0.2)) {
    accept(co_await registry_.pause(std::move(id)));
    co_return;
  }
  if (random_.chance(0.3)) {
    checker_.on_resuming(endpoint.number);
    const auto resumed = co_await registry_.resume(std::move(id));
    accept(resumed);
    checker_.on_resumed(endpoint.number);
    co_return;
  }
  const auto what = random_.between(std::int64_t{0}, std::int64_t{3});
  const int concurrency = static_cast<int>(random_.between(1, 4));
  const auto rate = random_.one_of(kRates);
  const std::string url =
      "https://" + endpoint.url.host.substr(0, 1) + number + ".example" + endpoint.url.target;
  EndpointRegistry::DraftEdit edit = [=](EndpointDraft& draft) {
    switch (what) {
      case 0: draft.secrets.url = url; break;
      case 1: draft.secrets.signing_keys = {{"key " + number, std::nullopt}}; break;
      case 2: draft.settings.concurrency = concurrency; break;
      default: draft.settings.rate_per_second = rate;
    }
  };
  accept(co_await registry_.change(std::move(id), std::move(edit)));
}

awaitable<void> Operator::remove(std::string id) {
  const bool discards = random_.chance(0.5);
  AskedRelease asked;
  asked.action = ReleaseAction::discard;
  asked.endpoint_id = id;
  ReleaseNote note = checker_.on_removing(asked);
  const auto removed = co_await registry_.remove(id, discards, std::move(note));
  checker_.on_removal_answered(id, removed.has_value());
}

awaitable<void> Operator::set_right() {
  auto known = co_await registry_.list();
  if (!known) {
    co_return;
  }
  for (const EndpointViewPtr& view : *known) {
    if (view->is_usable && view->endpoint.state != EndpointState::active) {
      checker_.on_resuming(view->endpoint.number);
      std::string id = view->endpoint.id;
      const auto resumed = co_await registry_.resume(std::move(id));
      accept(resumed);
      checker_.on_resumed(view->endpoint.number);
    }
  }
}

void Operator::accept(const Result<EndpointViewPtr>& view) {
  if (view) {
    std::vector<Endpoint> one{(*view)->endpoint};
    checker_.on_configured(one);
  }
}

}  // namespace dispatcher::simulation
