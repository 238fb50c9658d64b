// Changing endpoints.
#include "engine/registry.hpp"

#include "engine/draw.hpp"
#include "engine/registry_errors.hpp"
#include "model/endpoint_limits.hpp"
#include "model/signature.hpp"

namespace dispatcher {
namespace {

using boost::asio::awaitable;

// How often a change is tried on the latest record when others change it at the same time, and how
// many ids are drawn for an endpoint.
constexpr int kMaxTries = 32;

}  // namespace

EndpointRegistry::EndpointRegistry(RegistryPorts ports, DeliveryDefaults defaults)
    : ports_(ports), defaults_(std::move(defaults)) {}

awaitable<Result<std::size_t>> EndpointRegistry::load(SecretEndpoints from_secret, KeyRing keys) {
  const auto held_before = held_;
  // From the store's commit on, what waits for a URL that left is the newcomer's.
  co_await hold_all_but(from_secret.urls);
  const auto configured =
      co_await ports_.store.configure_endpoints(from_secret.endpoints, from_secret.url_hashes);
  if (!configured) {
    const std::lock_guard lock{mutex_};
    if (held_ != held_before) {
      held_ = held_before;
      publish();
    }
    co_return store_cannot(configured.error());
  }
  auto records = co_await ports_.store.endpoints();
  if (!records) {
    co_return store_cannot(records.error());
  }
  const std::lock_guard lock{mutex_};
  keys_ = std::move(keys);
  held_.clear();
  from_secret_.clear();
  for (std::size_t i = 0; i < configured->size(); ++i) {
    const Endpoint& endpoint = (*configured)[i];
    from_secret_[endpoint.number] = ConfiguredEndpoint{endpoint, from_secret.urls[i]};
  }
  for (EndpointRecord& record : *records) {
    note(std::move(record));
  }
  for (auto& [number, known] : known_) {
    known.read = interpret(known.record);  // other keys open it, another URL is it
  }
  publish();
  warn_of_unusable();
  co_return known_.size();
}

awaitable<Result<CreatedEndpoint>> EndpointRegistry::create(EndpointDraft draft,
                                                            EndpointStart start) {
  if (draft.secrets.signing_keys.empty()) {
    draft.secrets.signing_keys.push_back({draw_signing_key(ports_.random), std::nullopt});
  }
  CreatedEndpoint created;
  created.signing_secret = format_signing_secret(draft.secrets.signing_keys.front().bytes);
  // The runtime is told of all endpoints: of those that were changed elsewhere too.
  const auto refreshed = co_await refresh();
  if (!refreshed) {
    co_return refreshed.error();
  }
  for (int i = 0; i < kMaxTries; ++i) {
    EndpointRecord record;
    record.id = draw_endpoint_id(ports_.random);
    record.created_at = record.updated_at = ports_.clock.wall();
    {
      const std::lock_guard lock{mutex_};
      const auto put = put_draft(record, draft, keys_, draw_nonce(ports_.random));
      if (!put) {
        co_return put.error();
      }
    }
    auto made = co_await ports_.store.create_endpoint(std::move(record), start);
    if (made) {
      created.view = accept(*std::move(made));
      if (start == EndpointStart::pending) {
        ports_.on_background_work();
      }
      co_return created;
    }
    if (made.error().kind == ErrorKind::refused) {
      co_return make_error(ErrorKind::refused,
                           "There are " + std::to_string(kMaxEndpoints) +
                               " endpoints, as many as there can be: delete some");
    }
    if (made.error().kind != ErrorKind::conflict) {
      co_return store_cannot(made.error());
    }
    // The id is taken: another one is drawn.
  }
  co_return make_error(ErrorKind::conflict, "No free id was found for the endpoint, try again");
}

awaitable<Result<EndpointViewPtr>> EndpointRegistry::change(std::string id, DraftEdit edit) {
  RecordEdit edit_record = [this, edit](const Known& known) -> Result<EndpointRecord> {
    if (known.record.origin == EndpointOrigin::secret) {
      return endpoint_of_the_secret(known.record.id);
    }
    if (!known.view().is_usable) {
      return endpoint_unusable(known.view(), "changed");
    }
    auto draft = draft_of(known.record, keys_);
    if (!draft) {
      return endpoint_unusable(known.view(), "changed");  // the keys have just changed
    }
    edit(*draft);
    EndpointRecord record = known.record;
    const auto put = put_draft(record, *draft, keys_, draw_nonce(ports_.random));
    if (!put) {
      return put.error();
    }
    return record;
  };
  co_return co_await save(std::move(id), std::move(edit_record));
}

awaitable<Result<EndpointViewPtr>> EndpointRegistry::pause(std::string id) {
  co_return co_await set_state(std::move(id), EndpointState::paused);
}

awaitable<Result<EndpointViewPtr>> EndpointRegistry::resume(std::string id) {
  auto view = co_await set_state(std::move(id), EndpointState::active);
  if (view) {
    ports_.runtime.resume((*view)->endpoint.number);
  }
  co_return view;
}

awaitable<Result<EndpointViewPtr>> EndpointRegistry::set_state(std::string id,
                                                               EndpointState state) {
  RecordEdit edit_record = [state](const Known& known) -> Result<EndpointRecord> {
    if (!known.view().is_usable) {
      return endpoint_unusable(known.view(), state == EndpointState::paused ? "paused" : "resumed");
    }
    const bool is_disabled = known.view().endpoint.state == EndpointState::disabled;
    if (state == EndpointState::paused && is_disabled &&
        known.record.origin == EndpointOrigin::api) {
      return endpoint_disabled(known.view());
    }
    EndpointRecord record = known.record;
    record.state = state;
    record.state_reason.reset();
    return record;
  };
  co_return co_await save(std::move(id), std::move(edit_record));
}

awaitable<Result<RotatedSecret>> EndpointRegistry::rotate_secret(std::string id,
                                                                 std::chrono::seconds overlap) {
  RotatedSecret rotated;
  const std::string key = draw_signing_key(ports_.random);
  rotated.signing_secret = format_signing_secret(key);
  const WallTime now = ports_.clock.wall();
  DraftEdit rotate = [key, now, overlap](EndpointDraft& draft) {
    rotate_signing_key(draft.secrets.signing_keys, key, now, overlap);
  };
  const auto view = co_await change(std::move(id), std::move(rotate));
  if (!view) {
    co_return view.error();
  }
  const auto& keys = (*view)->endpoint.signing_keys;
  rotated.previous_until = keys.size() > 1 ? keys[1].until : std::nullopt;
  co_return rotated;
}

awaitable<Result<void>> EndpointRegistry::remove(std::string id, bool discards_waiting,
                                                 ReleaseNote release_note) {
  const auto known = co_await read(id);
  if (!known) {
    co_return known.error();
  }
  if (known->record.origin == EndpointOrigin::secret) {
    co_return endpoint_of_the_secret(id);
  }
  const auto removed =
      co_await ports_.store.remove_endpoint(id, discards_waiting, std::move(release_note));
  if (!removed && removed.error().kind == ErrorKind::conflict) {
    co_return co_await why_not_removed(known->view());
  }
  if (!removed) {
    co_return removed.error().kind == ErrorKind::not_found ? endpoint_not_found(id)
                                                           : store_cannot(removed.error());
  }
  ports_.on_background_work();
  const std::lock_guard lock{mutex_};
  removed_.insert(known->record.number);
  known_.erase(known->record.number);
  publish();
  co_return Result<void>{};
}

awaitable<Error> EndpointRegistry::why_not_removed(const EndpointView& view) {
  std::string what = "deliveries that wait or are in review";
  std::vector<EndpointNumber> numbers{view.endpoint.number};
  const auto counts = co_await ports_.store.endpoint_counts(std::move(numbers));
  if (counts && !counts->empty()) {
    what = std::to_string(counts->front().waiting) + " deliveries waiting and " +
           std::to_string(counts->front().review) + " in review";
  }
  co_return make_error(ErrorKind::conflict, "Endpoint " + view.endpoint.id + " has " + what +
                                                ": add ?waiting=discard to discard them");
}

awaitable<Result<TestedEndpoint>> EndpointRegistry::test(std::string id) {
  const auto known = co_await read(id);
  if (!known) {
    co_return known.error();
  }
  if (!known->view().is_usable) {
    co_return endpoint_unusable(known->view(), "tested");
  }
  TestedEndpoint tested;
  tested.view = known->read.view;
  Endpoint endpoint = known->view().endpoint;
  tested.exchange = co_await ports_.runtime.test(std::move(endpoint));
  co_return tested;
}

awaitable<Result<EndpointViewPtr>> EndpointRegistry::save(std::string id, RecordEdit edit) {
  co_await turns_.take(id);
  auto saved = co_await save_in_turn(id, std::move(edit));
  turns_.end(id);
  co_return saved;
}

// Others in this process wait for their turn; what else changes a record may still come between.
awaitable<Result<EndpointViewPtr>> EndpointRegistry::save_in_turn(const std::string& id,
                                                                  RecordEdit edit) {
  for (int i = 0; i < kMaxTries; ++i) {
    const auto known = co_await read(id);
    if (!known) {
      co_return known.error();
    }
    Result<EndpointRecord> edited = [&] {
      const std::lock_guard lock{mutex_};
      return edit(*known);
    }();
    if (!edited) {
      co_return edited.error();
    }
    edited->updated_at = ports_.clock.wall();
    auto saved = co_await ports_.store.save_endpoint(*std::move(edited));
    if (saved) {
      co_return accept(*std::move(saved));
    }
    if (saved.error().kind == ErrorKind::not_found) {
      co_return endpoint_not_found(id);
    }
    if (saved.error().kind != ErrorKind::conflict) {
      co_return store_cannot(saved.error());
    }
  }
  co_return make_error(
      ErrorKind::conflict,
      "Endpoint " + id + " is being changed by others at the same time, try again");
}

}  // namespace dispatcher
